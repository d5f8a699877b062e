"""A reservation that is being moved on the calendar: which times it could go to, and the page that asks before it goes there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from flask import flash
from flask_login import current_user
from sqlalchemy.orm import Session

from app.context import context
from app.rules import accounts, slots, visits
from app.rules.slots import Opening
from app.schema import specs
from models import BookingCategory, Counter, Reservation
from views import records
from views.access import must_have
from views.address import query
from views.calendar_question import Question


@dataclass(frozen=True)
class Moving:
    """The reservation, and by counter and time where it finds its places together on the day that is shown, if it is one."""

    row: Reservation
    openings: dict[tuple[int, time], Opening]
    on: date | None
    kept: dict[str, str]

    def is_at(self, counter: Counter, start: time) -> bool:
        return (self.row.booking_date, self.row.counter_id, self.row.start_time) == (self.on, counter.id, start)

    def target(self, counter: Counter, start: time) -> tuple[str, int]:
        """The page that asks whether it shall go to this time, and how many places are free; nothing where it cannot."""
        opening = self.openings.get((counter.id, start))
        if opening is None or self.is_at(counter, start):
            return "", 0
        there = {"to": str(opening.slot_id), "at": counter.code, "from": str(self.on)}
        return f"/reservation/move/{self.row.id}" + query({**self.kept, **there}), opening.free


def begin(session: Session, question: Question, on: date | None = None) -> Moving | None:
    """What the address says is being moved, and where it could go on a day. Whoever may not is refused; what cannot be moved any
    more is explained."""
    if not question.moving:
        return None
    must_have(visits.BOOK, "Reservation")
    row = records.load(session, specs()[Reservation], question.moving)
    now = context(session).now()
    if why := visits.why_not_moved(row, now):
        flash(why, "warning")
        return None
    return Moving(row, _openings(session, row, on, now) if on else {}, on, question.kept)


def _openings(session: Session, row: Reservation, on: date, now: datetime) -> dict[tuple[int, time], Opening]:
    category = session.get_one(BookingCategory, row.category_id)
    channels = accounts.channels([role.name for role in current_user.roles])
    return slots.around(session, category, channels, on, row.units, now)
