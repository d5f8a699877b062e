"""What was chosen so far (procedure, place and time), and the page for a time that cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from flask import render_template, url_for

from app.errors import AppError
from app.extensions import db
from app.rules import slots
from booking.choosing import channel, the_day
from booking.keeping import draft, now
from models import BookingCategory, Counter


@dataclass(frozen=True)
class Choice:
    """Procedure, place and time, as the address names them."""

    category: BookingCategory
    counter: Counter
    opening: slots.Opening

    def url(self, endpoint: str, opening: slots.Opening | None = None, counter: Counter | None = None) -> str:
        at = opening or self.opening
        return url_for(
            f".{endpoint}",
            category=self.category.code,
            counter=(counter or self.counter).code,
            day=at.date.isoformat(),
            slot=at.slot_id,
        )


def chosen(category: str, counter: str, day: str, slot: int) -> Choice:
    """What the address says, if it is offered, and if its parts belong together."""
    found = slots.offer(db.session(), slot, category, channel(), now())
    if (found.counter.code, found.slot.slot_date) != (counter, the_day(day)):
        raise slots.NotOffered
    at = found.slot
    opening = slots.Opening(at.id, at.counter_id, at.slot_date, at.start_time, at.end_time, at.free)
    return Choice(found.category, found.counter, opening)


def gone(category: str, counter: str, day: str, slot: int, error: AppError) -> Any:
    """The page for a time that cannot be had: which it was, the nearest other times, and the telephone."""
    session, moment, on = db.session(), now(), the_day(day)
    procedure, place = slots.procedure(session, category, moment), slots.open_counter(session, counter)
    lost = slots.lost(session, slot, place, on)
    wish = datetime.combine(on, lost.start if lost else time(12))
    others = slots.near(session, procedure, place, channel(), wish, moment)
    elsewhere = [(at, o) for at, o in slots.earliest(session, procedure, channel(), moment) if at.id != place.id]
    body = render_template(
        "booking/gone.html",
        category=procedure,
        counter=place,
        day=on,
        lost=lost,
        told=error.message,
        is_kept=draft() is not None,
        others=others,
        elsewhere=elsewhere,
    )
    return body, error.status
