"""Demo data: N years of the four satellites of Kobe, invented but in every proportion like theirs. Same seed, same data."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from random import Random

from sqlalchemy import Connection, Engine, delete, func, select

from app.demo import checkpoints, days, volumes
from app.demo.beside import Send, beside
from app.demo.checkpoints import Checkpoint
from app.demo.desks import Desks
from app.demo.diary import Row, Write
from app.demo.masters import SITES, ensure_masters
from app.demo.pickups import Refs, sealed
from app.demo.stores import opened
from app.demo.story import Office, Story
from app.demo.volumes import OPEN_DAYS, VOLUMES, VolumeName
from app.errors import AppError, Conflict
from app.keys import Keys
from models import BookingCategory, Card, Counter, OperationLog, Reservation, Slot

Progress = Callable[[str, int, int], None]
PROGRESS, KEPT = "progress", "kept"  # the names of messages that are no table
_BATCH = 4000  # rows handed to the database at a time


@dataclass(frozen=True)
class Plan:
    """What to make: the years before `until`, which is the first day that has not happened yet."""

    years: int
    volume: VolumeName
    seed: int
    until: date

    @property
    def words(self) -> str:
        return f"--years {self.years} --volume {self.volume} --seed {self.seed} --until {self.until}"


def load(engine: Engine, plan: Plan, keys: Keys, *, progress: Progress | None = None) -> dict[str, int]:
    """Makes the masters where missing, then the years of the plan; says how many rows went into each table.

    The database must hold no card and no reservation; empty slots are made anew. The rows of one year stand in one transaction; of
    several years, each whole one is kept with where the load stands, and the same plan then goes on from there.
    """
    report = progress or (lambda _what, _done, _total: None)
    first = days.years_before(plan.until, plan.years)
    if plan.years < 1 or first < volumes.EARLIEST:
        raise AppError(f"年数は1以上で、{volumes.EARLIEST:%Y年%-m月%-d日}より前にさかのぼらないようにしてください。")
    with engine.begin() as connection:
        begun = _begun(connection, plan)
        tell = (
            partial(checkpoints.thawed, begun.story) if begun else partial(_story, _prepare(connection, first, plan.until), plan)
        )
    counts: Tally[str] = Tally(begun.counts if begun else {})

    def produce(send: Send) -> None:
        spool = _Spool(send)
        write = spool.add
        _tell(tell(write), spool, write)

    with opened(engine, begun) as store:
        for table, content in beside(produce):
            if table == PROGRESS:
                report("データ", *content)
            elif table == KEPT:
                store.keep(plan.words, dict(counts), content)
            else:
                for name, rows in sealed(table, content, keys, plan.until):
                    store.write(name, rows)
                    counts[name] += len(rows)
        store.finish(lambda done, total: report("索引", done, total))
    return dict(counts)


def _begun(connection: Connection, plan: Plan) -> Checkpoint | None:
    """Where an earlier load of this plan broke off. One of another plan must be finished first."""
    begun = checkpoints.found(connection)
    if begun and begun.plan != plan.words:
        raise Conflict(
            f"このデータベースには、途中で終わったデモデータの読み込みがあります（{begun.plan}）。同じ条件で続けてください。"
        )
    return begun


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


def _story(office: Office, plan: Plan, write: Write) -> Story:
    volume, first = VOLUMES[plan.volume], days.number(days.years_before(plan.until, plan.years))
    calendar = volumes.calendar(volume, plan.years, first, days.number(plan.until), office.desks)
    seed = f"{plan.seed} {plan.volume} {plan.years} {plan.until}"
    return Story(office, volume, calendar, Random(seed), write, Refs(seed))


def _tell(story: Story, spool: _Spool, write: Write) -> None:
    """Makes every row and sends them in batches; after each whole year also the story as it stands."""

    def keep() -> None:
        spool.empty()
        spool.send((KEPT, checkpoints.frozen(story, write)))

    story.tell(lambda done, total: spool.send((PROGRESS, (done, total))), keep)
    spool.empty()


class _Spool:
    """Gathers rows of each table into batches."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def add(self, table: str, rows: list[Row]) -> None:
        self._rows[table] += rows
        if len(self._rows[table]) >= _BATCH:
            self.send((table, self._rows.pop(table)))

    def empty(self) -> None:
        for table in list(self._rows):
            self.send((table, self._rows.pop(table)))


__all__ = ["Plan", "ensure_masters", "load"]
