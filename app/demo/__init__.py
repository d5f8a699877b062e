"""Demo data: N years of the four satellites of Kobe, invented but in every proportion like theirs. Same seed, same data."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random

from sqlalchemy import Connection, Engine, delete, func, select

from app.demo import days, volumes
from app.demo.beside import Send, beside
from app.demo.desks import Desks
from app.demo.diary import Row
from app.demo.masters import SITES, ensure_masters
from app.demo.stores import opened
from app.demo.story import Office, Story
from app.demo.volumes import OPEN_DAYS, VOLUMES, VolumeName
from app.errors import AppError, Conflict
from models import BookingCategory, Card, Counter, OperationLog, Reservation, Slot

Progress = Callable[[str, int, int], None]
PROGRESS = "progress"  # the name of messages that are no table
_BATCH = 4000  # rows handed to the database at a time


@dataclass(frozen=True)
class Plan:
    """What to make: the years before `until`, which is the first day that has not happened yet."""

    years: int
    volume: VolumeName
    seed: int
    until: date


def load(engine: Engine, plan: Plan, *, progress: Progress | None = None) -> dict[str, int]:
    """Makes the masters where missing, then the years of the plan; says how many rows went into each table.

    All rows stand in one transaction. The database must hold no card and no reservation; empty slots are made anew.
    """
    report = progress or (lambda _what, _done, _total: None)
    first = days.years_before(plan.until, plan.years)
    if plan.years < 1 or first < volumes.EARLIEST:
        raise AppError(f"年数は1以上で、{volumes.EARLIEST:%Y年%-m月%-d日}より前にさかのぼらないようにしてください。")
    with engine.begin() as connection:
        office = _prepare(connection, first, plan.until)
    counts: Tally[str] = Tally()
    with opened(engine) as store:
        for table, content in beside(lambda send: _tell(office, plan, first, send)):
            if table == PROGRESS:
                report("データ", *content)
            else:
                store.write(table, content)
                counts[table] += len(content)
        store.finish(lambda done, total: report("索引", done, total))
    return dict(counts)


def _prepare(connection: Connection, first: date, until: date) -> Office:
    """Checks that the database is free, and reads the masters and the next number of the log."""
    for model, what in ((Card, "カード"), (Reservation, "予約")):
        if connection.scalar(select(model.id).limit(1)) is not None:
            raise Conflict(f"このデータベースには{what}が入っています。デモデータは、空のデータベースにだけ入れられます。")
    connection.execute(delete(Slot))
    ensure_masters(connection, range(first.year - 1, until.year + 1))
    counters = {code: (number, name) for code, number, name in connection.execute(select(Counter.code, Counter.id, Counter.name))}
    categories = {
        code: (number, name)
        for code, number, name in connection.execute(select(BookingCategory.code, BookingCategory.id, BookingCategory.name))
    }
    desks = Desks(connection, SITES, days.number(first), days.number(until) + OPEN_DAYS + 1)
    next_log_id = (connection.scalar(select(func.max(OperationLog.id))) or 0) + 1
    return Office({code: counters[code] for code in SITES}, categories, desks, next_log_id)


def _tell(office: Office, plan: Plan, first: date, send: Send) -> None:
    """Makes every row and sends them in batches."""
    volume, cut = VOLUMES[plan.volume], days.number(plan.until)
    calendar = volumes.calendar(volume, plan.years, days.number(first), cut, office.desks)
    spool = _Spool(send)
    story = Story(office, volume, calendar, Random(f"{plan.seed} {plan.volume} {plan.years} {plan.until}"), spool.add)
    story.tell(lambda done, total: send((PROGRESS, (done, total))))
    spool.empty()


class _Spool:
    """Gathers rows of each table into batches."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def add(self, table: str, rows: list[Row]) -> None:
        self._rows[table] += rows
        if len(self._rows[table]) >= _BATCH:
            self._send((table, self._rows.pop(table)))

    def empty(self) -> None:
        for table, rows in self._rows.items():
            self._send((table, rows))


__all__ = ["Plan", "ensure_masters", "load"]
