"""開設時間 and 休業日: which counters there are, and why one of them has no places on a day, in words for those who look for some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.rules.planning import why_closed
from models import Counter, CounterClosure, CounterHours, Weekday

Weekdays = Mapping[Counter, frozenset[Weekday]]
"""Counters in the office's order, each with the days of the week on which it is open."""


def counters(session: Session) -> Weekdays:
    """Every counter, closed ones too: what was booked there is still looked at."""
    asked = select(Counter, CounterHours.weekday).outerjoin(CounterHours, CounterHours.counter_id == Counter.id)
    found: dict[Counter, set[Weekday]] = {}
    for counter, weekday in session.execute(asked.order_by(Counter.sort_order, Counter.id)):
        found.setdefault(counter, set()).update({weekday} - {None})
    return {counter: frozenset(weekdays) for counter, weekdays in found.items()}


@dataclass(frozen=True)
class Timetable:
    """What the masters say of some days. `until`: the last day for which places are opened as of today."""

    weekdays: Weekdays
    closures: Sequence[CounterClosure]
    today: date
    until: date

    def why_no_places(self, counter: Counter, on: date) -> str:
        """Why the counter has none on this day, as a short sentence without an end."""
        if rests := why_closed(counter, on, self.closures):
            return rests
        if not counter.is_open and on >= self.today:
            return "受付を止めている窓口です"
        if Weekday.of(on) not in self.weekdays[counter]:
            return f"{Weekday.of(on).label}は開いていません"
        return "予約枠はまだ開いていません" if on > self.until else "予約枠がありません"


def read(session: Session, weekdays: Weekdays, first: date, last: date, today: date, until: date) -> Timetable:
    """What holds between two days."""
    closed = select(CounterClosure).where(CounterClosure.starts_on <= last, CounterClosure.ends_on >= first)
    closures = session.scalars(closed.order_by(CounterClosure.starts_on, CounterClosure.id)).all()
    return Timetable(weekdays, closures, today, until)
