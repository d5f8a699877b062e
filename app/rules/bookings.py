"""来庁予約: booking a visit and looking it up again."""

from __future__ import annotations

import hmac
import random
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, make_transient_to_detached

from app import audit, text
from app.context import context
from app.errors import AppError, Busy, Conflict, SlotFull
from app.rows import refuse_personal_numbers, stamp
from app.rules import slots
from app.schema import specs
from models import Channel, Reservation, ReservationState, Sex, Slot

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
    """A wish to come: for which procedure (手続きID), which place, who, and the token of the form it was written on."""

    category: str
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
    offer = slots.offer(session, request.slot_id, request.category, request.channel, now)
    row = Reservation(**_values(request, offer, new_code(rng)))
    spec, current = specs()[Reservation], context(session)
    refuse_personal_numbers(current, spec.parts.values(), row)
    stamp(spec, row, current, is_new=True)
    row.search_key = spec.key_of(row)  # type: ignore[attr-defined]
    row.id = _take_and_insert(session, row)
    session.expire(offer.slot, ["used", "capacity"])
    make_transient_to_detached(row)
    session.add(row)
    current.changes.append(audit._change(spec, row, "add", audit._changed(spec, row, "add")))
    return row


def _values(request: BookingRequest, offer: slots.Offer, code: str) -> dict[str, Any]:
    """Every column, so that none has to be read back."""
    category, counter, slot = offer.category, offer.counter, offer.slot
    items = [line.strip() for line in category.required_items.splitlines() if line.strip()]
    return {
        **dict.fromkeys(_COLUMNS), **vars(request.applicant), "booking_code": code,
        "booking_date": slot.slot_date, "start_time": slot.start_time, "end_time": slot.end_time,
        "category": category, "category_id": category.id, "procedure_name": category.name, "counter": counter, "counter_id": counter.id,
        "slot": slot, "slot_id": slot.id, "units": request.units, "channel": request.channel, "state": ReservationState.BOOKED,
        "form_token": request.form_token, "consent_version": request.consent_version,
        "request_detail": {"持ち物": items} if items else {}, "row_stamp": 1,
    }


def _take_and_insert(session: Session, row: Reservation) -> int:
    """Takes the places and writes the row, and gives its number.

    On PostgreSQL this is one statement, so that the slot is locked for as short as can be: measured, a popular slot books 1.4
    times as fast as with one statement each, and writing the row before taking the place would be slower still.
    """
    values = {f"new_{name}": getattr(row, name) for name in _COLUMNS}
    if session.get_bind().dialect.name == "postgresql":
        taken, number = session.execute(_TAKE_AND_INSERT, values).one()
        if not taken:
            raise SlotFull
    else:
        slots.take(session, values["new_slot_id"], row.units)
        number = session.execute(_INSERT, values).scalar()
    if number is None:
        raise _Clash
    return int(number)


_TABLE, _SLOT = cast(Table, Reservation.__table__), cast(Table, Slot.__table__)
_COLUMNS = [column.key for column in _TABLE.columns if column.key != "id"]
# Named unlike any column: SQLAlchemy would add parameters that are called like columns to the SET of the UPDATE.
_NEW = {name: bindparam(f"new_{name}", type_=_TABLE.c[name].type) for name in _COLUMNS}


def _one_statement() -> Any:
    free = _SLOT.c.used + _NEW["units"] <= _SLOT.c.capacity
    taken = (update(_SLOT).where(_SLOT.c.id == _NEW["slot_id"], free).values(used=_SLOT.c.used + _NEW["units"])
             .returning(_SLOT.c.id).cte("taken"))
    made = (postgresql.insert(_TABLE).from_select(_COLUMNS, select(*_NEW.values()).select_from(taken))
            .on_conflict_do_nothing().returning(_TABLE.c.id).cte("made"))
    return select(exists(select(taken.c.id)), select(made.c.id).scalar_subquery())


_TAKE_AND_INSERT = _one_statement()
_INSERT = sqlite.insert(_TABLE).values(_NEW).on_conflict_do_nothing().returning(_TABLE.c.id)


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
