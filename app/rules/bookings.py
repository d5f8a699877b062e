"""来庁予約: booking a visit and looking it up again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from app import audit, text
from app.context import context
from app.errors import AppError, Busy, Conflict, SlotFull
from app.plans import PREPARED
from app.rows import refuse_personal_numbers, stamp
from app.rules import outbox, pickups, slots
from app.rules.taking import take_and_insert
from app.schema import specs
from app.sentences import N_
from models import BookingCategory, Channel, Counter, Intake, Language, MailKind, Reservation, ReservationState, Sex, slot_name
from models.bookings import CODE_ALPHABET

CODE_LENGTH = 10
_TRIES = 5
UNMADE = (ReservationState.HELD, ReservationState.EXPIRED)
"""States in which a form has only a place, or had one."""
_OF_FORM = (
    select(Reservation)
    .where(Reservation.form_token == bindparam("digest"))
    .options(joinedload(Reservation.category), joinedload(Reservation.counter))
    .execution_options(**PREPARED, populate_existing=True)
)
_IS_MADE = (
    select(Reservation.id)
    .where(Reservation.form_token == bindparam("digest"), Reservation.state.not_in(UNMADE))
    .execution_options(**PREPARED)
)
_OF_CODE = select(Reservation).where(Reservation.booking_code == bindparam("code")).execution_options(**PREPARED)


class AlreadyUsed(Conflict):
    """The same form was sent before with another content: it is neither a repetition nor a second booking by itself."""

    def __init__(self) -> None:
        super().__init__(N_("この画面からの予約は、すでに1件受け付けています。"))


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
    language: Language = Language.JA
    also: tuple[str, ...] = ()
    """Further procedures of the same visit (手続きID), after the first."""
    others: tuple[Applicant, ...] = ()
    """The household of the applicant, who come at the same time."""
    intake: Intake = Intake.WEB
    intake_note: str = ""
    booked_by: str = ""
    assisted: bool = False
    """Booked by the office for somebody, of whom no number of a notice is asked."""

    @property
    def is_plain(self) -> bool:
        """One person for one procedure, as nearly everybody."""
        return not self.others and not self.also

    @property
    def people(self) -> tuple[Applicant, ...]:
        return (self.applicant, *self.others)

    @property
    def categories(self) -> tuple[str, ...]:
        return (self.category, *self.also)


def is_code(code: str) -> bool:
    return len(code) == CODE_LENGTH and set(code) <= set(CODE_ALPHABET)


def new_code(rng: random.Random) -> str:
    return "".join(rng.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def token_digest(token: str) -> str:
    """What is stored of the token of a form: enough to know it again, worth nothing to whoever reads it."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")


def book(session: Session, request: BookingRequest, now: datetime, *, rng: random.Random) -> int:
    """Takes the place and writes the reservation, both or neither; gives its number, and the same one to the same form sent again.

    Whether the form was sent before is asked only when something failed, so that the usual booking does not pay for it:
    the token is unique in the database, and two copies sent at once meet there. The caller's transaction stays theirs: a place
    that was taken in vain is given back, and nothing is rolled back.
    """
    for _ in range(_TRIES):
        try:
            made = _write(session, request, now, rng)
        except (SlotFull, slots.NotOffered):
            if earlier := _sent_before(session, request):
                return earlier
            raise
        if number := made or _sent_before(session, request):
            return number
    raise Busy  # every code drawn was there already, which chance alone does not bring about


def row_of(session: Session, request: BookingRequest, person: Applicant, category: BookingCategory, code: str) -> Reservation:
    """The reservation of one person as a flush would write it; the place, and with it date and time, are still open."""
    items, spec, current = text.lines(category.required_items), specs()[Reservation], context(session)
    row = Reservation(
        **vars(person),
        booking_code=code,
        category_id=category.id,
        procedure_name=category.name,
        units=request.units,
        channel=request.channel,
        state=ReservationState.BOOKED,
        state_reason="",
        state_note="",
        consent_version=request.consent_version,
        request_detail={"持ち物": items} if items else {},
        intake=request.intake,
        intake_note=request.intake_note,
        booked_by=request.booked_by,
        language=request.language,
        is_extended=False,
        row_stamp=1,
    )
    refuse_personal_numbers(current, spec.parts.values(), row)
    stamp(spec, row, current, is_new=True)
    return row


def told(session: Session, row: Reservation, category: BookingCategory, counter: Counter) -> None:
    """Gives the log a new reservation that was written without a flush."""
    names = {"category": str(category), "counter": str(counter), "slot": slot_name(row.booking_date, row.start_time)}
    context(session).changes.append(audit.added(specs()[Reservation], row, names))


def _write(session: Session, request: BookingRequest, now: datetime, rng: random.Random) -> int | None:
    """The number of the new reservation; none when its code or the token of its form is there already."""
    category, counter = place_of(session, request)
    row = _row(session, request, category, counter, new_code(rng))
    if category.asks_notice and not request.assisted:
        raise pickups.NotShown  # a number is shown when a time is held
    taken = take_and_insert(session, row, slots.terms(category, request.channel, now))
    if taken is None:
        raise _refusal(session, request, now)
    if taken.id is None:
        return None
    for name, value in taken._asdict().items():
        setattr(row, name, value)
    told(session, row, category, counter)
    outbox.tell(session, MailKind.CONFIRMED, [row], now)
    return taken.id


def place_of(session: Session, request: BookingRequest) -> tuple[BookingCategory, Counter]:
    """Procedure and counter, if this actor may book there."""
    found, counters = slots.place(session, request.category, request.counter), context(session).actor.counters
    if found is None or (counters is not None and found[1].id not in counters):
        raise slots.NotOffered
    return found


def _row(
    session: Session, request: BookingRequest, category: BookingCategory, counter: Counter, booking_code: str
) -> Reservation:
    row = row_of(session, request, request.applicant, category, booking_code)
    row.counter_id, row.slot_id, row.form_token = counter.id, request.slot_id, token_digest(request.form_token)
    row.search_key = specs()[Reservation].key_of(row)
    return row


def _refusal(session: Session, request: BookingRequest, now: datetime) -> AppError:
    """Why a place could not be taken."""
    try:
        found = slots.offer(session, request.slot_id, request.category, request.channel, now)
    except slots.NotOffered as error:
        return error
    return SlotFull() if found.counter.code == text.tidy(request.counter) else slots.NotOffered()


def _sent_before(session: Session, request: BookingRequest) -> int | None:
    """The reservation that this form already made."""
    earlier = made_by(session, token_digest(request.form_token))
    return same(earlier, request) if earlier else None


def same(earlier: Reservation, request: BookingRequest) -> int:
    """The number of the reservation that a form made before. Another content under the same token is refused, not swallowed."""
    person = asdict(request.applicant)
    if earlier.slot_id != request.slot_id or any(getattr(earlier, key) != value for key, value in person.items()):
        raise AlreadyUsed
    return earlier.id


def made_by(session: Session, digest: str) -> Reservation | None:
    """The reservation that a form made or the place that it holds, by the digest of its token."""
    return session.scalar(_OF_FORM, {"digest": digest})


def is_made(session: Session, digest: str) -> bool:
    """Whether a form has made its reservation."""
    return session.scalar(_IS_MADE, {"digest": digest}) is not None


def as_code(typed: str) -> str:
    """A reservation code in its one spelling, however it was typed."""
    return text.alnum(text.tidy(typed))


def look_up(session: Session, code: str, phone: str) -> Reservation | None:
    """The reservation of a code, to whoever also knows its phone number. An unknown code and a wrong number look the same."""
    wanted = as_code(code)
    found = session.scalar(_OF_CODE, {"code": wanted}) if is_code(wanted) else None
    known = found.phone if found and found.phone else "-"  # a place that is only held is nobody's yet
    return found if hmac.compare_digest(known.encode(), text.digits(phone).encode()) else None
