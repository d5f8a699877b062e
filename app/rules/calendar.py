"""予約カレンダー: how full times and days are, and who is expected, for the question that the list of reservations asks.

Each is one statement over an index that begins with counter or day, however many years there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from app.criteria import Criteria, Range, conditions
from app.rules.slots import DayState, state_of
from app.schema import specs
from app.searching import Search
from models import Channel, DeskPool, Reservation, ReservationState, Slot
from models.masters import desk_pool_category

NOON = time(12)
MOST = 1500
"""Visits of one day; every place of four satellites is 832."""


@dataclass(frozen=True)
class Places:
    """Places, of one time or of many added up. `wanted` is what the masters ask for now; more may be used already."""

    used: int = 0
    capacity: int = 0
    wanted: int = 0

    def __add__(self, other: Places) -> Places:
        return Places(self.used + other.used, self.capacity + other.capacity, self.wanted + other.wanted)

    def __sub__(self, other: Places) -> Places:
        return Places(self.used - other.used, self.capacity - other.capacity, self.wanted - other.wanted)

    @property
    def free(self) -> int:
        return self.capacity - self.used

    @property
    def state(self) -> DayState:
        return state_of(self.free, self.capacity)

    @property
    def beyond(self) -> int:
        """Booked beyond what the masters want now, since a desk or a day was closed after it had been booked."""
        return max(self.used - self.wanted, 0)


def total(many: Iterable[Places]) -> Places:
    return sum(many, Places())


class Share(NamedTuple):
    """What one desk pool has at one time on one channel."""

    pool: str
    channel: Channel
    end: time
    places: Places


class Load(NamedTuple):
    """A counter's places on one day, and those of its morning."""

    places: Places
    morning: Places

    @property
    def afternoon(self) -> Places:
        return self.places - self.morning


class Visit(NamedTuple):
    """A reservation as the calendar and the sheet of the day show it."""

    id: int
    booking_code: str
    group_id: str | None
    counter_id: int
    booking_date: date
    start_time: time
    end_time: time
    procedure_name: str
    name: str
    name_kana: str
    phone: str
    state: ReservationState
    queue_number: int | None


_VISIT = tuple(getattr(Reservation, name) for name in Visit._fields)


def day(session: Session, at: Sequence[int], want: Criteria, on: date) -> dict[tuple[int, time], list[Share]]:
    """By counter and time, what each desk pool has on each channel."""
    asked = (
        select(
            Slot.counter_id,
            Slot.start_time,
            DeskPool.name,
            Slot.channel,
            Slot.end_time,
            Slot.used,
            Slot.capacity,
            Slot.wanted,
        )
        .join(DeskPool, DeskPool.id == Slot.desk_pool_id)
        .where(*_places(at, want), Slot.slot_date == on, Slot.capacity > 0)
        .order_by(Slot.start_time, Slot.desk_pool_id, Slot.channel)
    )
    found: dict[tuple[int, time], list[Share]] = {}
    for counter_id, start, pool, channel, end, *places in session.execute(asked):
        found.setdefault((counter_id, start), []).append(Share(pool, channel, end, Places(*places)))
    return found


def days(session: Session, at: Sequence[int], want: Criteria, first: date, last: date) -> dict[tuple[date, int], Load]:
    """By day and counter, the places of the whole day and of the morning."""
    numbers = (Slot.used, Slot.capacity, Slot.wanted)
    asked = (
        select(
            Slot.slot_date,
            Slot.counter_id,
            *(func.sum(number) for number in numbers),
            *(func.sum(case((Slot.start_time < NOON, number), else_=0)) for number in numbers),
        )
        .where(*_places(at, want), Slot.slot_date.between(first, last), Slot.capacity > 0)
        .group_by(Slot.counter_id, Slot.slot_date)
    )
    return {
        (on, counter_id): Load(Places(*map(int, sums[:3])), Places(*map(int, sums[3:])))
        for on, counter_id, *sums in session.execute(asked)
    }


def _places(at: Sequence[int], want: Criteria) -> list[ColumnElement[bool]]:
    """Which places are meant: those of these counters and, where the list is narrowed so, of a channel and of desks for a procedure."""
    asked: list[ColumnElement[bool]] = [Slot.counter_id.in_(at)]
    if channel := want.filters.get("channel"):
        asked.append(Slot.channel == channel)
    if category := want.filters.get("category"):
        desks = select(desk_pool_category.c.desk_pool_id).where(desk_pool_category.c.booking_category_id == category)
        asked.append(Slot.desk_pool_id.in_(desks))
    return asked


def visits(session: Session, want: Criteria, on: date) -> list[Visit]:
    """Everybody of a day who fits the question of the list, in the order of the clock; never more than `MOST`."""
    found = session.execute(
        select(*_VISIT)
        .where(*_asked(session, want, on, on))
        .order_by(Reservation.booking_date, Reservation.start_time, Reservation.id)
        .limit(MOST)
    )
    return [Visit(*row) for row in found]


def counted(session: Session, want: Criteria, first: date, last: date) -> dict[tuple[date, int], int]:
    """By day and counter, how many reservations fit the question of the list."""
    at = Reservation.booking_date, Reservation.counter_id
    asked = select(*at, func.count()).where(*_asked(session, want, first, last)).group_by(*at)
    return {(on, counter_id): many for on, counter_id, many in session.execute(asked)}


def _asked(session: Session, want: Criteria, first: date, last: date) -> list[Any]:
    spec = specs()[Reservation]
    within = replace(want, filters={**want.filters, "booking_date": Range(first, last)})
    return [*conditions(spec, within), *Search.of(session, spec, want.search).conditions(walk=True)]
