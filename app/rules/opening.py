"""Opening places ahead: from hours, breaks, closures and desks to the rows of 予約枠 that can be booked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session, selectinload

from app import audit
from app.dialects import insert_new
from app.schema import specs
from models import BookingCategory, Channel, Counter, CounterClosure, CounterHours, DeskPool, Slot, Weekday
from models.base import table_of

SPARE_DAYS = 15  # slots stand this much further ahead than anybody may book, so that a few failed nights are not felt
_PIECE = 500  # rows named in one statement; SQLite allows 32,766 values


class Key(NamedTuple):
    """What makes a row of 予約枠 unique."""

    desk_pool_id: int
    slot_date: date
    start_time: time
    channel: Channel


class Plan(NamedTuple):
    """What the masters want of one row."""

    counter_id: int
    end_time: time
    wanted: int


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
    keeps the places already taken: `capacity` is max(wanted, used). Counters that are not 受付中 are left as they are.
    Public holidays (国民の祝日) are open days unless a 休業日 closes them, because the satellites serve on weekends as well;
    whether that is right for every counter is a question to the office.
    """
    plan = _planned(session, today, today + timedelta(days=days), at)
    there = _existing(session, today, today + timedelta(days=days), at)
    missing = [{**key._asdict(), **row._asdict()} for key, row in plan.items() if key not in there]
    _add(session, missing)
    changed: dict[Plan, list[int]] = {}
    for key, (number, old) in there.items():
        new = plan.get(key, old._replace(wanted=0))
        if new != old:
            changed.setdefault(new, []).append(number)
    for new, numbers in changed.items():
        _change(session, new, numbers)
    renewed = sum(map(len, changed.values()))
    if missing or renewed:
        audit.tell(
            session, specs()[Slot], "edit", 期間=f"{today} 〜 {today + timedelta(days=days)}", 追加=len(missing), 変更=renewed
        )
    return len(missing) + renewed


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
    places = places_of(pool)
    for day in days:
        if any(closes(closure, pool.counter_id, day) for closure in closures):
            continue
        for start, end in times.get(Weekday.of(day), ()):
            for channel, wanted in places.items():
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
    return {channel: places for channel, places in every.items() if places > 0}


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


def _existing(session: Session, first: date, last: date, at: int | None) -> dict[Key, tuple[int, Plan]]:
    """Rows of the days in question, of counters that are open, each with what it was opened for."""
    rows = session.execute(
        select(
            Slot.id, Slot.desk_pool_id, Slot.slot_date, Slot.start_time, Slot.channel, Slot.counter_id, Slot.end_time, Slot.wanted
        )
        .join(Counter, Counter.id == Slot.counter_id)
        .where(*_open(at), Slot.slot_date.between(first, last))
    )
    return {Key(*row[1:5]): (row[0], Plan(*row[5:])) for row in rows}


def _add(session: Session, rows: list[dict[str, Any]]) -> None:
    """Adds rows; one that another opener was quicker to add is left to it."""
    if rows:
        values = [{**row, "capacity": row["wanted"], "used": 0, "row_stamp": 1} for row in rows]
        session.execute(insert_new(session, table_of(Slot)), values)


def _change(session: Session, plan: Plan, numbers: list[int]) -> None:
    """Lets rows want something else. What is used is read by the database in the same breath, so no booking falls between."""
    capacity = case((Slot.used > plan.wanted, Slot.used), else_=plan.wanted)
    for at in range(0, len(numbers), _PIECE):
        session.execute(
            update(Slot)
            .where(Slot.id.in_(numbers[at : at + _PIECE]))
            .values(wanted=plan.wanted, end_time=plan.end_time, capacity=capacity),
            execution_options={"by_rule": "opening.open_slots", "synchronize_session": False},
        )
