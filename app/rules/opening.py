"""Opening places ahead: from hours, breaks, closures and desks to the rows of 予約枠 that can be booked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, selectinload

from app import audit
from app.rules import places
from app.rules.places import Key
from app.schema import specs
from models import BookingCategory, Channel, Counter, CounterClosure, CounterHours, DeskPool, Slot, Weekday

SPARE_DAYS = 15  # slots stand this much further ahead than anybody may book, so that a few failed nights are not felt


class Plan(NamedTuple):
    """What the masters want of one row, before any place is given from one channel to another."""

    counter_id: int
    end_time: time
    places: int


class Stored(NamedTuple):
    """A row that is there: its number, what it was opened for, and what it has given or received since."""

    number: int
    plan: Plan
    released: int


class Crowded(NamedTuple):
    """Times for which more is booked than the masters now want."""

    times: int
    first: date | None
    last: date | None


def days_ahead(session: Session) -> int:
    """How far slots have to be open."""
    return furthest(session.scalars(select(BookingCategory.earliest_days)))


def furthest(earliest_days: Iterable[int]) -> int:
    """As far as the earliest 予約区分 may be booked, and a little more."""
    return max(earliest_days, default=0) + SPARE_DAYS


def follow(session: Session, changed: Any, today: date) -> Crowded | None:
    """Makes the places agree with a changed master at once, so that nobody books a day that has just been closed. What is booked
    stays; the answer says for how many times that is now too much. None for masters that decide no places."""
    if not isinstance(changed, Counter | CounterClosure | DeskPool):
        return None
    at = changed.id if isinstance(changed, Counter) else changed.counter_id
    open_slots(session, today=today, days=days_ahead(session), at=at)
    crowded = select(func.count(), func.min(Slot.slot_date), func.max(Slot.slot_date)).where(
        Slot.slot_date >= today, Slot.used > Slot.wanted, *([Slot.counter_id == at] if at is not None else [])
    )
    return Crowded._make(session.execute(crowded).one())


def open_slots(session: Session, *, today: date, days: int, at: int | None = None) -> int:
    """Makes the places of today and the `days` after it agree with the masters, at one counter or at all; says how many rows it wrote.

    Running it again writes nothing. A row that the masters no longer want (closed day, shorter hours, fewer desks) stays and
    keeps the places already taken: `capacity` is max(wanted, used). What a channel has given to 公開 it has given, as far as the
    masters still leave it that much. Counters that are not 受付中 are left as they are.
    Public holidays (国民の祝日) are open days unless a 休業日 closes them, because the satellites serve on weekends as well;
    whether that is right for every counter is a question to the office.
    """
    places.alone(session)
    plan = _planned(session, today, today + timedelta(days=days), at)
    there = _existing(session, today, today + timedelta(days=days), at)
    missing = [{**key._asdict(), **_of_new(row)} for key, row in plan.items() if key not in there]
    places.add(session, missing)
    changed = {key: new for key, row in there.items() if (new := plan.get(key) or row.plan._replace(places=0)) != row.plan}
    _change(session, there, changed)
    if missing or changed:
        period = f"{today} 〜 {today + timedelta(days=days)}"
        audit.tell(session, specs()[Slot], "edit", 期間=period, 追加=len(missing), 変更=len(changed))
    return len(missing) + len(changed)


def _open(at: int | None) -> tuple[ColumnElement[bool], ...]:
    """Counters that receive people: this one, or all of them."""
    return (Counter.is_open.is_(True), *([Counter.id == at] if at is not None else []))


def _pools(session: Session, at: int | None) -> list[DeskPool]:
    with_hours = selectinload(DeskPool.counter).selectinload(Counter.hours)
    return list(session.scalars(select(DeskPool).join(Counter).where(*_open(at)).order_by(DeskPool.id).options(with_hours)))


def _planned(session: Session, first: date, last: date, at: int | None) -> dict[Key, Plan]:
    closures = list(
        session.scalars(select(CounterClosure).where(CounterClosure.starts_on <= last, CounterClosure.ends_on >= first))
    )
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {key: row for pool in _pools(session, at) for key, row in _of_pool(pool, days, closures)}


def _of_pool(pool: DeskPool, days: list[date], closures: list[CounterClosure]) -> Iterator[tuple[Key, Plan]]:
    times = {hours.weekday: list(times_of(hours, pool.interval_minutes)) for hours in pool.counter.hours}
    offered = places_of(pool)
    for day in days:
        if any(closes(closure, pool.counter_id, day) for closure in closures):
            continue
        for start, end in times.get(Weekday.of(day), ()):
            for channel, wanted in offered.items():
                yield Key(pool.id, day, start, channel), Plan(pool.counter_id, end, wanted)


def closes(closure: CounterClosure, counter_id: int, day: date) -> bool:
    return closure.counter_id in (None, counter_id) and closure.starts_on <= day <= closure.ends_on


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


def _existing(session: Session, first: date, last: date, at: int | None) -> dict[Key, Stored]:
    """Rows of the days in question, of counters that are open, whoever asks."""
    key = (Slot.desk_pool_id, Slot.slot_date, Slot.start_time, Slot.channel)
    planned = (Slot.counter_id, Slot.end_time, Slot.wanted - Slot.released)
    rows = session.execute(
        select(*key, *planned, Slot.id, Slot.released)
        .join(Counter, Counter.id == Slot.counter_id)
        .where(*_open(at), Slot.slot_date.between(first, last))
        .execution_options(unscoped=True)
    )
    return {Key._make(row[:4]): Stored(row[7], Plan._make(row[4:7]), row[8]) for row in rows}


def _of_new(plan: Plan) -> dict[str, Any]:
    return {"counter_id": plan.counter_id, "end_time": plan.end_time, "wanted": plan.places}


def _change(session: Session, there: dict[Key, Stored], changed: dict[Key, Plan]) -> None:
    """Lets rows want something else. A channel that is left with less than it has given away takes the rest back from 公開."""
    wanting: dict[Plan, list[int]] = defaultdict(list)
    for key, plan in changed.items():
        wanting[plan].append(there[key].number)
    gave = {row.number: (there[key.public].number, row.released) for key in changed if (row := there[key]).released < 0}
    places.hold(session, {*(there[key].number for key in changed), *(public for public, _ in gave.values())})
    taken_back: dict[int, int] = defaultdict(int)
    for plan, numbers in wanting.items():
        kept = _still_given(plan.places)
        now = places.change(session, numbers, wanted=plan.places + kept, released=kept, end_time=plan.end_time)
        for number in now.keys() & gave.keys():
            public, before = gave[number]
            taken_back[public] += before - now[number]
    places.receive(session, {public: count for public, count in taken_back.items() if count})


def _still_given(planned: int) -> ColumnElement[int]:
    """What a row has given away (below zero) or received, when the masters leave it so many places: no more than nobody uses."""
    unused = case((Slot.used < planned, planned - Slot.used), else_=0)
    return case((Slot.released < -unused, -unused), else_=Slot.released)
