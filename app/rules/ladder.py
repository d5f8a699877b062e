"""The ladder of a day: the places that each channel has at each time, and when what is left of them goes to 公開."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.rules.release import hours_before
from models import Channel, DeskPool, Slot


@dataclass(frozen=True)
class Step:
    """One channel at one time. `released`: places received from others, or below zero given away. `opens`: when what is left goes
    to 公開; None: never. `is_late`: residents can no longer book by themselves then."""

    used: int
    capacity: int
    released: int
    opens: datetime | None
    is_late: bool

    @property
    def free(self) -> int:
        return self.capacity - self.used


@dataclass(frozen=True)
class Rung:
    """One time of a desk pool, with the channels that have or had places there."""

    start: time
    end: time
    steps: dict[Channel, Step] = field(default_factory=dict)


@dataclass(frozen=True)
class Ladder:
    """A day of a desk pool."""

    pool: DeskPool
    rungs: list[Rung]

    @property
    def channels(self) -> list[Channel]:
        return [channel for channel in Channel if any(channel in rung.steps for rung in self.rungs)]

    @property
    def is_late(self) -> bool:
        return any(step.is_late for rung in self.rungs for step in rung.steps.values())


def ladders(session: Session, pools: Sequence[DeskPool], day: date) -> list[Ladder]:
    """The day of each desk pool, one without places with no rungs."""
    slots = session.scalars(
        select(Slot)
        .where(Slot.desk_pool_id.in_([pool.id for pool in pools]), Slot.slot_date == day)
        .order_by(Slot.start_time)
        .execution_options(unscoped=True)
    )
    rungs: dict[int, dict[time, Rung]] = {pool.id: {} for pool in pools}
    known = {pool.id: pool for pool in pools}
    for slot in slots:
        if slot.capacity or slot.released:
            rung = rungs[slot.desk_pool_id].setdefault(slot.start_time, Rung(slot.start_time, slot.end_time))
            rung.steps[slot.channel] = _step(known[slot.desk_pool_id], slot)
    return [Ladder(pool, list(rungs[pool.id].values())) for pool in pools]


def _step(pool: DeskPool, slot: Slot) -> Step:
    hours = hours_before(pool, slot.channel)
    opens = None if hours is None else datetime.combine(slot.slot_date, slot.start_time, TOKYO) - timedelta(hours=hours)
    return Step(slot.used, slot.capacity, slot.released, opens, opens is not None and _is_late(pool, slot.slot_date, opens))


def _is_late(pool: DeskPool, day: date, opens: datetime) -> bool:
    """Whether every procedure served there has then stopped taking bookings of residents for that day."""
    return all(opens.date() > day - timedelta(days=category.latest_days) for category in pool.categories)
