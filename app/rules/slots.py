"""予約枠: which procedures, counters and times are offered to whom."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app import text
from app.context import TOKYO
from app.errors import NotFound
from app.rules import statements
from app.rules.pickups import NO_DAY, Days, Reach
from app.sentences import N_
from models import BookingCategory, Channel, Counter, Slot

FEW = 5  # a day with at most one place in five left is shown as 残りわずか


class NotOffered(NotFound):
    """A time that this person may not book: past, too far ahead, of another procedure, channel or a closed counter, or invented."""

    def __init__(self) -> None:
        super().__init__(N_("この日時は予約を受け付けていません。日時を選び直してください。"))


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


def window(category: BookingCategory, now: datetime, channel: Channel = Channel.WEB, within: Days | None = None) -> Days | None:
    """First and last day that can be booked today, and `within` which days; None when the procedure is not offered. Whoever books
    for somebody may do so up to the time itself: the days of notice are for those who book alone."""
    today = now.astimezone(TOKYO).date()
    if not category.is_bookable(today):
        return None
    notice = category.latest_days if channel is Channel.WEB else 0
    first, last = today + timedelta(days=notice), today + timedelta(days=category.earliest_days)
    if within:
        first, last = max(first, within[0]), min(last, within[1])
    return (first, last) if first <= last else None


def terms(category: BookingCategory, channel: Channel, now: datetime, within: Days | None = None) -> dict[str, Any]:
    """The values of `statements.OFFERED` for one procedure, one channel and this moment, and for these days only."""
    local = now.astimezone(TOKYO)
    first, last = window(category, now, channel, within) or NO_DAY
    return {
        "from_day": first,
        "to_day": last,
        "for_channel": channel,
        "for_category": category.id,
        "today": local.date(),
        "time_now": local.time(),
        "ends_by": category.latest_end or time.max,
    }


def counters_for(session: Session, category: BookingCategory, reach: Reach | None = None) -> Sequence[Counter]:
    """Open counters with a desk for the procedure, in the office's order."""
    found = session.scalars(statements.COUNTERS, {"for_category": category.id}).all()
    return [counter for counter in found if reach is None or counter.id in reach.counters]


def month(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    channel: Channel,
    year: int,
    month: int,
    now: datetime,
    within: Days | None = None,
) -> list[Day]:
    """Every day of a month with its state, from one grouped query over the index of 予約枠."""
    days = [date(year, month, n + 1) for n in range(calendar.monthrange(year, month)[1])]
    values = {**terms(category, channel, now, within), "at_counter": counter.id, "first": days[0], "last": days[-1]}
    found = session.execute(statements.MONTH, values)
    places = {row[0]: (int(row[1]), int(row[2])) for row in found}
    return [_day(day, *places.get(day, (0, 0))) for day in days]


def _day(day: date, free: int, wanted: int) -> Day:
    return Day(day, state_of(free, wanted), max(free, 0))


def state_of(free: int, places: int) -> DayState:
    """How a day or a time with so many free of so many places is called."""
    if free <= 0:
        return DayState.FULL if places else DayState.NONE
    return DayState.FEW if free * FEW <= places else DayState.FREE


def day(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    channel: Channel,
    on: date,
    now: datetime,
    within: Days | None = None,
) -> list[Opening]:
    """The times of a day, full ones with no free place; where several desks serve, each time names the freest."""
    return _by_time(places(session, category, counter, channel, on, now, within))


def places(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    channel: Channel,
    on: date,
    now: datetime,
    within: Days | None = None,
) -> list[Opening]:
    """The places of every desk at every time of a day: what several people are seated from."""
    return _openings(session, statements.DAY, {**terms(category, channel, now, within), "at_counter": counter.id, "on_day": on})


def free(
    session: Session, category: BookingCategory, counter: Counter, channel: Channel, first: date, last: date, now: datetime
) -> list[Opening]:
    """Every free place of some days, desk by desk, in the order of time."""
    values = {**terms(category, channel, now), "at_counter": counter.id, "first": first, "last": last}
    return _openings(session, statements.FREE, values)


def days(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    channels: Sequence[Channel],
    first: date,
    last: date,
    now: datetime,
) -> dict[date, list[Opening]]:
    """The times of some days for somebody who may take places of several channels: of each time the first channel's with a free
    place, full ones with none. Days without any are left out."""
    best: dict[tuple[date, time], Opening] = {}
    for channel in channels:
        values = {**terms(category, channel, now), "at_counter": counter.id, "first": first, "last": last}
        for opening in _by_time(_openings(session, statements.DAYS, values)):
            at = opening.date, opening.start
            if at not in best or (best[at].free < 1 and opening.free):
                best[at] = opening
    found: dict[date, list[Opening]] = {}
    for (on, _), opening in sorted(best.items()):
        found.setdefault(on, []).append(opening)
    return found


def around(
    session: Session, category: BookingCategory, channels: Sequence[Channel], on: date, units: int, now: datetime
) -> dict[tuple[int, time], Opening]:
    """By counter and time, where on a day somebody who may take places of several channels finds `units` of them together: at the
    first channel that has them, at its freest desk; `free` are those of all."""
    may = [c for c in channels if (days := window(category, now, c)) and days[0] <= on <= days[1]]
    local = now.astimezone(TOKYO)
    values = {
        "for_category": category.id,
        "for_channels": may,
        "on_day": on,
        "today": local.date(),
        "time_now": local.time(),
        "ends_by": category.latest_end or time.max,
    }
    found = [(channel, Opening(*row)) for channel, *row in session.execute(statements.ON_DAY, values)]
    best: dict[tuple[int, time], Opening] = {}
    for _, opening in sorted(found, key=lambda one: (may.index(one[0]), -one[1].free, one[1].slot_id)):
        if opening.free >= units:
            at = opening.counter_id, opening.start
            best[at] = replace(best[at], free=best[at].free + opening.free) if at in best else opening
    return best


def _by_time(rows: list[Opening]) -> list[Opening]:
    best: dict[tuple[date, time], Opening] = {}
    for row in sorted(rows, key=lambda o: o.free):
        best[row.date, row.start] = row
    return [best[at] for at in sorted(best)]


def _openings(session: Session, statement: Any, values: dict[str, Any]) -> list[Opening]:
    return [Opening(*row) for row in session.execute(statement, values)]


def earliest(session: Session, category: BookingCategory, channel: Channel, now: datetime) -> list[tuple[Counter, Opening]]:
    """The next free time of each open counter that has one, soonest first."""
    counters = {row[1]: row[0] for row in session.execute(statements.SOONEST, terms(category, channel, now)) if row[1]}
    openings = _openings(session, statements.THESE, {"slots": list(counters)})
    return [
        (counters[o.slot_id], o)
        for o in sorted(openings, key=lambda o: (o.date, o.start, counters[o.slot_id].sort_order, o.counter_id))
    ]


def earliest_within(
    session: Session, category: BookingCategory, channel: Channel, now: datetime, reach: Reach
) -> list[tuple[Counter, Opening]]:
    """The same of the counters in reach, of each on its own days."""
    found = []
    for counter in counters_for(session, category, reach):
        values = terms(category, channel, now, reach.days(counter.id))
        wish = {"at_counter": counter.id, "wish_day": values["from_day"], "wish_time": time.min, "at_most": 1}
        found += [(counter, opening) for opening in _openings(session, statements.AFTER, {**values, **wish})]
    return sorted(found, key=lambda pair: (pair[1].date, pair[1].start, pair[0].sort_order, pair[0].id))


def near(
    session: Session,
    category: BookingCategory,
    counter: Counter,
    channel: Channel,
    to: datetime,
    now: datetime,
    limit: int = 6,
    within: Days | None = None,
) -> list[Opening]:
    """Free times of a counter nearest to a wished one, in order of time: what is offered when that one has gone."""
    values = {
        **terms(category, channel, now, within),
        "at_counter": counter.id,
        "wish_day": to.date(),
        "wish_time": to.time(),
        "at_most": 2 * limit,
    }
    times = _by_time([*_openings(session, statements.BEFORE, values), *_openings(session, statements.AFTER, values)])
    nearest = sorted(times, key=lambda o: abs(datetime.combine(o.date, o.start) - to.replace(tzinfo=None)))[:limit]
    return [o for o in times if o in nearest]


def procedures(session: Session, now: datetime) -> list[BookingCategory]:
    """What can be booked today, in the office's order."""
    today = now.astimezone(TOKYO).date()
    return [category for category in session.scalars(statements.CATEGORIES) if category.is_bookable(today)]


def procedure(session: Session, code: str, now: datetime) -> BookingCategory:
    """A procedure that can be booked today, by its code."""
    found = _category(session, code)
    if found is None or not found.is_bookable(now.astimezone(TOKYO).date()):
        raise NotFound(N_("この手続きの予約は受け付けていません。はじめから選び直してください。"))
    return found


def open_counter(session: Session, code: str) -> Counter:
    """A counter that receives people, by its code."""
    found = session.scalar(statements.COUNTER, {"code": text.tidy(code)})
    if found is None:
        raise NotFound(N_("この窓口の予約は受け付けていません。はじめから選び直してください。"))
    return found


def _category(session: Session, code: str) -> BookingCategory | None:
    return session.scalar(statements.CATEGORY, {"code": text.tidy(code)})


def place(session: Session, category: str, counter: str) -> tuple[BookingCategory, Counter] | None:
    """Procedure and counter by their codes, in one question."""
    found = session.execute(statements.PLACE, {"code": text.tidy(category), "counter": text.tidy(counter)}).first()
    return (found[0], found[1]) if found else None


def offer(session: Session, slot_id: int, category: str, channel: Channel, now: datetime, within: Days | None = None) -> Offer:
    """The time a person chose, if it is offered to them; whatever came in the address or the form is not believed."""
    wanted = _category(session, category)
    if wanted is None:
        raise NotOffered
    return offer_of(session, slot_id, wanted, channel, now, within)


def offer_of(
    session: Session, slot_id: int, category: BookingCategory, channel: Channel, now: datetime, within: Days | None = None
) -> Offer:
    """The same for a procedure that is at hand."""
    row = session.execute(statements.OFFER, {**terms(category, channel, now, within), "slot": slot_id}).first()
    if not row:
        raise NotOffered
    return Offer(*row)


def offered_on(
    session: Session, slot_id: int, category: str, channels: Sequence[Channel], now: datetime
) -> tuple[Offer, Channel]:
    """The same for somebody who may take places of several channels, with the one this time belongs to."""
    for channel in channels:
        try:
            return offer(session, slot_id, category, channel, now), channel
        except NotOffered:
            continue
    raise NotOffered


def lost(session: Session, slot_id: int, counter: Counter, on: date) -> Opening | None:
    """A time of this counter and day whether it is offered or not: what a person is told they cannot have."""
    found = _openings(session, statements.THESE, {"slots": [slot_id]})
    return next((o for o in found if (o.counter_id, o.date) == (counter.id, on)), None)


def months_open(category: BookingCategory, now: datetime, channel: Channel = Channel.WEB) -> list[tuple[int, int]]:
    """The months that the booking window touches."""
    days = window(category, now, channel)
    if days is None:
        return []
    span = (days[0] + timedelta(days=n) for n in range((days[1] - days[0]).days + 1))
    return list(dict.fromkeys((d.year, d.month) for d in span))


__all__ = [
    "Day",
    "DayState",
    "NotOffered",
    "Offer",
    "Opening",
    "around",
    "counters_for",
    "day",
    "days",
    "earliest",
    "earliest_within",
    "free",
    "lost",
    "month",
    "months_open",
    "near",
    "offer",
    "offer_of",
    "offered_on",
    "open_counter",
    "place",
    "places",
    "procedure",
    "procedures",
    "state_of",
    "terms",
    "window",
]
