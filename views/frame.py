"""What every staff page has round it: the menu of what this person may open, who they are, and the words of the templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, current_app, request
from flask_login import current_user

from app import codes, days, telling
from app.context import context
from app.extensions import db
from app.rules.accounts import ROLES
from app.rules.visits import BOOK, CHECK_IN
from app.schema import specs
from views import home, mailbox
from views.access import may
from views.address import add_of, home_of, list_of, opening, page_of
from views.beginning import below_key
from views.calendar_question import today
from views.forms import raw

GROUPS = ("予約", "カード", "発送・返戻", "帳票", "窓口業務", "マスタ", "管理", "監査")


@dataclass(frozen=True)
class Entry:
    label: str
    href: str
    current: bool


def menu() -> list[tuple[str, list[Entry]]]:
    """Groups in the office's order, with the tables this person may list."""
    found: dict[str, list[Entry]] = {}
    for spec in specs().values():
        if not spec.inline_of and may("can_list", spec.permission):
            here = request.path.startswith(f"{home_of(spec)}/")
            found.setdefault(spec.group, []).append(Entry(spec.label, list_of(spec) + opening(spec), here))
    if may("can_list", "Reservation"):
        found.setdefault("予約", []).insert(0, Entry("カレンダー", today(), request.path.startswith("/calendar/")))
    if may(CHECK_IN, "Reservation"):
        found.setdefault("予約", []).insert(0, Entry("当日受付", "/reception/", request.path.startswith("/reception/")))
    if may(BOOK, "Reservation"):
        found.setdefault("予約", []).append(Entry("予約代行", "/operator/", request.path.startswith("/operator/")))
    if mailbox.is_kept() and may("can_list", "Outbox"):
        found.setdefault("予約", []).append(Entry("届いたメール（デモ）", mailbox.HOME, request.path.startswith(mailbox.HOME)))
    if may("can_list", "Role"):
        found.setdefault("管理", []).append(Entry("役割と権限", "/role/list/", request.path.startswith("/role/")))
    return sorted(found.items(), key=lambda item: GROUPS.index(item[0]) if item[0] in GROUPS else len(GROUPS))


def register(app: Flask) -> None:
    app.context_processor(_words)
    app.jinja_env.filters["role_label"] = lambda name: ROLES.get(name, name)


def _words() -> dict[str, Any]:
    signed_in = current_app.config["SITE"] == "staff" and current_user.is_authenticated
    return {
        "menu": menu if signed_in else list,
        "person": current_user if signed_in else None,
        "may": may,
        "home_of": home_of,
        "list_of": list_of,
        "add_of": add_of,
        "all_specs": specs,
        "page_of": page_of,
        "below_key": below_key,
        "code_names": lambda: codes.names(db.session()),
        "age": age,
        "without_counters": without_counters,
        "raw_values": raw_values,
        "told": telling.lines,
        "tiles": home.tiles,
    }


def without_counters() -> bool:
    """Whether this person's lists are empty only because nobody has given them a counter."""
    return context(db.session()).actor.counters == frozenset()


def age(born: date) -> int:
    """How old somebody is today."""
    return days.age(born, context(db.session()).local().date())


def raw_values(field: Any) -> list[str]:
    """What a field would post again as it stands: for forms that carry an earlier one's entries."""
    if field.part.shape == "many":
        return ["", *(field.data or ())]
    if field.part.shape == "relation":
        return [field.value]
    return [raw(field.part, field.data)]
