"""The staff site: every table on the panel or in the masters' room, one menu, one frame."""

from __future__ import annotations

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_login import current_user

from app.rules import accounts
from app.rules.visits import BOOK
from app.schema import Spec, specs
from models import Channel, Counter, DeskPool, MailTemplate, Operator, Outbox, Reservation, Staff
from views import frame, jump, mailbox, masters
from views.access import must_have
from views.calendar import CalendarView
from views.generate import panel_view
from views.ladder import LadderView
from views.mails import MailTemplateView, MailView
from views.operators import OperatorView
from views.panel import PanelView
from views.reception import ReceptionView
from views.roles import RolesView
from views.staff import StaffView
from views.visits import VisitView
from views.walk_in import WalkInView

BASES: dict[type, type[PanelView]] = {Staff: StaffView, Reservation: VisitView, Outbox: MailView, Operator: OperatorView}
MASTER_BASES: dict[type, type[masters.MasterView]] = {
    Counter: LadderView,
    DeskPool: LadderView,
    MailTemplate: MailTemplateView,
}
"""What the schema cannot say: the tables of views that are more than generated."""


def register(app: Flask, appbuilder: AppBuilder) -> None:
    """Generates the screens of every table known now; a table that a test adds before start gets its own too."""
    for spec in panel_specs():
        appbuilder.add_view_no_menu(panel_view(spec, BASES.get(spec.model, PanelView)))
    appbuilder.add_view_no_menu(RolesView)
    appbuilder.add_view_no_menu(ReceptionView)
    appbuilder.add_view_no_menu(WalkInView)
    appbuilder.add_view_no_menu(CalendarView)
    masters.register(app, [spec for spec in specs().values() if spec.is_master], MASTER_BASES)
    mailbox.register(app)
    jump.register(app)
    frame.register(app)


def must_book() -> None:
    """Guards the booking pages of the staff site: for those who may book for somebody."""
    must_have(BOOK, "Reservation")


def channels() -> tuple[Channel, ...]:
    """Whose places the person at work may take, by their roles."""
    return accounts.channels([role.name for role in current_user.roles])


def panel_specs() -> list[Spec]:
    return [spec for spec in specs().values() if not spec.is_master]
