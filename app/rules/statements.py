"""The questions put to 予約枠: each statement is built once, so that asking costs little more than the database's own time.

Their values are those of `app.rules.slots.terms`, and what each names besides.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from app.plans import PREPARED
from models import BookingCategory, Counter, DeskPool, Slot
from models.masters import desk_pool_category

_DESKS = select(desk_pool_category.c.desk_pool_id).where(desk_pool_category.c.booking_category_id == bindparam("for_category"))
_OPEN_COUNTERS = select(Counter.id).where(Counter.is_open)


def _offered(slot: Any) -> tuple[ColumnElement[bool], ...]:
    """What a row must be to be offered at all: in the window, of the channel, with a desk for the procedure, at an open
    counter, not yet begun, and over by the hour that the procedure sets. Every statement below is built from it once; the values are
    those of `terms`."""
    return (
        slot.slot_date.between(bindparam("from_day"), bindparam("to_day")),
        slot.channel == bindparam("for_channel"),
        *_served(slot),
    )


def _served(slot: Any) -> tuple[ColumnElement[bool], ...]:
    """The same apart from window and channel, which depend on each other."""
    return (
        slot.desk_pool_id.in_(_DESKS),
        slot.counter_id.in_(_OPEN_COUNTERS),
        or_(slot.slot_date > bindparam("today"), slot.start_time > bindparam("time_now")),
        slot.end_time <= bindparam("ends_by"),
    )


def _opening(slot: Any) -> tuple[Any, ...]:
    return slot.id, slot.counter_id, slot.slot_date, slot.start_time, slot.end_time, slot.capacity - slot.used


OFFERED = _offered(Slot)
PUBLIC = {"unscoped": True}
"""Free places of every counter are known to everybody: residents see them without signing in."""
_AT = Slot.counter_id == bindparam("at_counter")
MONTH = (
    select(Slot.slot_date, func.sum(Slot.capacity - Slot.used), func.sum(Slot.wanted))
    .group_by(Slot.slot_date)
    .where(_AT, Slot.slot_date.between(bindparam("first"), bindparam("last")), *OFFERED)
    .execution_options(**PUBLIC)
)
_TIMES = select(*_opening(Slot)).where(_AT, *OFFERED).execution_options(**PUBLIC)
ON_DAY = (
    select(Slot.channel, *_opening(Slot))
    .where(
        Slot.slot_date == bindparam("on_day"),
        Slot.channel.in_(bindparam("for_channels", expanding=True)),
        Slot.wanted > 0,
        *_served(Slot),
    )
    .execution_options(**PUBLIC)
)
DAY = _TIMES.where(Slot.slot_date == bindparam("on_day"), Slot.wanted > 0)
DAYS = _TIMES.where(Slot.slot_date.between(bindparam("first"), bindparam("last")), Slot.wanted > 0)
_FREE = _TIMES.where(Slot.used < Slot.capacity)
FREE = _FREE.where(Slot.slot_date.between(bindparam("first"), bindparam("last"))).order_by(
    Slot.slot_date, Slot.start_time, Slot.id
)
_LATER = or_(
    Slot.slot_date > bindparam("wish_day"),
    and_(Slot.slot_date == bindparam("wish_day"), Slot.start_time >= bindparam("wish_time")),
)
AFTER = _FREE.where(_LATER).order_by(Slot.slot_date, Slot.start_time, Slot.id).limit(bindparam("at_most"))
BEFORE = _FREE.where(~_LATER).order_by(Slot.slot_date.desc(), Slot.start_time.desc(), Slot.id).limit(bindparam("at_most"))
OFFER = (
    select(BookingCategory, Counter, Slot)
    .select_from(Slot)
    .join(Counter, Counter.id == Slot.counter_id)
    .join(BookingCategory, BookingCategory.id == bindparam("for_category"))
    .where(Slot.id == bindparam("slot"), *OFFERED)
    .execution_options(**PREPARED, **PUBLIC)
)
CATEGORIES = select(BookingCategory).order_by(BookingCategory.sort_order, BookingCategory.id).execution_options(**PREPARED)
CATEGORY = select(BookingCategory).where(BookingCategory.code == bindparam("code")).execution_options(**PREPARED)
COUNTER = select(Counter).where(Counter.code == bindparam("code"), Counter.is_open).execution_options(**PREPARED)
PLACE = (
    select(BookingCategory, Counter)
    .select_from(BookingCategory)
    .join(Counter, Counter.code == bindparam("counter"))
    .where(BookingCategory.code == bindparam("code"))
    .execution_options(**PREPARED)
)
COUNTERS = (
    select(Counter)
    .where(Counter.is_open, Counter.id.in_(select(DeskPool.counter_id).where(DeskPool.id.in_(_DESKS))))
    .order_by(Counter.sort_order, Counter.id)
    .execution_options(**PREPARED)
)


def _soonest() -> Select[Any]:
    """For each counter the row of its first free time: the first entry of its range of the index, however many years there are.
    The rows themselves are read by `THESE`: joined here, PostgreSQL may choose to read the whole table for them (seen: 60 ms
    for one year of slots, 0.5 ms without)."""
    slot = aliased(Slot)
    first = (
        select(slot.id)
        .where(slot.counter_id == Counter.id, slot.used < slot.capacity, *_offered(slot))
        .order_by(slot.slot_date, slot.start_time, slot.id)
        .limit(1)
        .correlate(Counter)
        .scalar_subquery()
    )
    return select(Counter, first).where(Counter.is_open).execution_options(**PUBLIC)


SOONEST = _soonest()
THESE = select(*_opening(Slot)).where(Slot.id.in_(bindparam("slots", expanding=True))).execution_options(**PUBLIC)
