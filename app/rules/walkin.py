"""予約なしの来庁: who comes without a reservation gets the next free time of today and a number in the same queue."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.context import TOKYO, context
from app.errors import Conflict
from app.rules import bookings, slots, visits
from app.rules.bookings import Applicant, BookingRequest
from app.rules.visits import ACTS
from models import BookingCategory, Channel, Counter, Intake, Reservation


class NoneToday(Conflict):
    def __init__(self, counter: Counter) -> None:
        super().__init__(
            f"{counter.name}の今日の空きは、もうありません。別の日の予約（予約代行）か、ほかの窓口をご案内ください。"
        )


def receive(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    person: Applicant,
    channels: Sequence[Channel],
    now: datetime,
    *,
    rng: random.Random,
) -> Reservation:
    """Books the next free time of today on one of these channels and records the arrival, both or neither. Raises NoneToday."""
    today = now.astimezone(TOKYO).date()
    times = slots.days(session, category, counter, channels, today, today, now).get(today, [])
    free = next((opening for opening in times if opening.free > 0), None)
    if free is None:
        raise NoneToday(counter)
    _, channel = slots.offered_on(session, free.slot_id, category.code, channels, now)
    request = BookingRequest(
        category=category.code,
        counter=counter.code,
        slot_id=free.slot_id,
        applicant=person,
        form_token=secrets.token_urlsafe(32),
        channel=channel,
        intake=Intake.DESK,
        intake_note="予約なしの来庁",
        assisted=True,
        booked_by=context(session).actor.user_id[:64],
    )
    row = session.get_one(Reservation, bookings.book(session, request, now, rng=rng))
    visits.perform(session, ACTS["arrive"], row, now)
    return row
