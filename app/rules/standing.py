"""How a master stands: what of it decides who can come when, before and after it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sqlalchemy import inspect

from app.rules.planning import Counters
from models import BookingCategory, Counter, CounterClosure, DeskPool


@dataclass(frozen=True)
class Stand:
    """What of a master decides who can come when, as values. `days`: the only ones that matter, where it speaks of some."""

    number: int
    counters: Counters
    days: tuple[date, date] | None = None
    is_open: bool = True
    serves: frozenset[int] = frozenset()
    latest_end: time | None = None


def stand(row: Any) -> Stand | None:
    """How a master stands; None for one that decides nothing of the kind, and for one that is not there (any more)."""
    if row is None or inspect(row).deleted:
        return None
    match row:
        case Counter():
            return Stand(row.id, frozenset({row.id}), is_open=row.is_open)
        case CounterClosure():
            return Stand(row.id, None if row.counter_id is None else frozenset({row.counter_id}), (row.starts_on, row.ends_on))
        case DeskPool():
            return Stand(row.id, frozenset({row.counter_id}), serves=frozenset(category.id for category in row.categories))
        case BookingCategory():
            return Stand(row.id, frozenset(), latest_end=row.latest_end)
    return None


@dataclass(frozen=True)
class Change:
    """A master before and after it is saved: `before` None for a new one, `after` None for one that is deleted."""

    before: Stand | None
    after: Stand | None

    @property
    def counters(self) -> Counters:
        """Where places may change."""
        found = [stand.counters for stand in (self.before, self.after) if stand]
        return None if None in found else frozenset().union(*(some for some in found if some))

    @property
    def days(self) -> tuple[date, date]:
        """When."""
        found = [stand.days or (date.min, date.max) for stand in (self.before, self.after) if stand]
        return min(first for first, _ in found), max(last for _, last in found)

    @property
    def is_felt(self) -> bool:
        return bool(self.before or self.after)
