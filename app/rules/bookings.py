"""来庁予約: booking a visit and looking it up again."""

from __future__ import annotations

import hmac
import random
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import text
from app.errors import Conflict, SlotFull
from app.rules import slots
from models import BookingCategory, Channel, Reservation, ReservationState, Sex

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 letters; 0 O 1 I are left out, because people mix them up
CODE_LENGTH = 10
_TRIES = 5


class AlreadyUsed(Conflict):
    """The same form was sent before with another content: it is neither a repetition nor a second booking by itself."""

    def __init__(self, earlier: Reservation) -> None:
        super().__init__("この画面からの予約は、すでに1件受け付けています。")
        self.earlier = earlier


@dataclass(frozen=True, kw_only=True)
class Applicant:
    """申請者: what the form asks of one person, checked and normalised."""

    name: str
    name_kana: str
    address: str
    phone: str
    birth_date: date | None = None
    sex: Sex | None = None
    postal_code: str = ""
    building: str = ""
    email: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class BookingRequest:
    """A wish to come: which place, for which procedure, who, and the token of the form it was written on."""

    category_id: int
    slot_id: int
    applicant: Applicant
    form_token: str
    channel: Channel = Channel.WEB
    units: int = 1
    consent_version: str = ""


def is_code(code: str) -> bool:
    return len(code) == CODE_LENGTH and set(code) <= set(ALPHABET)


def new_code(rng: random.Random) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(CODE_LENGTH))


def book(session: Session, request: BookingRequest, now: datetime, *, rng: random.Random) -> Reservation:
    """Takes the place and writes the reservation, both or neither; the same form sent again gives the same reservation.

    The place is taken before the row is written: the other way round the foreign key locks the slot first, and a popular
    slot slows by 40 %. Whether the form was sent before is asked only when something failed, so that the usual booking
    does not pay for it: the token is unique in the database, and two copies sent at once meet there.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return _write(session, request, now, rng)
        except (SlotFull, slots.NotOffered, IntegrityError) as error:
            session.rollback()  # nothing of a failed attempt stays, least of all the place it took
            if earlier := _sent_before(session, request):
                return earlier
            if "booking_code" not in str(getattr(error, "orig", "")) or not tries_left:
                raise
    raise AssertionError("unreachable")


def _write(session: Session, request: BookingRequest, now: datetime, rng: random.Random) -> Reservation:
    category = session.get(BookingCategory, request.category_id)
    if category is None:
        raise slots.NotOffered
    opening = slots.find(session, request.slot_id, category, request.channel, now)
    slots.take(session, opening.slot_id, request.units)
    row = Reservation(**_values(request, category, opening), booking_code=new_code(rng))
    session.add(row)
    session.flush()
    return row


def _values(request: BookingRequest, category: BookingCategory, opening: slots.Opening) -> dict[str, Any]:
    items = [line.strip() for line in category.required_items.splitlines() if line.strip()]
    return {
        **asdict(request.applicant), "booking_date": opening.date, "start_time": opening.start, "end_time": opening.end,
        "category_id": category.id, "procedure_name": category.name, "counter_id": opening.counter_id, "slot_id": opening.slot_id,
        "units": request.units, "channel": request.channel, "state": ReservationState.BOOKED, "form_token": request.form_token,
        "consent_version": request.consent_version, "request_detail": {"持ち物": items} if items else {},
    }


def _sent_before(session: Session, request: BookingRequest) -> Reservation | None:
    """The reservation that this form already made. Another content under the same token is refused, not swallowed."""
    earlier = session.scalar(select(Reservation).where(Reservation.form_token == request.form_token))
    if earlier and (earlier.slot_id != request.slot_id or any(getattr(earlier, k) != v for k, v in asdict(request.applicant).items())):
        raise AlreadyUsed(earlier)
    return earlier


def look_up(session: Session, code: str, phone: str) -> Reservation | None:
    """The reservation of a code, to whoever also knows its phone number. An unknown code and a wrong number look the same."""
    wanted = text.alnum(code)
    found = session.scalar(select(Reservation).where(Reservation.booking_code == wanted)) if is_code(wanted) else None
    known = found.phone if found else "-"
    return found if hmac.compare_digest(known.encode(), text.digits(phone).encode()) else None
