"""What the calendar's pages show, worked out before the template: a day time by time, weeks and months day by day."""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.context import context
from app.rules import calendar, timetable, visits
from app.rules.calendar import Load, Places, Share, Visit, total
from app.rules.slots import DayState
from models import Counter
from models.bookings import HOLDING
from views.calendar_moves import Moving
from views.calendar_question import Question, first_of_week

SIGNS = {
    DayState.FREE: ("○", "空きあり"),
    DayState.FEW: ("△", "残りわずか"),
    DayState.FULL: ("×", "満席"),
    DayState.NONE: ("–", "枠なし"),
}
"""A load by its sign, and by its word for who cannot see the sign."""
SHOWN = 8
"""People of one time that are shown at once; the rest is folded."""


@dataclass(frozen=True)
class Cell:
    """One counter at one time: its places, added up and in words by desk pool, and who is expected. `target`: where a reservation that is
    being moved would go from here."""

    counter: Counter
    places: Places
    pools: dict[str, str]
    visits: list[Visit]
    target: str = ""
    free_for_it: int = 0
    is_its_own: bool = False

    @property
    def is_quiet(self) -> bool:
        """Nobody is expected and nobody is being moved here."""
        return not self.visits and not self.target

    @property
    def fold_at(self) -> int:
        """How many people stand before the fold; 0 when nobody is folded away."""
        return SHOWN if len(self.visits) > SHOWN + 1 else 0


@dataclass(frozen=True)
class DayScreen:
    """`empty`: why a counter has neither places nor people. `gone`: people who gave their place back and are not shown. `current`:
    the time that has begun, if the day is today."""

    on: date
    rows: list[tuple[time, list[Cell]]]
    sums: dict[int, Places]
    people: list[Visit]
    gone: int
    empty: dict[int, str]
    counters: list[Counter]
    is_cut: bool = False
    movable: frozenset[int] = frozenset()
    current: time | None = None


def day(session: Session, question: Question, on: date, moving: Moving | None, *, may_move: bool) -> DayScreen:
    shares = calendar.day(session, question.at, question.want, on)
    people = calendar.visits(session, question.want, on)
    expected = [visit for visit in people if "state" in question.want.filters or visit.state in HOLDING]
    by_place: dict[tuple[int, time], list[Visit]] = {}
    for visit in expected:
        by_place.setdefault((visit.counter_id, visit.start_time), []).append(visit)
    used = {counter_id for counter_id, _ in (*shares, *by_place)}
    columns = [counter for counter in question.counters if counter.id in used]
    times = sorted({start for _, start in (*shares, *by_place)})
    now, clock = context(session).now(), context(session).local().time()
    return DayScreen(
        on,
        [(start, [_cell(c, start, shares, by_place, moving) for c in columns]) for start in times],
        {c.id: total(share.places for at, many in shares.items() if at[0] == c.id for share in many) for c in columns},
        expected,
        len(people) - len(expected),
        _why_empty(session, question, on, [c for c in question.counters if c.id not in used]),
        columns,
        is_cut=len(people) == calendar.MOST,
        movable=frozenset(visit.id for visit in expected if may_move and not moving and not visits.why_not_moved(visit, now)),
        current=_current(shares, clock) if on == question.today else None,
    )


def _cell(
    counter: Counter,
    start: time,
    shares: dict[tuple[int, time], list[Share]],
    by_place: dict[tuple[int, time], list[Visit]],
    moving: Moving | None,
) -> Cell:
    at = counter.id, start
    pools: dict[str, list[str]] = {}
    for share in shares.get(at, []):
        pools.setdefault(share.pool, []).append(f"{share.channel.label} {share.places.used}/{share.places.capacity}")
    target, free = moving.target(counter, start) if moving else ("", 0)
    return Cell(
        counter,
        total(share.places for share in shares.get(at, [])),
        {pool: "、".join(words) for pool, words in pools.items()},
        by_place.get(at, []),
        target,
        free,
        is_its_own=bool(moving and moving.is_at(counter, start)),
    )


def _current(shares: dict[tuple[int, time], list[Share]], clock: time) -> time | None:
    """The time that has begun and is not over."""
    begun = [start for (_, start), many in shares.items() if start <= clock < max(share.end for share in many)]
    return max(begun, default=None)


def _why_empty(session: Session, question: Question, on: date, without: list[Counter]) -> dict[int, str]:
    if not without:
        return {}
    known = timetable.read(session, question.mine, on, on, question.today, question.until)
    return {counter.id: known.why_no_places(counter, on) for counter in without}


class Served(NamedTuple):
    """A counter on one day: its load or why it has none, and how many reservations fit the question where places do not answer it."""

    counter: Counter
    load: Load | None
    why: str
    many: int | None


@dataclass(frozen=True)
class Square:
    """One day of a week or month."""

    on: date
    served: list[Served]
    is_today: bool = False

    @property
    def sum(self) -> Places:
        return total(one.load.places for one in self.served if one.load)

    @property
    def reason(self) -> str:
        """Why nobody serves on this day, if it is the same for all."""
        reasons = {one.why for one in self.served}
        return reasons.pop() if len(reasons) == 1 else ""


@dataclass(frozen=True)
class Span:
    """Some days: of a week, or of a month in weeks from Monday to Sunday with gaps before the first and after the last."""

    first: date
    last: date
    weeks: list[list[Square | None]]
    counters: list[Counter]
    called: dict[int, str] = field(default_factory=dict)

    @property
    def squares(self) -> list[Square]:
        return [square for week in self.weeks for square in week if square]

    def sums(self, counter: Counter) -> Places:
        served = (one for square in self.squares for one in square.served if one.counter is counter)
        return total(one.load.places for one in served if one.load)


def week(session: Session, question: Question, on: date) -> Span:
    first = first_of_week(on)
    return _span(session, question, [[first + timedelta(days=n) for n in range(7)]], first, first + timedelta(days=6))


def month(session: Session, question: Question, on: date) -> Span:
    weeks = gregorian.Calendar().monthdatescalendar(on.year, on.month)
    last = on.replace(day=gregorian.monthrange(on.year, on.month)[1])
    return _span(session, question, weeks, on.replace(day=1), last)


def _span(session: Session, question: Question, weeks: list[list[date]], first: date, last: date) -> Span:
    loads = calendar.days(session, question.at, question.want, first, last)
    counts = calendar.counted(session, question.want, first, last) if question.counts_people else None
    known = timetable.read(session, question.mine, first, last, question.today, question.until)

    def served(counter: Counter, on: date) -> Served:
        load = loads.get((on, counter.id))
        many = None if counts is None else counts.get((on, counter.id), 0)
        return Served(counter, load, "" if load else known.why_no_places(counter, on), many)

    def square(on: date) -> Square | None:
        if not first <= on <= last:
            return None
        return Square(on, [served(counter, on) for counter in question.counters], is_today=on == question.today)

    squares = [[square(on) for on in days] for days in weeks]
    return Span(first, last, squares, question.counters, short_names(question.counters))


def short_names(counters: Iterable[Counter]) -> dict[int, str]:
    """Names of counters without the words that all of them end with: 三宮サテライト, 谷上サテライト → 三宮, 谷上."""
    names = {counter.id: counter.name for counter in counters}
    if len(names) < 2:
        return names
    end = ""
    while (longer := min(names.values(), key=len)[-len(end) - 1 :]) != end and all(
        name.endswith(longer) and name != longer for name in names.values()
    ):
        end = longer
    return {key: name.removesuffix(end) for key, name in names.items()}
