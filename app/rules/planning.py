"""What the masters want: from hours, breaks, closures, holidays and desks to the places of each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

import jpholiday
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from app.rules.places import Key
from models import Channel, Counter, CounterClosure, CounterHours, DeskPool, Weekday

Counters = frozenset[int] | None
"""Some counters by their numbers; None: every one."""
YEAR_END = (12, 29), (1, 3)
"""年末年始: first and last day of it, as (month, day)."""


class Plan(NamedTuple):
    """What the masters want of one row, before any place is given from one channel to another."""

    counter_id: int
    end_time: time
    places: int


class Plans:
    """The masters of some counters as they are now, to be asked for single rows or for whole days."""

    def __init__(self, session: Session, at: Counters) -> None:
        self.pools = {pool.id: pool for pool in _pools(session, at)}
        self._closures = list(session.scalars(select(CounterClosure)))
        self._times = {
            pool.id: {hours.weekday: dict(times_of(hours, pool.interval_minutes)) for hours in pool.counter.hours}
            for pool in self.pools.values()
        }
        self._places = {pool.id: places_of(pool) for pool in self.pools.values()}
        self._open: dict[tuple[int, date], dict[time, time]] = {}

    def of(self, key: Key) -> Plan | None:
        """What is wanted of one row; None when it is not to be there."""
        pool = self.pools.get(key.desk_pool_id)
        if pool is None or key.channel not in self._places[pool.id]:
            return None
        end = self._times_on(pool, key.slot_date).get(key.start_time)
        return None if end is None else Plan(pool.counter_id, end, self._places[pool.id][key.channel])

    def is_closed(self, key: Key) -> bool:
        """Whether nobody is received at that time, on any channel."""
        pool = self.pools.get(key.desk_pool_id)
        return pool is None or not self._places[pool.id] or key.start_time not in self._times_on(pool, key.slot_date)

    def between(self, first: date, last: date) -> dict[Key, Plan]:
        """Every row of these days that is to be there."""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return {
            Key(pool.id, day, start, channel): Plan(pool.counter_id, end, count)
            for pool in self.pools.values()
            for day in days
            for start, end in self._times_on(pool, day).items()
            for channel, count in self._places[pool.id].items()
        }

    def _times_on(self, pool: DeskPool, day: date) -> dict[time, time]:
        """The times of a day with their ends; none when the counter rests."""
        at = pool.id, day
        if at not in self._open:
            rests = why_closed(pool.counter, day, self._closures)
            self._open[at] = {} if rests else self._times[pool.id].get(Weekday.of(day), {})
        return self._open[at]


def are_open(at: Counters) -> tuple[ColumnElement[bool], ...]:
    """Counters that receive people: these, or all of them."""
    return (Counter.is_open.is_(True), *([Counter.id.in_(at)] if at is not None else []))


def _pools(session: Session, at: Counters) -> list[DeskPool]:
    with_hours = selectinload(DeskPool.counter).selectinload(Counter.hours)
    return list(session.scalars(select(DeskPool).join(Counter).where(*are_open(at)).order_by(DeskPool.id).options(with_hours)))


def why_closed(counter: Counter, day: date, closures: Iterable[CounterClosure]) -> str:
    """Why a counter receives nobody on a day, be it a 休業日 or what day it is; empty when it does."""
    closure = next((c for c in closures if c.counter_id in (None, counter.id) and c.starts_on <= day <= c.ends_on), None)
    if closure:
        return f"休業日（{closure.reason}）"
    if counter.closed_at_year_end and ((day.month, day.day) >= YEAR_END[0] or (day.month, day.day) <= YEAR_END[1]):
        return "年末年始の休業"
    if counter.closed_on_holidays and (name := _holiday(day)):
        return f"祝日の休業（{name}）"
    return ""


@cache
def _holiday(day: date) -> str:
    return jpholiday.is_holiday_name(day) or ""


def places_of(pool: DeskPool) -> dict[Channel, int]:
    """Places per time of each channel that has any."""
    every = {
        Channel.WEB: pool.web_places,
        Channel.CALLCENTER: pool.callcenter_places,
        Channel.COUNTER: pool.counter_places,
        Channel.RESERVE: pool.reserve_places,
    }
    return {channel: count for channel, count in every.items() if count > 0}


def times_of(hours: CounterHours, minutes: int) -> Iterator[tuple[time, time]]:
    """Start and end of each time of a day: whole intervals before the break and again from its end."""
    if hours.break_start is None or hours.break_end is None:
        yield from _intervals(hours.opens, hours.closes, minutes)
        return
    yield from _intervals(hours.opens, hours.break_start, minutes)
    yield from _intervals(hours.break_end, hours.closes, minutes)


def _intervals(opens: time, closes: time, minutes: int) -> Iterator[tuple[time, time]]:
    day, step = date(2000, 1, 1), timedelta(minutes=minutes)
    start, end = datetime.combine(day, opens), datetime.combine(day, closes)
    while start + step <= end:
        yield start.time(), (start + step).time()
        start += step
