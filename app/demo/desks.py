"""Places of the demo: the slots that the opening rules want of a day, and taking them so that none is ever over capacity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.demo.days import ISO, clock, day_of
from app.errors import AppError
from app.rules.planning import places_of, times_of, why_closed
from models import Channel, Counter, CounterClosure, CounterHours, DeskPool, Weekday

SLOT_COLUMNS = (
    "id",
    "slot_date",
    "start_time",
    "end_time",
    "channel",
    "capacity",
    "used",
    "wanted",
    "counter_id",
    "desk_pool_id",
    "released",
    "row_stamp",
)
_CHANNELS = tuple(channel.value for channel in Channel)
_LOWERED = 499  # one slot in so many had its 希望定員 lowered after it was booked


class Desk(NamedTuple):
    """A desk pool: its places per time and channel, and the seconds at which its times start on each weekday."""

    id: int
    counter_id: int
    site: str
    serves: frozenset[str]
    length: int
    places: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]


class Place(NamedTuple):
    """A slot taken by somebody."""

    slot_id: int
    counter_id: int
    day: int
    start: int
    end: int
    channel: str


class Sheet:
    """One desk pool on one day: places used per time and channel."""

    __slots__ = ("booked", "capacity", "day", "desk", "first_id", "starts", "used")

    def __init__(self, desk: Desk, day: int, first_id: int) -> None:
        self.desk, self.day, self.first_id = desk, day, first_id
        self.starts = desk.starts[day % 7]
        self.capacity = desk.places * len(self.starts)
        self.used = [0] * len(self.capacity)
        self.booked: set[int] = set()  # slots that a reservation names, be it a cancelled one

    def take(self, units: int, channel: int, random: Callable[[], float], early: float) -> Place | None:
        """Takes `units` places of one slot: of the wished channel if any is left; `early` > 1 prefers the morning."""
        at = self._find(units, channel, random, early)
        if at is None:
            return None
        self.used[at] += units
        self.booked.add(at)
        return self.place(at)

    def place(self, at: int) -> Place:
        when, channel = divmod(at, len(_CHANNELS))
        start = self.starts[when]
        return Place(self.first_id + at, self.desk.counter_id, self.day, start, start + self.desk.length, _CHANNELS[channel])

    def _find(self, units: int, channel: int, random: Callable[[], float], early: float) -> int | None:
        used, capacity, many = self.used, self.capacity, len(_CHANNELS)
        for _ in range(3):
            at = int(len(self.starts) * random() ** early) * many + channel
            if used[at] + units <= capacity[at]:
                return at
        for other in (channel, 0, 1, 2, 3):
            for at in range(other, len(used), many):
                if used[at] + units <= capacity[at]:
                    return at
        return None

    def rows(self, *, booked_only: bool) -> Iterator[tuple[Any, ...]]:
        """The slots as rows. A channel without places has no slot; a lowered 希望定員 leaves what is taken standing."""
        for at, used in enumerate(self.used):
            if self.capacity[at] and (not booked_only or at in self.booked):
                place = self.place(at)
                lowered = place.slot_id % _LOWERED == 0 and used > 0
                capacity, wanted = (used, used - 1) if lowered else (self.capacity[at], self.capacity[at])
                yield (
                    place.slot_id,
                    ISO[self.day],
                    clock(place.start),
                    clock(place.end),
                    place.channel,
                    capacity,
                    used,
                    wanted,
                    place.counter_id,
                    self.desk.id,
                    0,
                    1,
                )


class Desks:
    """Every desk pool on every open day; slot numbers grow with the day."""

    def __init__(self, connection: Connection, sites: tuple[str, ...], first: int, last: int) -> None:
        with Session(connection) as session:
            self.desks = read_desks(session, sites)
            self._closed = _closed(session, {desk.counter_id for desk in self.desks}, range(first, last))
        self._of = {(desk.site, code): i for i, desk in reversed(list(enumerate(self.desks))) for code in desk.serves}
        self._first_ids: dict[int, list[int]] = {}
        self._sheets: dict[int, list[Sheet | None]] = {}
        next_id = 1
        for day in range(first, last):
            self._first_ids[day] = []
            for desk in self.desks:
                self._first_ids[day].append(next_id)
                next_id += len(_CHANNELS) * len(desk.starts[day % 7])

    def is_open(self, site: str, day: int) -> bool:
        return self.sheet(site, "pickup", day) is not None

    def sheet(self, site: str, procedure: str, day: int) -> Sheet | None:
        """The sheet of the desk that serves a procedure at a site; None on a day that is closed or out of range."""
        at = self._of.get((site, procedure))
        sheets = self._sheets.get(day) or self._open(day)
        return sheets[at] if sheets and at is not None else None

    def _open(self, day: int) -> list[Sheet | None]:
        if day not in self._first_ids:
            return []
        self._sheets[day] = [
            Sheet(desk, day, first_id) if self._is_open(desk, day) else None
            for desk, first_id in zip(self.desks, self._first_ids[day], strict=True)
        ]
        return self._sheets[day]

    def _is_open(self, desk: Desk, day: int) -> bool:
        return bool(desk.starts[day % 7]) and (desk.counter_id, day) not in self._closed

    def capacity(self, day: int) -> int:
        return sum(sum(sheet.capacity) for sheet in self._sheets.get(day) or self._open(day) if sheet)

    def close(self, day: int, *, booked_only: bool) -> list[tuple[Any, ...]]:
        """The slots of a day on which nobody books any more."""
        self._sheets.get(day) or self._open(day)
        return [row for sheet in self._sheets.pop(day, []) if sheet for row in sheet.rows(booked_only=booked_only)]


def read_desks(session: Session, sites: tuple[str, ...]) -> list[Desk]:
    """The desk pools of the demo's satellites as the masters have them now."""
    pools = select(DeskPool).join(Counter).where(Counter.code.in_(sites)).order_by(DeskPool.id)
    found = [_desk(pool) for pool in session.scalars(pools)]
    if not {"pickup", "apply", "certificate"} <= {code for desk in found for code in desk.serves}:
        raise AppError("窓口枠が足りません。サテライトの窓口枠に、交付時来庁・申請時来庁・電子証明書更新を割り当ててください。")
    return found


def _desk(pool: DeskPool) -> Desk:
    counter, places = pool.counter, places_of(pool)
    starts = {hours.weekday: tuple(_starts(hours, pool.interval_minutes)) for hours in counter.hours}
    return Desk(
        pool.id,
        counter.id,
        counter.code,
        frozenset(category.code for category in pool.categories),
        pool.interval_minutes * 60,
        tuple(places.get(channel, 0) for channel in Channel),
        tuple(starts.get(weekday, ()) for weekday in Weekday),
    )


def _starts(hours: CounterHours, minutes: int) -> Iterator[int]:
    for start, _end in times_of(hours, minutes):
        yield start.hour * 3600 + start.minute * 60 + start.second


def _closed(session: Session, counters: set[int], days: range) -> set[tuple[int, int]]:
    """Counters and the days on which they are closed."""
    closures = session.scalars(select(CounterClosure)).all()
    places = session.scalars(select(Counter).where(Counter.id.in_(counters))).all()
    return {(place.id, day) for day in days for place in places if why_closed(place, day_of(day), closures)}
