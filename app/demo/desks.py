"""Places of the demo: which slots exist on a day, and taking them so that none is ever over capacity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import time
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app.demo.days import ISO, clock, number
from app.errors import AppError
from models import BookingCategory, Channel, Counter, CounterClosure, CounterHours, DeskPool, Weekday
from models.masters import desk_pool_category

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
                    1,
                )


class Desks:
    """Every desk pool on every open day; slot numbers grow with the day."""

    def __init__(self, connection: Connection, sites: tuple[str, ...], first: int, last: int) -> None:
        self.desks = read_desks(connection, sites)
        self._of = {(desk.site, code): i for i, desk in reversed(list(enumerate(self.desks))) for code in desk.serves}
        self._closed = _closures(connection, {desk.counter_id for desk in self.desks})
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


def read_desks(connection: Connection, sites: tuple[str, ...]) -> list[Desk]:
    """The desk pools of the demo's satellites as the masters have them now."""
    hours = {(h.counter_id, h.weekday): h for h in connection.execute(select(CounterHours.__table__))}
    serves: dict[int, set[str]] = {}
    for pool, code in connection.execute(
        select(desk_pool_category.c.desk_pool_id, BookingCategory.code).join_from(
            desk_pool_category, BookingCategory, desk_pool_category.c.booking_category_id == BookingCategory.id
        )
    ):
        serves.setdefault(pool, set()).add(code)
    found = [_desk(row, site, frozenset(serves.get(row.id, ())), hours) for row, site in _pools(connection, sites)]
    if not {"pickup", "apply", "certificate"} <= {code for desk in found for code in desk.serves}:
        raise AppError("窓口枠が足りません。サテライトの窓口枠に、交付時来庁・申請時来庁・電子証明書更新を割り当ててください。")
    return found


def _pools(connection: Connection, sites: tuple[str, ...]) -> list[tuple[Any, str]]:
    rows = connection.execute(
        select(DeskPool.__table__, Counter.code)
        .join(Counter, DeskPool.counter_id == Counter.id)
        .where(Counter.code.in_(sites))
        .order_by(DeskPool.id)
    )
    return [(row, row.code) for row in rows]


def _desk(row: Any, site: str, serves: frozenset[str], hours: dict[Any, Any]) -> Desk:
    length = row.interval_minutes * 60
    places = (row.web_places, row.callcenter_places, row.counter_places, row.reserve_places)
    starts = tuple(tuple(_starts(hours.get((row.counter_id, weekday)), length)) for weekday in Weekday)
    return Desk(row.id, row.counter_id, site, serves, length, places, starts)


def _starts(hours: Any, length: int) -> Iterator[int]:
    if hours is None:
        return
    breaks = (_seconds(hours.break_start), _seconds(hours.break_end)) if hours.break_start else (0, 0)
    for start in range(_seconds(hours.opens), _seconds(hours.closes) - length + 1, length):
        if not (start < breaks[1] and start + length > breaks[0]):
            yield start


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _closures(connection: Connection, counters: set[int]) -> set[tuple[int, int]]:
    closed: set[tuple[int, int]] = set()
    for row in connection.execute(select(CounterClosure.__table__)):
        for day in range(number(row.starts_on), number(row.ends_on) + 1):
            closed.update((counter, day) for counter in (counters if row.counter_id is None else {row.counter_id}))
    return closed
