"""予約枠: which times are offered to whom, and the one way in which a place is taken or given back."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.orm import Session

from app import text
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
    """A time offered for a procedure at a counter."""

    category: BookingCategory
    counter: Counter
    slot: Slot


_OPENING = (Slot.id, Slot.counter_id, Slot.slot_date, Slot.start_time, Slot.end_time, Slot.capacity - Slot.used)
_DESKS = select(desk_pool_category.c.desk_pool_id).where(desk_pool_category.c.booking_category_id == bindparam("for_category"))

_OPEN_COUNTERS = select(Counter.id).where(Counter.is_open)

# What a row must be to be offered at all: in the window, of the channel, with a desk for the procedure, at an open counter, not yet
# begun. Every statement below is built once from it; the values are those of `terms`.
OFFERED = (Slot.slot_date.between(bindparam("from_day"), bindparam("to_day")), Slot.channel == bindparam("for_channel"),
           Slot.desk_pool_id.in_(_DESKS), Slot.counter_id.in_(_OPEN_COUNTERS),
           or_(Slot.slot_date > bindparam("today"), Slot.start_time > bindparam("time_now")))
_AT = Slot.counter_id == bindparam("at_counter")
_FREE = select(*_OPENING).where(_AT, Slot.used < Slot.capacity, *OFFERED)
_SOONEST = (Slot.slot_date, Slot.start_time, Slot.id)
_LATER = or_(Slot.slot_date > bindparam("wish_day"), and_(Slot.slot_date == bindparam("wish_day"), Slot.start_time >= bindparam("wish_time")))

_MONTH = (select(Slot.slot_date, func.sum(Slot.capacity - Slot.used), func.sum(Slot.wanted)).group_by(Slot.slot_date)
          .where(_AT, Slot.slot_date.between(bindparam("first"), bindparam("last")), *OFFERED))
_DAY = select(*_OPENING).where(_AT, Slot.slot_date == bindparam("on_day"), Slot.wanted > 0, *OFFERED)
_FIRST = _FREE.order_by(*_SOONEST).limit(1)
_AFTER = _FREE.where(_LATER).order_by(*_SOONEST).limit(bindparam("at_most"))
_BEFORE = _FREE.where(~_LATER).order_by(Slot.slot_date.desc(), Slot.start_time.desc(), Slot.id).limit(bindparam("at_most"))
_OFFER = (select(BookingCategory, Counter, Slot).select_from(Slot).join(Counter, Counter.id == Slot.counter_id)
          .join(BookingCategory, BookingCategory.id == bindparam("for_category"))
          .where(Slot.id == bindparam("slot"), *OFFERED))


def window(category: BookingCategory, now: datetime) -> tuple[date, date] | None:
    """First and last day that can be booked today; None when the procedure is not offered."""
    today = now.astimezone(TOKYO).date()
    if not category.is_bookable(today):
        return None
    return today + timedelta(days=category.latest_days), today + timedelta(days=category.earliest_days)


def terms(category: BookingCategory, channel: Channel, now: datetime) -> dict[str, Any]:
    """The values of `OFFERED` for one procedure, one channel and this moment."""
    local = now.astimezone(TOKYO)
    first, last = window(category, now) or (date.max, date.min)  # a window that no day is in
    return {"from_day": first, "to_day": last, "for_channel": channel, "for_category": category.id,
            "today": local.date(), "time_now": local.time()}


def counters_for(session: Session, category: BookingCategory) -> Sequence[Counter]:
    """Open counters with a desk for the procedure, in the office's order."""
    serving = select(DeskPool.counter_id).join(desk_pool_category).where(desk_pool_category.c.booking_category_id == category.id)
    return session.scalars(select(Counter).where(Counter.is_open, Counter.id.in_(serving)).order_by(Counter.sort_order, Counter.id)).all()


def month(session: Session, category: BookingCategory, counter: Counter, channel: Channel, year: int, month: int,
          now: datetime) -> list[Day]:
    """Every day of a month with its state, from one grouped query over the index of 予約枠."""
    days = [date(year, month, n + 1) for n in range(calendar.monthrange(year, month)[1])]
    found = session.execute(_MONTH, {**terms(category, channel, now), "at_counter": counter.id, "first": days[0], "last": days[-1]})
    places = {row[0]: (int(row[1]), int(row[2])) for row in found}
    return [_day(day, *places.get(day, (0, 0))) for day in days]


def _day(day: date, free: int, wanted: int) -> Day:
    if free <= 0:
        return Day(day, DayState.FULL if wanted else DayState.NONE, 0)
    return Day(day, DayState.FEW if free * FEW <= wanted else DayState.FREE, free)


def day(session: Session, category: BookingCategory, counter: Counter, channel: Channel, on: date, now: datetime) -> list[Opening]:
    """The times of a day, full ones with no free place; where several desks serve, each time names the freest."""
    return _by_time(_openings(session, _DAY, {**terms(category, channel, now), "at_counter": counter.id, "on_day": on}))


def _by_time(rows: list[Opening]) -> list[Opening]:
    best: dict[tuple[date, time], Opening] = {}
    for row in sorted(rows, key=lambda o: o.free):
        best[row.date, row.start] = row
    return [best[at] for at in sorted(best)]


def _openings(session: Session, statement: Any, values: dict[str, Any]) -> list[Opening]:
    return [Opening(*row) for row in session.execute(statement, values)]


def earliest(session: Session, category: BookingCategory, channel: Channel, now: datetime) -> list[tuple[Counter, Opening]]:
    """The next free time of each open counter, soonest first: for each, the first entry of one range of the index."""
    values = terms(category, channel, now)
    found = [(counter, opening) for counter in counters_for(session, category)
             for opening in _openings(session, _FIRST, {**values, "at_counter": counter.id})]
    return sorted(found, key=lambda pair: (pair[1].date, pair[1].start))


def near(session: Session, category: BookingCategory, counter: Counter, channel: Channel, to: datetime, now: datetime,
         limit: int = 6) -> list[Opening]:
    """Free times of a counter nearest to a wished one, in order of time: what is offered when that one has gone."""
    values = {**terms(category, channel, now), "at_counter": counter.id, "wish_day": to.date(), "wish_time": to.time(), "at_most": 2 * limit}
    times = _by_time([*_openings(session, _BEFORE, values), *_openings(session, _AFTER, values)])
    nearest = sorted(times, key=lambda o: abs(datetime.combine(o.date, o.start) - to.replace(tzinfo=None)))[:limit]
    return [o for o in times if o in nearest]


def the_category(session: Session, code: str) -> BookingCategory | None:
    return session.scalar(_CATEGORY, {"code": text.tidy(code)})


_CATEGORY = select(BookingCategory).where(BookingCategory.code == bindparam("code"))


def offer(session: Session, slot_id: int, category: str, channel: Channel, now: datetime) -> Offer:
    """The time a person chose, if it is offered to them; whatever came in the address or the form is not believed."""
    wanted = the_category(session, category)
    row = wanted and session.execute(_OFFER, {**terms(wanted, channel, now), "slot": slot_id}).first()
    if not row:
        raise NotOffered
    return Offer(*row)


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


__all__ = ["OFFERED", "Day", "DayState", "NotOffered", "Offer", "Opening", "counters_for", "day", "earliest", "give_back", "month", "months_open",
           "near", "offer", "open_slots", "take", "terms", "the_category", "window"]
