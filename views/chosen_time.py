"""A new time that was chosen on the calendar: shown beside the old one to be confirmed, and where a person is afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import flash, request
from sqlalchemy.orm import Session

from app.context import context
from app.criteria import whole
from app.extensions import db
from app.rules import slots
from app.rules.slots import NotOffered
from app.schema import specs
from models import BookingCategory, Channel, Reservation, Slot
from models.base import table_of
from models.bookings import slot_name
from views.address import list_of, page_of
from views.calendar_question import on_calendar

CHOSEN = "to"
"""The 予約枠 in the address."""


def chosen(
    session: Session, row: Reservation, category: BookingCategory, channels: Sequence[Channel], now: datetime
) -> Slot | None:
    """The 予約枠 in the address, if the reservation could go there now; otherwise a sentence says why not, and any other may be
    chosen on this page."""
    if not (typed := request.args.get(CHOSEN, "")):
        return None
    try:
        number = whole(typed, table_of(Slot).c.id.type)
        slot = slots.offered_on(session, number or 0, category.code, channels, now)[0].slot
        why = _why_not(slot, row)
    except NotOffered:
        slot, why = None, "カレンダーで選んだ時間は、この予約では選べません。ほかの時間を選んでください。"
    if why and request.method == "GET":  # what became of a form that was sent is told already
        flash(why, "warning")
    return None if why else slot


def _why_not(slot: Slot, row: Reservation) -> str:
    name = slot_name(slot.slot_date, slot.start_time)
    if slot.id == row.slot_id:
        return f"この予約は、いま {name} です。ほかの時間を選んでください。"
    if slot.free < row.units:
        return f"カレンダーで選んだ {name} {slot.counter} は、いま満席になりました。ほかの時間を選んでください。"
    return ""


def leaving(row: Reservation) -> str:
    """Where giving up leads: back to where the person came from."""
    return on_calendar(row, request.args) if request.args.get(CHOSEN) else page_of(row)


def after(row: Reservation) -> str:
    """Where a person is when it has been moved. Another counter's reservation they cannot open any more."""
    mine = context(db.session()).actor.counters
    if request.args.get(CHOSEN):
        return on_calendar(row, request.args)
    return page_of(row) if mine is None or row.counter_id in mine else list_of(specs()[Reservation])
