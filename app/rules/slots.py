"""予約枠: which times are offered to whom, and the one way in which a place is taken or given back."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, or_, select, true, union_all, update
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.errors import NotFound, SlotFull
from app.rules.opening import open_slots
from models import BookingCategory, Channel, Counter, DeskPool, Slot
from models.masters import desk_pool_category

FEW = 5  # a day with at most one place in five left is shown as 残りわずか


class NotOffered(NotFound):
    """A time that this person may not book: past, too far ahead, of another procedure, channel or a closed counter, or invented."""

    def __init__(self) -> None:
        super().__init__("この日時は予約を受け付けていません。日時を選び直してください。")


class DayState(StrEnum):
    FREE, FEW, FULL, NONE = "free", "few", "full", "none"


@dataclass(frozen=True)
class Day:
    """One day of a month as the calendar shows it."""

    date: date
    state: DayState
    free: int

    @property
    def is_open(self) -> bool:
        return self.state in (DayState.FREE, DayState.FEW)


@dataclass(frozen=True)
class Opening:
    """A time with its free places; `slot_id` is the row a booking would take them from."""

    slot_id: int
    counter_id: int
    date: date
    start: time
    end: time
    free: int


@dataclass(frozen=True)
class Offer:
    """A time offered for a procedure at a counter: what a booking of it needs to know."""

    category: BookingCategory
    counter: Counter
    slot: Slot


_OPENING = (Slot.id, Slot.counter_id, Slot.slot_date, Slot.start_time, Slot.end_time, Slot.capacity - Slot.used)


def window(category: BookingCategory, now: datetime) -> tuple[date, date] | None:
    """First and last day that can be booked today; None when the procedure is not offered."""
    today = now.astimezone(TOKYO).date()
    if not category.is_bookable(today):
        return None
    return today + timedelta(days=category.latest_days), today + timedelta(days=category.earliest_days)


def counters_for(session: Session, category: BookingCategory) -> Sequence[Counter]:
    """Open counters with a desk for the procedure, in the office's order."""
    serving = select(DeskPool.counter_id).join(desk_pool_category).where(desk_pool_category.c.booking_category_id == category.id)
    return session.scalars(select(Counter).where(Counter.is_open, Counter.id.in_(serving)).order_by(Counter.sort_order, Counter.id)).all()


def _offered(category: BookingCategory, channel: Channel, now: datetime) -> list[ColumnElement[bool]]:
    """What a row must be to be offered at all: the window, the channel, a desk for the procedure, not yet begun."""
    days = window(category, now)
    if days is None:
        return [~true()]
    local = now.astimezone(TOKYO)
    desks = select(desk_pool_category.c.desk_pool_id).where(desk_pool_category.c.booking_category_id == category.id)
    return [Slot.slot_date.between(*days), Slot.channel == channel, Slot.desk_pool_id.in_(desks),
            or_(Slot.slot_date > local.date(), Slot.start_time > local.time())]


def month(session: Session, category: BookingCategory, counter: Counter, channel: Channel, year: int, month: int,
          now: datetime) -> list[Day]:
    """Every day of a month with its state, from one grouped query over the index of 予約枠."""
    days = [date(year, month, n + 1) for n in range(calendar.monthrange(year, month)[1])]
    found = session.execute(
        select(Slot.slot_date, func.sum(Slot.capacity - Slot.used), func.sum(Slot.wanted)).group_by(Slot.slot_date)
        .where(Slot.counter_id == counter.id, Slot.slot_date.between(days[0], days[-1]), *_offered(category, channel, now)))
    places = {row[0]: (int(row[1]), int(row[2])) for row in found} if counter.is_open else {}
    return [_day(day, *places.get(day, (0, 0))) for day in days]


def _day(day: date, free: int, wanted: int) -> Day:
    if free <= 0:
        return Day(day, DayState.FULL if wanted else DayState.NONE, 0)
    return Day(day, DayState.FEW if free * FEW <= wanted else DayState.FREE, free)


def day(session: Session, category: BookingCategory, counter: Counter, channel: Channel, on: date, now: datetime) -> list[Opening]:
    """The times of a day, full ones with no free place; where several desks serve, each time names the freest."""
    if not counter.is_open:
        return []
    rows = _openings(session, select(*_OPENING).where(Slot.counter_id == counter.id, Slot.slot_date == on, Slot.wanted > 0,
                                                      *_offered(category, channel, now)))
    return _by_time(rows)


def _by_time(rows: list[Opening]) -> list[Opening]:
    best: dict[tuple[date, time], Opening] = {}
    for row in sorted(rows, key=lambda o: o.free):
        best[row.date, row.start] = row
    return [best[at] for at in sorted(best)]


def _openings(session: Session, statement: Select[Any]) -> list[Opening]:
    return [Opening(*row) for row in session.execute(statement)]


def earliest(session: Session, category: BookingCategory, channel: Channel, now: datetime) -> list[tuple[Counter, Opening]]:
    """The next free time of each open counter, soonest first: one index range per counter, in one statement."""
    counters = {counter.id: counter for counter in counters_for(session, category)}
    if not counters:
        return []
    firsts = [_free(category, number, channel, now).order_by(Slot.slot_date, Slot.start_time, Slot.id).limit(1).subquery()
              for number in counters]
    rows = _openings(session, union_all(*(select(first) for first in firsts)))  # type: ignore[arg-type]
    return [(counters[row.counter_id], row) for row in sorted(rows, key=lambda o: (o.date, o.start, o.counter_id))]


def near(session: Session, category: BookingCategory, counter: Counter, channel: Channel, to: datetime, now: datetime,
         limit: int = 6) -> list[Opening]:
    """Free times of a counter nearest to a wished one, in order of time: what is offered when that one has gone."""
    if not counter.is_open:
        return []
    free, at = _free(category, counter.id, channel, now), (to.date(), to.time())
    later = or_(Slot.slot_date > at[0], (Slot.slot_date == at[0]) & (Slot.start_time >= at[1]))
    after = _openings(session, free.where(later).order_by(Slot.slot_date, Slot.start_time, Slot.id).limit(2 * limit))
    before = _openings(session, free.where(~later).order_by(Slot.slot_date.desc(), Slot.start_time.desc(), Slot.id).limit(2 * limit))
    times = _by_time([*before, *after])
    nearest = sorted(times, key=lambda o: abs(datetime.combine(o.date, o.start) - to.replace(tzinfo=None)))[:limit]
    return [o for o in times if o in nearest]


def _free(category: BookingCategory, counter_id: int, channel: Channel, now: datetime) -> Select[Any]:
    return select(*_OPENING).where(Slot.counter_id == counter_id, Slot.used < Slot.capacity, *_offered(category, channel, now))


_OFFER = (
    select(BookingCategory, Counter, Slot).select_from(Slot).join(Counter, Counter.id == Slot.counter_id)
    .join(desk_pool_category, desk_pool_category.c.desk_pool_id == Slot.desk_pool_id)
    .join(BookingCategory, BookingCategory.id == desk_pool_category.c.booking_category_id)
    .where(Slot.id == bindparam("slot"), Slot.channel == bindparam("channel"), BookingCategory.code == bindparam("category"), Counter.is_open))


def offer(session: Session, slot_id: int, category: str, channel: Channel, now: datetime) -> Offer:
    """The time a person chose, if it is offered to them; whatever came in the address or the form is not believed."""
    row = session.execute(_OFFER, {"slot": slot_id, "channel": channel, "category": category}).first()
    if row is None:
        raise NotOffered
    found = Offer(*row)
    days, local, at = window(found.category, now), now.astimezone(TOKYO), found.slot
    if days is None or not days[0] <= at.slot_date <= days[1] or (at.slot_date, at.start_time) <= (local.date(), local.time()):
        raise NotOffered
    return found


def take(session: Session, slot_id: int, units: int) -> None:
    """Takes places by one conditional UPDATE. The database decides, so two people never get the same last place."""
    if units < 1:
        raise ValueError("units must be positive")
    taken = session.execute(
        update(Slot).where(Slot.id == slot_id, Slot.used + units <= Slot.capacity).values(used=Slot.used + units),
        execution_options={"by_rule": "slots.take", "synchronize_session": False})
    if not taken.rowcount:  # type: ignore[attr-defined]
        raise SlotFull


def give_back(session: Session, slot_id: int, units: int) -> None:
    """Gives places back; a row that held more than is wanted shrinks as they come free."""
    if units < 1:
        raise ValueError("units must be positive")
    left = Slot.used - units
    given = session.execute(
        update(Slot).where(Slot.id == slot_id, left >= 0)
        .values(used=left, capacity=case((Slot.wanted > left, Slot.wanted), else_=left)),
        execution_options={"by_rule": "slots.give_back", "synchronize_session": False})
    if not given.rowcount:  # type: ignore[attr-defined]
        raise RuntimeError("more places given back than were taken")


def months_open(category: BookingCategory, now: datetime) -> list[tuple[int, int]]:
    """The months that the booking window touches."""
    days = window(category, now)
    if days is None:
        return []
    span = (days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1))
    return list(dict.fromkeys((d.year, d.month) for d in span))


__all__ = ["Day", "DayState", "NotOffered", "Offer", "Opening", "counters_for", "day", "earliest", "give_back", "month", "months_open",
           "near", "offer", "open_slots", "take", "window"]
