"""What was chosen so far (procedure, place and time), and the page for a time that cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from flask import g, render_template, url_for

from app.errors import AppError
from app.extensions import db
from app.rules import parties, slots
from app.rules.parties import Party
from booking.choosing import channel, the_day, the_party, the_place
from booking.keeping import has_typed, now
from models import BookingCategory, Counter


@dataclass(frozen=True)
class Choice:
    """Procedure, place and time, as the address names them."""

    party: Party
    counter: Counter
    opening: slots.Opening

    @property
    def category(self) -> BookingCategory:
        return self.party.first

    @property
    def also(self) -> tuple[str, ...]:
        """The further procedures, as the address names them."""
        found: tuple[str, ...] = g.booking.company.also
        return found

    def url(self, endpoint: str, person: int = 1) -> str:
        at = self.opening
        return url_for(
            f".{endpoint}",
            category=self.category.code,
            counter=self.counter.code,
            day=at.date.isoformat(),
            slot=at.slot_id,
            person=person if person > 1 else None,
        )


def chosen(category: str, counter: str, day: str, slot: int) -> Choice:
    """What the address says, if it is offered, and if its parts belong together."""
    party = the_party(category)
    within = party.within(the_place(party, counter)) if party.reach else None
    found = slots.offer_of(db.session(), slot, party.first, channel(), now(), within)
    if (found.counter.code, found.slot.slot_date) != (counter, the_day(day)):
        raise slots.NotOffered
    at = found.slot
    opening = slots.Opening(at.id, at.counter_id, at.slot_date, at.start_time, at.end_time, at.free)
    return Choice(party, found.counter, opening)


def gone(category: str, counter: str, day: str, error: AppError, slot: int = 0) -> Any:
    """The page for a time that cannot be had: which it was, the nearest other times, and the telephone."""
    session, moment, on = db.session(), now(), the_day(day)
    party = the_party(category)
    place = the_place(party, counter)
    lost = slots.lost(session, slot, place, on)
    wish = datetime.combine(on, lost.start if lost else time(12))
    others = parties.near(session, party, place, channel(), wish, moment)
    elsewhere = [(at, o) for at, o in parties.earliest(session, party, channel(), moment) if at.id != place.id]
    body = render_template(
        "booking/gone.html",
        party=party,
        category=party.first,
        counter=place,
        day=on,
        lost=lost,
        told=error.sentence,
        is_kept=has_typed(),
        others=others,
        elsewhere=elsewhere,
    )
    return body, error.status
