"""空き待ち: who waits for a full day is offered places in the order in which they asked, for the whole party and for a set time.

An offer is a hold like any other (`app.rules.holds`), made in the transaction that freed the places or by the minutely work, so
nobody who only happens to look is quicker. It ends as a booking, or goes to the next.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.context import TOKYO
from app.errors import AppError, SlotFull
from app.rules import holds, outbox, parties, pickups, seating, slots
from app.rules.bookings import CODE_LENGTH, as_code, made_by, new_code, token_digest
from app.rules.pickups import Claim
from app.schema import specs
from app.sentences import N_
from app.text import digits
from models import BookingCategory, Channel, Counter, Language, Reservation, ReservationState, WaitingEntry, WaitingState
from models.base import table_of

OFFER_LASTS = timedelta(hours=2)
NIGHT_ENDS, NIGHT_BEGINS = time(8), time(21)  # an offer made at night lasts until two hours after the morning begins
PER_PHONE = 3  # wishes that one telephone number has at a time
AT_ONCE = 20
_TABLE = table_of(WaitingEntry)
_RNG = secrets.SystemRandom()
LIVE = (WaitingState.WAITING, WaitingState.OFFERED)


class Full(AppError):
    status = 409

    def __init__(self) -> None:
        super().__init__(
            N_("この電話番号の空き待ちは、同時に%(most)s件までです。取りやめてから、もう一度お試しください。"), most=PER_PHONE
        )


class NotFull(AppError):
    status = 409

    def __init__(self) -> None:
        super().__init__(N_("この日には、いま空きがあります。空き待ちではなく、予約にお進みください。"))


def join(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    day: date,
    *,
    people: int,
    name: str,
    phone: str,
    email: str,
    language: Language,
    now: datetime,
    rng: random.Random = _RNG,
    cards: Sequence[Claim] = (),
) -> WaitingEntry:
    """Puts somebody at the end of the line of a full day, with the cards that they come for. Raises when the day has places, their
    telephone waits too often, or a card cannot be fetched there and then."""
    if not category.takes_waiting or not 1 <= people <= category.max_party or not _is_in_window(category, day, now):
        raise slots.NotOffered
    within = pickups.days(session, [category], cards, people, counter.id, now, assisted=False)
    if within and not within[0] <= day <= within[1]:
        raise slots.NotOffered
    party = parties.Party(categories=(category,), people=people)
    times = parties.day(session, party, counter, Channel.WEB, day, now)
    if not times:
        raise slots.NotOffered
    if any(opening.free for opening in times):
        raise NotFull
    mine = select(WaitingEntry).where(WaitingEntry.phone == phone, WaitingEntry.state.in_(LIVE))
    waiting = session.scalars(mine.execution_options(unscoped=True)).all()
    same = next((e for e in waiting if (e.counter_id, e.category_id, e.wish_date) == (counter.id, category.id, day)), None)
    if same is not None:
        return same
    if len(waiting) >= PER_PHONE:
        raise Full
    entry = WaitingEntry(
        code=new_code(rng),
        counter=counter,
        category=category,
        wish_date=day,
        people=people,
        name=name,
        phone=phone,
        email=email,
        language=language,
        state=WaitingState.WAITING,
        cards=pickups.packed(cards),
    )
    session.add(entry)
    session.flush()
    return entry


def _is_in_window(category: BookingCategory, day: date, now: datetime) -> bool:
    window = slots.window(category, now)
    return window is not None and window[0] <= day <= window[1]


def find(session: Session, code: str, phone: str) -> WaitingEntry | None:
    """The entry of a number, to whoever also knows its telephone."""
    wanted = as_code(code)
    if len(wanted) != CODE_LENGTH:
        return None
    found = session.scalar(select(WaitingEntry).where(WaitingEntry.code == wanted))
    return found if found is not None and found.phone == digits(phone) else None


def ahead(session: Session, entry: WaitingEntry) -> int:
    """How many people's wishes stand before this one on the same day."""
    before = (WaitingEntry.counter_id == entry.counter_id) & (WaitingEntry.wish_date == entry.wish_date)
    wanted = select(WaitingEntry.id).where(before, WaitingEntry.id < entry.id, WaitingEntry.state == WaitingState.WAITING)
    return len(session.scalars(wanted.execution_options(unscoped=True)).all())


def withdraw(session: Session, entry: WaitingEntry, now: datetime) -> bool:
    """Leaves the line; what was offered is free at once and goes to the next."""
    if entry.state not in LIVE:
        return False
    token = entry.form_token
    entry.state, entry.offered_until, entry.form_token = WaitingState.WITHDRAWN, None, None
    session.flush()
    if token and holds.let_go(session, token):
        serve(session, entry.counter_id, entry.wish_date, now)
    return True


def serve(session: Session, counter_id: int, day: date, now: datetime) -> int:
    """Offers what is free on a day to those who wait for it, in order; a party that fits nowhere lets the next ones go first.
    Says how many offers were made."""
    wanted = (
        select(WaitingEntry)
        .where(WaitingEntry.counter_id == counter_id, WaitingEntry.wish_date == day, WaitingEntry.state == WaitingState.WAITING)
        .order_by(WaitingEntry.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(unscoped=True)
    )
    return sum(_offer(session, entry, now) for entry in session.scalars(wanted).all())


def _offer(session: Session, entry: WaitingEntry, now: datetime) -> bool:
    """Holds places for one party; False when there are none for so many."""
    if not _is_in_window(entry.category, entry.wish_date, now) or not entry.counter.is_open:
        return False
    places = slots.places(session, entry.category, entry.counter, Channel.WEB, entry.wish_date, now)
    times = seating.times([places], entry.people)
    token = secrets.token_urlsafe(32)
    for opening in times:
        wish = holds.Wish(
            categories=(entry.category.code,),
            counter=entry.counter.code,
            slot_id=opening.slot_id,
            form_token=token,
            people=entry.people,
            claims=pickups.unpacked(entry.cards),
        )
        try:
            rows = holds.hold(session, wish, now, rng=_RNG)
        except (SlotFull, slots.NotOffered):
            continue
        except (pickups.NotShown, pickups.Used):
            return False  # the card has been withdrawn, or has a visit elsewhere
        _hold_until(session, rows, until(now))
        entry.state, entry.offered_until, entry.form_token = WaitingState.OFFERED, until(now), token
        session.flush()
        outbox.offer(session, entry, now)
        return True
    return False


def until(now: datetime) -> datetime:
    """When an offer made now ends."""
    local = now.astimezone(TOKYO)
    if NIGHT_ENDS <= local.time() < NIGHT_BEGINS:
        return now + OFFER_LASTS
    morning = local.date() + timedelta(days=1 if local.time() >= NIGHT_BEGINS else 0)
    return datetime.combine(morning, NIGHT_ENDS, TOKYO) + OFFER_LASTS


def _hold_until(session: Session, rows: Sequence[Reservation], moment: datetime) -> None:
    table = table_of(Reservation)
    session.execute(update(table).where(table.c.id.in_([row.id for row in rows])).values(held_until=moment, is_extended=True))
    for row in rows:
        session.expire(row)


def look_after(session: Session, now: datetime) -> int:
    """The minutely work: offers that became bookings or ended, days that are over, and places that became free. Says how many
    offers were made."""
    _settle(session, now)
    today = now.astimezone(TOKYO).date()
    session.execute(
        update(_TABLE)
        .where(_TABLE.c.state == WaitingState.WAITING, _TABLE.c.wish_date < today)
        .values(state=WaitingState.LAPSED, row_stamp=_TABLE.c.row_stamp + 1)
    )
    days = select(WaitingEntry.counter_id, WaitingEntry.wish_date).where(WaitingEntry.state == WaitingState.WAITING).distinct()
    offered = sum(serve(session, counter, day, now) for counter, day in session.execute(days).all())
    if offered:
        audit.tell(session, specs()[WaitingEntry], "edit", 案内した空き待ち=f"{offered}件")
    return offered


def _settle(session: Session, now: datetime) -> None:
    """What became of each offer: its form has booked, or its time is over."""
    offered = select(WaitingEntry).where(WaitingEntry.state == WaitingState.OFFERED).execution_options(unscoped=True)
    for entry in session.scalars(offered).all():
        held = made_by(session, token_digest(entry.form_token or ""))
        if held is not None and held.state not in (ReservationState.HELD, ReservationState.EXPIRED):
            entry.state, entry.offered_until, entry.form_token = WaitingState.BOOKED, None, None
        elif entry.offered_until is None or entry.offered_until < now or held is None:
            entry.state, entry.offered_until, entry.form_token = WaitingState.LAPSED, None, None
    session.flush()


__all__ = ["LIVE", "ahead", "find", "join", "look_after", "serve", "until", "withdraw"]
