"""受取の引換券: 交付通知書番号 and birth date unlock the booking of a card that is ready.

Both sites ask here. Nothing here reads a card: the residents' site sees the projection alone (`app.rules.projection` writes it).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.errors import AppError, Conflict
from app.keys import Keys, keys_of
from app.plans import PREPARED
from app.sentences import N_
from app.text import alnum, tidy
from models import BookingCategory, PickupTicket, Reservation, ReservationState
from models.base import table_of

Days = tuple[date, date]
"""First and last day, both included."""
NO_DAY: Days = (date.max, date.min)
_TABLE = table_of(PickupTicket)
_COLUMNS = (_TABLE.c.ref, _TABLE.c.counters, _TABLE.c.valid_until)
_OF_MARKS = select(*_COLUMNS).where(_TABLE.c.key_hash.in_(bindparam("marks", expanding=True)))
_OF_REF = select(*_COLUMNS).where(_TABLE.c.ref == bindparam("of")).execution_options(**PREPARED)
# As the index of one visit for one card has it, so that SQLite uses it.
_LIVE = (
    select(Reservation)
    .where(Reservation.pickup_ref == bindparam("of"), text("state IN ('held', 'booked')"))
    .execution_options(unscoped=True)
)


@dataclass(frozen=True)
class Ticket:
    """A card that can be fetched, as far as anybody outside may know: where from when (number of the counter → day), until when."""

    ref: str
    counters: dict[int, date]
    valid_until: date

    def is_valid(self, now: datetime) -> bool:
        today = now.astimezone(TOKYO).date()
        return min(self.counters.values()) <= today <= self.valid_until


@dataclass(frozen=True)
class Claim:
    """A ticket that somebody has unlocked and carries along to their booking: its reference, and the mark of the number."""

    ref: str
    mark: str


def packed(claims: Sequence[Claim]) -> str:
    """As one text, to be kept with what somebody is typing or waiting for."""
    return "\n".join(f"{claim.ref} {claim.mark}" for claim in claims)


def unpacked(words: str) -> tuple[Claim, ...]:
    return tuple(Claim(*line.split(" ")) for line in words.splitlines())


@dataclass(frozen=True)
class Reach:
    """Where and when the cards of some tickets can all be fetched together."""

    counters: dict[int, date]
    until: date

    def days(self, counter_id: int) -> Days:
        first = self.counters.get(counter_id)
        return (first, self.until) if first else NO_DAY

    def holds(self, counter_id: int, day: date) -> bool:
        first, last = self.days(counter_id)
        return first <= day <= last


class NotShown(AppError):
    """This procedure is booked with the number of a notice, and none was shown, or its card cannot be fetched any more."""

    status = 403

    def __init__(self) -> None:
        super().__init__(N_("この手続きの予約では、はじめに交付通知書の番号と生年月日を確認します。"))


class Used(Conflict):
    """Somebody has a visit for this card already, or is about to."""

    def __init__(self, visit: Reservation | None = None) -> None:
        is_held = visit is not None and visit.state is ReservationState.HELD
        super().__init__(HELD_ELSEWHERE if is_held else BOOKED_ALREADY)


class NotReady(Conflict):
    """The card of a visit cannot be fetched any more, so the visit is nothing to be moved by oneself."""

    def __init__(self) -> None:
        super().__init__(N_("このカードは、いまはお渡しできません。コールセンターへお電話ください。"))


BOOKED_ALREADY = N_(
    "この交付通知書では、すでに予約があります。日時を変えるときは、新しく予約せずに、予約番号をご用意のうえ、お電話でご連絡ください。"
    "予約番号がわからないときも、お電話でお調べします。"
)
HELD_ELSEWHERE = N_(
    "この交付通知書での予約が、ほかの画面で途中になっています。その画面で続けるか、10分ほどたってから、もう一度お試しください。"
)


def as_notice(typed: str) -> str:
    """A 交付通知書番号 in its one spelling, however it was typed."""
    return alnum(tidy(typed))


def is_notice(number: str) -> bool:
    return re.fullmatch("[0-9A-Z]{3}[0-9]{6}", number) is not None


def key_mark(keys: Keys, number: str, born: date) -> str:
    """What a ticket is found by."""
    return keys.mark("key_hash", _both(number, born))


def notice_mark(keys: Keys, number: str) -> str:
    """What a reservation is found by."""
    return keys.mark("notice_hash", number)


def _both(number: str, born: date) -> str:
    return f"{number} {born.isoformat()}"


def find(session: Session, number: str, born: date, now: datetime) -> Ticket | None:
    """The ticket of a number and a birth date. Whatever is wrong (no such number, another birth date, a card that is not ready, not
    there or has been fetched), the same question is asked and finds nothing: only keyed hashes are compared."""
    rows = session.execute(_OF_MARKS, {"marks": keys_of(session).marks("key_hash", _both(number, born))}).all()
    valid = [ticket for row in rows if (ticket := _ticket(*row)).is_valid(now)]
    return valid[0] if len(valid) == 1 else None


def ticket(session: Session, ref: str, now: datetime) -> Ticket | None:
    """The ticket of a reference, as long as its card can be fetched."""
    row = session.execute(_OF_REF, {"of": ref}).first()
    found = _ticket(*row) if row else None
    return found if found and found.is_valid(now) else None


def reach(session: Session, claims: Sequence[Claim], now: datetime) -> Reach:
    """Where all these cards can be fetched; raises NotShown when one cannot any more, or when one is named twice."""
    found = {claim.ref: ticket(session, claim.ref, now) for claim in claims}
    tickets = [each for each in found.values() if each]
    if not tickets or len(tickets) < len(claims):
        raise NotShown
    shared = set.intersection(*(set(each.counters) for each in tickets))
    return Reach(
        {counter: max(each.counters[counter] for each in tickets) for counter in shared},
        min(each.valid_until for each in tickets),
    )


def claims_of(rows: Sequence[Reservation]) -> tuple[Claim, ...]:
    """The cards for which these visits are, in their order."""
    return tuple(Claim(row.pickup_ref, row.notice_hash or "") for row in rows if row.pickup_ref)


def reach_of(session: Session, rows: Sequence[Reservation], now: datetime) -> Reach | None:
    """Where these visits may be moved by those who made them; None when they are for no card."""
    try:
        claims = claims_of(rows)
        return reach(session, claims, now) if claims else None
    except NotShown:
        raise NotReady from None


def days(
    session: Session,
    categories: Sequence[BookingCategory],
    claims: Sequence[Claim],
    people: int,
    counter_id: int,
    now: datetime,
    *,
    assisted: bool,
) -> Days | None:
    """The days on which people may come to a counter for these procedures; None when no card is asked for. Whoever books for
    somebody at the office may do so without a number.

    Raises NotShown unless everybody has a ticket of their own.
    """
    if not any(category.asks_notice for category in categories) or (assisted and not claims):
        return None
    if len(claims) != people:
        raise NotShown
    return reach(session, claims, now).days(counter_id)


def must_be_ready(session: Session, rows: Sequence[Reservation], now: datetime, *, assisted: bool) -> None:
    """Says no to a booking whose card cannot be fetched there and then, whatever was true when the time was chosen."""
    for row in rows:
        if not row.category.asks_notice or (assisted and row.pickup_ref is None):
            continue
        found = ticket(session, row.pickup_ref, now) if row.pickup_ref else None
        first = found.counters.get(row.counter_id) if found else None
        if found is None or first is None or not first <= row.booking_date <= found.valid_until:
            raise NotShown


def visit_of(session: Session, ref: str) -> Reservation | None:
    """The visit for which a ticket is used already, booked or held."""
    return session.scalar(_LIVE, {"of": ref})


def refuse_used(session: Session, claims: Sequence[Claim], but: Collection[int] = ()) -> None:
    """Raises when one of these cards has a visit already, `but` for these reservations."""
    for claim in claims:
        visit = visit_of(session, claim.ref)
        if visit is not None and visit.id not in but:
            raise Used(visit)


def _ticket(ref: str, counters: dict[str, str], valid_until: date) -> Ticket:
    return Ticket(ref, {int(key): date.fromisoformat(day) for key, day in counters.items()}, valid_until)
