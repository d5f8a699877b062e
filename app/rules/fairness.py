"""公平: nobody books the same visit twice by mistake, and no telephone takes more than a household could use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app import text
from app.context import TOKYO
from app.errors import AppError
from app.plans import PREPARED
from app.rules.bookings import Applicant
from app.sentences import N_
from models import Channel, Reservation, ReservationState

PER_PHONE = 6
"""Reservations that one telephone number may make a day over the Internet: a household with two procedures, and one more."""
_OF_PHONE = (
    select(Reservation)
    .where(Reservation.phone == bindparam("of"), Reservation.booking_date >= bindparam("today"))
    .order_by(Reservation.booking_date, Reservation.start_time, Reservation.id)
    .limit(200)
    .execution_options(unscoped=True, **PREPARED)
)


class Refused(AppError):
    """Not this booking, for a reason that the person can do something about."""

    status = 409


class Twice(Refused):
    def __init__(self, name: str, day: date) -> None:
        super().__init__(
            N_(
                "%(name)sさんには、%(day)sに同じ手続きの予約がすでにあります。日時を変えるときは、"
                "その予約の予約番号をご用意のうえ、コールセンターへお電話ください。"
            ),
            name=name,
            day=day,
        )


class TooMany(Refused):
    def __init__(self) -> None:
        super().__init__(
            N_(
                "この電話番号からインターネットで予約できるのは、1日に%(most)s件までです。"
                "日付が変わってからもう一度お試しいただくか、コールセンターへお電話ください。"
            ),
            most=PER_PHONE,
        )


def refuse_unfair(
    session: Session, people: Sequence[Applicant], category_ids: Sequence[int], day: date, channel: Channel, now: datetime
) -> None:
    """Raises when one of these people has a reservation for the same procedure on that day, or when their telephone has made too
    many today. Who books for somebody at the office is not limited, only warned of the double."""
    today = now.astimezone(TOKYO).date()
    made = session.scalars(_OF_PHONE, {"of": people[0].phone, "today": today}).all()
    live = [row for row in made if row.state is ReservationState.BOOKED]
    for person in people:
        if any(_is_same(row, person, day) and row.category_id in category_ids for row in live):
            raise Twice(person.name, day)
    fresh = sum(row.requested_date == today and row.state is not ReservationState.CANCELLED for row in made)
    if channel is Channel.WEB and fresh + len(people) * len(category_ids) > PER_PHONE:
        raise TooMany


def _is_same(row: Reservation, person: Applicant, day: date) -> bool:
    """The same person on the same day; 髙橋 and 高橋 are one."""
    born = (row.booking_date, row.birth_date) == (day, person.birth_date)
    return born and text.search_key([row.name]) == text.search_key([person.name])
