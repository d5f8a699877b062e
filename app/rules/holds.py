"""仮押え: who has chosen a time has it for ten minutes while they fill in the form, for themselves or for their household.

A hold is a reservation in that state: it takes its places like any other, once, and gives them back once. It ends as a booking
(`confirm`), by itself (`expire`), or because its owner chooses another time or lets go.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter as Tally
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from app import faults
from app.context import context
from app.errors import AppError, Busy, SlotFull
from app.plans import PREPARED
from app.rules import outbox, pickups, seating, slots
from app.rules.bookings import (
    UNMADE,
    AlreadyUsed,
    Applicant,
    BookingRequest,
    made_by,
    new_code,
    row_of,
    same,
    token_digest,
    told,
)
from app.rules.fairness import refuse_unfair
from app.rules.pickups import Claim, Days
from app.rules.slots import Opening
from app.rules.taking import give_back, insert, take, take_and_insert
from app.schema import specs
from app.sentences import N_
from models import BookingCategory, Channel, Counter, MailKind, Reservation, Slot
from models.base import table_of

HELD_FOR = timedelta(minutes=10)
MOST = 2  # forms of one browser that hold a place at the same time
KEPT = timedelta(days=1)  # an expired hold nobody booked; nothing personal is in it
_TRIES = 5
_TABLE, _SLOT = table_of(Reservation), table_of(Slot)
HELD, EXPIRED = UNMADE
_TOGETHER = select(Reservation).where(Reservation.group_id == bindparam("group")).order_by(Reservation.id)
_HOLDING = select(func.count(func.distinct(Reservation.form_token))).where(
    Reservation.state == HELD,
    Reservation.held_until > bindparam("now"),
    Reservation.holder == bindparam("who"),
    Reservation.form_token != bindparam("but"),
)


class _Overtaken(Exception):
    """The same form sent twice at once, or another with the same card, holds other places than was seen; or the code that was drawn
    is there already. What is there now has to be looked at again."""


class TooManyHolds(AppError):
    """One browser keeps others from places that it will not use."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            N_(
                "同時におさえられる時間は%(most)sつまでです。ほかの画面で選んだ予約を終えるか、"
                "%(minutes)s分たってから、もう一度お試しください。"
            ),
            most=MOST,
            minutes=HELD_FOR.seconds // 60,
        )


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A time that somebody has chosen: for which procedures (手続きID), where (窓口コード), for how many people. `holder` is a
    digest of the browser, empty for people who work for the office."""

    categories: tuple[str, ...]
    counter: str
    slot_id: int
    form_token: str
    people: int = 1
    channel: Channel = Channel.WEB
    holder: str = ""
    claims: tuple[Claim, ...] = ()
    """Of everybody who comes for a card, in the order of the people."""
    assisted: bool = False
    within: Days | None = None
    """The days on which those cards can be fetched at the counter: found out here, whatever it says."""

    @property
    def is_plain(self) -> bool:
        return self.people == 1 and len(set(self.categories)) == 1


def hold(session: Session, wish: Wish, now: datetime, *, rng: random.Random) -> list[Reservation]:
    """Holds places for everybody, or for nobody; the same form holds one time only, so an earlier one of it is let go of.

    Gives a reservation for each person and procedure. Raises SlotFull, NotOffered, TooManyHolds, or AlreadyUsed when the form has
    made its booking; `pickups.NotShown` or `pickups.Used` of a card to be fetched. Whatever is raised, what the form held before it still holds.
    """
    for _ in range(_TRIES):
        with suppress(_Overtaken):
            return _hold_or_keep(session, wish, now, rng)
    raise Busy


def _hold_or_keep(session: Session, wish: Wish, now: datetime, rng: random.Random) -> list[Reservation]:
    digest = token_digest(wish.form_token)
    first = made_by(session, digest)
    if first is not None and first.state not in UNMADE:
        raise AlreadyUsed
    earlier = [row for row in seats_of(session, first) if row.state in UNMADE] if first is not None else []
    if first is not None and first.state is HELD and _is_for(earlier, wish):
        return earlier
    _refuse_used(session, wish, earlier, now)
    if wish.holder and (session.scalar(_HOLDING, {"now": now, "who": wish.holder, "but": digest}) or 0) >= MOST:
        raise TooManyHolds
    for attempt in range(2):
        try:
            return _held(session, wish, earlier, now, rng)
        except SlotFull:
            if attempt or not expire(session, now, _beside(wish)):
                raise
    raise SlotFull


def _beside(wish: Wish) -> ColumnElement[bool]:
    """The holds whose end would make room for a wish: of its time, for a party of its day. No others are ended by who books, so
    that nobody locks 予約枠 out of their order."""
    if wish.is_plain:
        return _TABLE.c.slot_id == wish.slot_id
    chosen, other = _SLOT.alias("chosen"), _SLOT.alias("other")
    same_day = (other.c.counter_id == chosen.c.counter_id) & (other.c.slot_date == chosen.c.slot_date)
    return _TABLE.c.slot_id.in_(select(other.c.id).join(chosen, same_day).where(chosen.c.id == wish.slot_id))


def _held(session: Session, wish: Wish, earlier: Sequence[Reservation], now: datetime, rng: random.Random) -> list[Reservation]:
    if wish.is_plain and not earlier:  # the usual case writes all or nothing by itself
        return [_hold_one(session, wish, *_wanted_one(session, wish), now, rng)]
    with session.begin_nested():
        _give_back(session, _removed(session, earlier), wish.slot_id)
        if wish.is_plain:
            return [_hold_one(session, wish, *_wanted_one(session, wish), now, rng)]
        categories, counter = _wanted(session, wish, now)
        reaching = _reaching(session, wish, categories, counter, now)
        return _hold_all(session, reaching, categories, _seats(session, reaching, categories, counter, now), now, rng)


def _reaching(session: Session, wish: Wish, categories: Sequence[BookingCategory], counter: Counter, now: datetime) -> Wish:
    """The wish with the days on which the cards can be fetched."""
    days = pickups.days(session, categories, wish.claims, wish.people, counter.id, now, assisted=wish.assisted)
    return replace(wish, within=days)


def _refuse_used(session: Session, wish: Wish, earlier: Sequence[Reservation], now: datetime) -> None:
    """One visit for one card: not while another form has one, be it a hold whose time is not over."""
    mine = [row.id for row in earlier]
    try:
        pickups.refuse_used(session, wish.claims, mine)
    except pickups.Used:
        if not expire(session, now, _TABLE.c.pickup_ref.in_([claim.ref for claim in wish.claims])):
            raise
        pickups.refuse_used(session, wish.claims, mine)


def _wanted_one(session: Session, wish: Wish) -> tuple[BookingCategory, Counter]:
    """Procedure and counter in one question; whether they are offered, the statement that takes the place says."""
    found = slots.place(session, wish.categories[0], wish.counter)
    if found is None:
        raise slots.NotOffered
    _must_reach(session, found[1])
    return found


def _must_reach(session: Session, counter: Counter) -> None:
    """Free places of every counter may be seen; who works for some counters books at those."""
    counters = context(session).actor.counters
    if counters is not None and counter.id not in counters:
        raise slots.NotOffered


def _wanted(session: Session, wish: Wish, now: datetime) -> tuple[list[BookingCategory], Counter]:
    """The procedures and the counter, if they are offered, and if so many may come at once."""
    categories = [slots.procedure(session, code, now) for code in dict.fromkeys(wish.categories)]
    fits = 1 <= wish.people <= min(category.max_party for category in categories)
    if not fits or sum(category.asks_notice for category in categories) > 1:  # a card is fetched once
        raise slots.NotOffered
    counter = slots.open_counter(session, wish.counter)
    _must_reach(session, counter)
    return categories, counter


def _seats(session: Session, wish: Wish, categories: Sequence[BookingCategory], counter: Counter, now: datetime) -> seating.Seats:
    """Where each person would sit for each procedure, beginning with the time that was chosen."""
    chosen = slots.offer(session, wish.slot_id, categories[0].code, wish.channel, now, wish.within).slot
    if chosen.counter_id != counter.id:
        raise slots.NotOffered
    days = [slots.places(session, each, counter, wish.channel, chosen.slot_date, now, wish.within) for each in categories]
    seats = seating.arrange(days, wish.people, chosen.start_time, chosen.id)
    if seats is None:
        raise SlotFull
    return seats


def _hold_one(
    session: Session, wish: Wish, category: BookingCategory, counter: Counter, now: datetime, rng: random.Random
) -> Reservation:
    """The usual case, in one statement."""
    wish = _reaching(session, wish, [category], counter, now)
    row = _row(session, wish, category, 0, now, rng)
    row.slot_id, row.counter_id, row.form_token = wish.slot_id, counter.id, token_digest(wish.form_token)
    taken = take_and_insert(session, row, slots.terms(category, wish.channel, now, wish.within))
    if taken is None:
        # or it was not offered at all
        found = slots.offer(session, wish.slot_id, category.code, wish.channel, now, wish.within)
        raise SlotFull if found.slot.counter_id == counter.id else slots.NotOffered
    if taken.id is None:
        raise _Overtaken
    faults.reach("hold.taken")
    return session.get_one(Reservation, taken.id)


def _hold_all(
    session: Session,
    wish: Wish,
    categories: Sequence[BookingCategory],
    seats: seating.Seats,
    now: datetime,
    rng: random.Random,
) -> list[Reservation]:
    """Everybody's places in the order of their numbers, then the rows: all of them, or an exception and none."""
    units = Tally(seat.slot_id for row in seats for seat in row)
    terms = {
        seat.slot_id: slots.terms(category, wish.channel, now, wish.within)
        for category, row in zip(categories, seats, strict=True)
        for seat in row
    }
    where = {seat.slot_id: seat for row in seats for seat in row}
    for number in sorted(units):
        if not take(session, where[number], units[number], terms[number]):
            raise SlotFull
    faults.reach("hold.taken")
    group, token = str(uuid.UUID(int=rng.getrandbits(128), version=4)), token_digest(wish.form_token)
    numbers: list[int] = []
    for category, row in zip(categories, seats, strict=True):
        for person, seat in enumerate(row):
            numbers.append(_write(session, wish, category, person, seat, None if numbers else token, group, now, rng))
    return [session.get_one(Reservation, number) for number in numbers]


def _write(
    session: Session,
    wish: Wish,
    category: BookingCategory,
    person: int,
    seat: Opening,
    token: str | None,
    group: str,
    now: datetime,
    rng: random.Random,
) -> int:
    row = _row(session, wish, category, person, now, rng)
    row.slot_id, row.counter_id, row.form_token, row.group_id = seat.slot_id, seat.counter_id, token, group
    row.booking_date, row.start_time, row.end_time = seat.date, seat.start, seat.end
    number = insert(session, row)
    if number is None:
        raise _Overtaken
    return number


def _row(session: Session, wish: Wish, category: BookingCategory, person: int, now: datetime, rng: random.Random) -> Reservation:
    """A reservation of nobody yet, though perhaps for a card that somebody has named."""
    nobody = Applicant(name="", name_kana="", address="", phone="")
    request = BookingRequest(
        category=category.code, counter=wish.counter, slot_id=wish.slot_id, applicant=nobody, form_token="", channel=wish.channel
    )
    row = row_of(session, request, nobody, category, new_code(rng))
    row.state, row.held_until, row.holder = HELD, now + HELD_FOR, wish.holder or None
    row.request_detail, row.search_key = {}, ""
    if category.asks_notice and wish.claims:
        row.pickup_ref, row.notice_hash = wish.claims[person].ref, wish.claims[person].mark
    return row


def _is_for(earlier: Sequence[Reservation], wish: Wish) -> bool:
    """Whether these places are what is wished for."""
    first, codes = earlier[0], list(dict.fromkeys(wish.categories))
    kinds = list(dict.fromkeys(row.category.code for row in earlier))
    refs, asked = [row.pickup_ref for row in earlier if row.pickup_ref], [claim.ref for claim in wish.claims]
    are_same = not any(row.category.asks_notice for row in earlier) or refs == asked
    return first.slot_id == wish.slot_id and kinds == codes and len(earlier) == wish.people * len(codes) and are_same


def seats_of(session: Session, first: Reservation) -> list[Reservation]:
    """Every reservation that one form holds or has made: procedure by procedure, person by person."""
    if not first.group_id:
        return [first]
    return list(session.scalars(_TOGETHER, {"group": first.group_id}))


def held_by(session: Session, form_token: str) -> list[Reservation]:
    """What a form holds now; also what it held until a moment ago (期限切れ), so that its page can say so."""
    first = made_by(session, token_digest(form_token))
    return seats_of(session, first) if first is not None and first.state in UNMADE else []


def extend(session: Session, form_token: str, now: datetime) -> bool:
    """Ten more minutes, once. False when they were given before, or when the hold has ended."""
    rows = held_by(session, form_token)
    if not rows or rows[0].state is not HELD or rows[0].is_extended:
        return False
    done = session.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_([row.id for row in rows]), _TABLE.c.state == HELD, _TABLE.c.is_extended.is_(False))
        .values(held_until=now + HELD_FOR, is_extended=True)
    )
    session.expire_all()
    return bool(done.rowcount)  # type: ignore[attr-defined]


def let_go(session: Session, form_token: str) -> bool:
    """Gives back at once what a form holds: somebody has thought better of it."""
    for _ in range(_TRIES):
        with suppress(_Overtaken), session.begin_nested():
            rows = held_by(session, form_token)
            _give_back(session, _removed(session, rows))
            return bool(rows)
    raise Busy


def _removed(session: Session, rows: Sequence[Reservation]) -> list[tuple[int, int]]:
    """Takes holds away without a trace: nobody had them. Gives the places (slot, units) of those that held any.

    Their rows are what two copies of one form wait for each other at, before either has a lock on any 予約枠; the second finds
    that they have gone, and has to look again.
    """
    if not rows:
        return []
    gone = session.execute(
        delete(_TABLE)
        .where(_TABLE.c.id.in_([row.id for row in rows]), _TABLE.c.state.in_(UNMADE))
        .returning(_TABLE.c.slot_id, _TABLE.c.units, _TABLE.c.state)
    ).all()
    if len(gone) < len(rows):
        raise _Overtaken
    for row in rows:
        if row in session:
            session.expunge(row)
    return [(slot, units) for slot, units, state in gone if state == HELD]


def expire(session: Session, now: datetime, *where: ColumnElement[bool]) -> int:
    """Ends holds whose time is over (all of them, or some), and gives their places back. Says how many ended."""
    return _end(session, now, _TABLE.c.held_until < now, *where)


def end(session: Session, numbers: Sequence[int], now: datetime) -> int:
    """Ends these holds before their time: the office needs the places. Who held them is offered others when they go on."""
    return _end(session, now, _TABLE.c.id.in_(numbers))


def _end(session: Session, now: datetime, *which: ColumnElement[bool]) -> int:
    ended = session.execute(
        update(_TABLE)
        .where(_TABLE.c.state == HELD, *which)
        .values(state=EXPIRED, state_at=now, row_stamp=_TABLE.c.row_stamp + 1)
        .returning(_TABLE.c.slot_id, _TABLE.c.units)
    ).all()
    faults.reach("hold.expired")
    _give_back(session, [(slot, units) for slot, units in ended])
    session.expire_all()
    return len(ended)


def forget(session: Session, now: datetime) -> None:
    """Deletes holds that nobody booked, a day later."""
    over = (_TABLE.c.state == EXPIRED) & (_TABLE.c.phone == "") & (_TABLE.c.state_at < now - KEPT)
    session.execute(delete(_TABLE).where(over))


def _give_back(session: Session, places: Sequence[tuple[int, int]], wanted: int | None = None) -> None:
    """Gives places back, in the order of their numbers. Locked first, with the one that is wanted instead, so that two people who
    want each other's place wait for one another but never both. (Rows of 来庁予約 are locked before 予約枠, everywhere.)"""
    units: Tally[int] = Tally()
    for slot, many in places:
        units[slot] += many
    if places and wanted is not None:
        session.execute(select(_SLOT.c.id).where(_SLOT.c.id.in_([*units, wanted])).order_by(_SLOT.c.id).with_for_update())
    for slot in sorted(units):
        give_back(session, slot, units[slot])


def confirm(session: Session, request: BookingRequest, now: datetime, *, rng: random.Random) -> int:
    """Makes the booking of what a form holds; gives its number, and the same one to the same form sent again.

    A hold that has ended, or none, costs nothing as long as the time can still be had: it is taken again in the same transaction.
    Raises SlotFull, NotOffered, AlreadyUsed, `fairness.Refused`, `pickups.NotShown` or `pickups.Used`; what was held before is then
    held still.
    """
    for _ in range(2):
        first = made_by(session, token_digest(request.form_token))
        if first is not None and first.state not in UNMADE:
            return same(first, request)
        if request.is_plain and first is not None and first.state is HELD and first.slot_id == request.slot_id:
            made = _confirmed(session, request, [first], now)
        else:
            with session.begin_nested():
                made = _confirmed(session, request, hold(session, _wish_of(session, request, first), now, rng=rng), now)
        if made:
            return made
        session.expire_all()  # it ended between the look and the booking
    raise Busy


def _confirmed(session: Session, request: BookingRequest, rows: Sequence[Reservation], now: datetime) -> int:
    """The number of the booking; 0 when a place was held no more."""
    pickups.must_be_ready(session, rows, now, assisted=request.assisted)
    procedures = list(dict.fromkeys(row.category_id for row in rows))
    refuse_unfair(session, request.people, procedures, rows[0].booking_date, request.channel, now)
    number = rows[0].id
    made = [_filled(session, request, row, at) for at, row in enumerate(rows)]
    done = [row for row in made if row is not None]
    if len(done) < len(made):
        return 0
    outbox.tell(session, MailKind.CONFIRMED, done, now)
    faults.reach("confirm.outbox")
    for row in rows:
        session.expire(row)  # it was written past the session
    return number


def _wish_of(session: Session, request: BookingRequest, first: Reservation | None) -> Wish:
    """What to hold anew. For which cards, the hold that has ended remembers."""
    earlier = seats_of(session, first) if first is not None else []
    return Wish(
        categories=request.categories,
        counter=request.counter,
        slot_id=request.slot_id,
        form_token=request.form_token,
        people=len(request.people),
        channel=request.channel,
        claims=pickups.claims_of(earlier),
        assisted=request.assisted,
    )


_GIVEN = (
    *Applicant.__dataclass_fields__,
    "state",
    "request_detail",
    "consent_version",
    "language",
    "intake",
    "intake_note",
    "booked_by",
    "requested_date",
    "requested_time",
    "search_key",
    "row_stamp",
)


_FILL = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("seat"), _TABLE.c.state == HELD)
    .values({name: bindparam(f"new_{name}", type_=_TABLE.c[name].type) for name in _GIVEN} | {"held_until": None, "holder": None})
    .execution_options(**PREPARED)
)


def _filled(session: Session, request: BookingRequest, seat: Reservation, at: int) -> Reservation | None:
    """Writes a person into the place that is held for them; None when it is held no more."""
    person = request.people[at % len(request.people)]
    if at:
        person = replace(person, email="")  # one mail tells the whole household, and goes to who booked
    row = row_of(session, request, person, seat.category, seat.booking_code)
    for name in ("id", "booking_date", "start_time", "end_time", "counter_id", "slot_id", "group_id"):
        setattr(row, name, getattr(seat, name))
    row.row_stamp = seat.row_stamp + 1
    row.search_key = specs()[Reservation].key_of(row)
    values = {f"new_{name}": getattr(row, name) for name in _GIVEN}
    done = session.connection().execute(_FILL, {"seat": seat.id, **values})
    if not done.rowcount:
        return None
    told(session, row, seat.category, seat.counter)
    faults.reach("confirm.filled")
    return row


__all__ = [
    "HELD_FOR",
    "MOST",
    "TooManyHolds",
    "Wish",
    "confirm",
    "end",
    "expire",
    "extend",
    "forget",
    "held_by",
    "hold",
    "let_go",
]
