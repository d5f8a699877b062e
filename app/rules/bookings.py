"""来庁予約: booking a visit and looking it up again."""

from __future__ import annotations

import hmac
import random
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient_to_detached

from app import audit, text
from app.context import context
from app.errors import AppError, Busy, Conflict, SlotFull
from app.rows import refuse_personal_numbers, stamp
from app.rules import slots
from app.rules.taking import Taken, take_and_insert
from app.schema import Spec, specs
from models import BookingCategory, Channel, Counter, Reservation, ReservationState, Sex
from models.bookings import CODE_ALPHABET

ALPHABET = CODE_ALPHABET
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
    """A wish to come: for which procedure (手続きID), where (窓口コード) and when, who, and the token of the form it was written on."""

    category: str
    counter: str
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


class _Clash(AppError):
    """The token of the form or the drawn code is there already. Nobody sees this one."""

    def __init__(self) -> None:
        super().__init__("")


def book(session: Session, request: BookingRequest, now: datetime, *, rng: random.Random) -> Reservation:
    """Takes the place and writes the reservation, both or neither; the same form sent again gives the same reservation.

    Whether the form was sent before is asked only when something failed, so that the usual booking does not pay for it:
    the token is unique in the database, and two copies sent at once meet there.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return _write(session, request, now, rng)
        except (SlotFull, slots.NotOffered, _Clash) as error:
            session.rollback()  # nothing of a failed attempt stays, least of all the place it took
            if earlier := _sent_before(session, request):
                return earlier
            if not isinstance(error, _Clash):
                raise
            if not tries_left:
                raise Busy from error
    raise Busy


def _write(session: Session, request: BookingRequest, now: datetime, rng: random.Random) -> Reservation:
    where = slots.the_place(session, request.category, request.counter)
    spec, current = specs()[Reservation], context(session)
    if where is None or (current.actor.counters is not None and where[1].id not in current.actor.counters):
        raise slots.NotOffered
    category, counter = where
    row = Reservation(**_values(request, category, counter), booking_code=new_code(rng))
    refuse_personal_numbers(current, spec.parts.values(), row)
    stamp(spec, row, current, is_new=True)
    row.search_key = spec.key_of(row)
    place = take_and_insert(session, row, slots.terms(category, request.channel, now))
    if place is None:
        offered = slots.offer(session, request.slot_id, request.category, request.channel, now)
        raise SlotFull if offered.counter.code == counter.code else slots.NotOffered
    _complete(session, row, place)
    current.changes.append(_logged(spec, row, category, counter))
    return row


def _values(request: BookingRequest, category: BookingCategory, counter: Counter) -> dict[str, Any]:
    """What is known before a place is taken; date and time come from the place itself."""
    items = [line.strip() for line in category.required_items.splitlines() if line.strip()]
    return {
        **vars(request.applicant),
        "category_id": category.id,
        "counter_id": counter.id,
        "procedure_name": category.name,
        "slot_id": request.slot_id,
        "units": request.units,
        "channel": request.channel,
        "state": ReservationState.BOOKED,
        "form_token": request.form_token,
        "consent_version": request.consent_version,
        "request_detail": {"持ち物": items} if items else {},
        "group_id": None,
        "arrived_at": None,
        "row_stamp": 1,
    }


def _complete(session: Session, row: Reservation, place: Taken) -> None:
    """Makes the object a row of the session, as if it had been flushed."""
    if place.number is None:
        raise _Clash
    row.id = place.number
    for name in ("booking_date", "start_time", "end_time"):
        setattr(row, name, getattr(place, name))
    make_transient_to_detached(row)
    session.add(row)


def _logged(spec: Spec, row: Reservation, category: BookingCategory, counter: Counter) -> dict[str, Any]:
    """The new row for the operation log, which a flush would have gathered; relations are named without reading them back."""
    names = {"category": str(category), "counter": str(counter), "slot": f"{row.booking_date:%Y-%m-%d} {row.start_time:%H:%M}"}
    values = {part: names.get(key) if part.is_relation else getattr(row, key) for key, part in spec.parts.items()}
    return audit._change(
        spec,
        row,
        "add",
        {
            part: (None, value)
            for part, value in values.items()
            if value not in (None, "", {}) and not part.field.auto and part.key != "row_stamp"
        },
    )


def _sent_before(session: Session, request: BookingRequest) -> Reservation | None:
    """The reservation that this form already made. Another content under the same token is refused, not swallowed."""
    earlier = session.scalar(select(Reservation).where(Reservation.form_token == request.form_token))
    if earlier and (
        earlier.slot_id != request.slot_id or any(getattr(earlier, k) != v for k, v in asdict(request.applicant).items())
    ):
        raise AlreadyUsed(earlier)
    return earlier


def look_up(session: Session, code: str, phone: str) -> Reservation | None:
    """The reservation of a code, to whoever also knows its phone number. An unknown code and a wrong number look the same."""
    wanted = text.alnum(code)
    found = session.scalar(select(Reservation).where(Reservation.booking_code == wanted)) if is_code(wanted) else None
    known = found.phone if found else "-"
    return found if hmac.compare_digest(known.encode(), text.digits(phone).encode()) else None
