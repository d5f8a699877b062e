"""Bookings per second over HTTP: 16 residents at once, a popular slot and spread ones, and how many places were oversold.

A real gunicorn (4 processes) serves the resident site on a PostgreSQL database of its own. Every limit stays on; the
residents come from many addresses, named in X-Forwarded-For by the one trusted proxy that the bench plays.
    .venv/bin/python -m bench.bookings [--seconds 8]
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing import get_context

import psycopg
from sqlalchemy import Engine, func, select, text, update

from app.context import TOKYO
from bench import figures, houses, residents
from bench.residents import Ended, Resident
from bench.servers import serving
from bench.walking import Place
from config import Settings
from models import BookingCategory, Channel, Counter, DeskPool, Reservation, Slot
from models.bookings import HOLDING

RESIDENTS, WORKERS, CLIENT_PROCESSES, PLACES = 16, 4, 2, 500
FORK = get_context("fork")
Row = tuple[str, ...]
HEAD: Row = ("場面", "件数", "予約/秒", "中央値 ms", "p95 ms", "p99 ms", "断られた数", "定員超過")


@dataclass
class Outcome:
    """What the residents of one process saw."""

    ends: Tally[str] = field(default_factory=Tally)
    waits: list[float] = field(default_factory=list)

    def note(self, ended: Ended) -> None:
        self.ends[ended.how] += 1
        if ended.how == "booked":
            self.waits.append(ended.seconds)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.ends + other.ends, self.waits + other.waits)


@dataclass(frozen=True)
class Scene:
    """Residents who all do the same on the same places."""

    name: str
    make: Callable[[int, list[Place]], Resident]
    places: list[Place]
    seconds: float


def run(seconds: float = 8.0) -> list[Row]:
    """The rows of the table, heading first."""
    with _database() as url:
        env = _environment(url)
        houses.flask(env, "setup")
        houses.flask(env, "slots", "open")
        engine = houses.engine(url)
        places = _places(engine)
        one, many = places[:1], f"{len(places)}枠に分散"
        with serving("bench.bare:app", env, WORKERS) as port:
            rows = [
                _row(engine, port, Scene("（参考）素の Flask、人気の1枠", residents.bare, one, seconds)),
                _row(engine, port, Scene("（参考）素の Flask、分散", residents.bare, places, seconds)),
            ]
        with serving("deploy.wsgi:resident", env, WORKERS) as port:
            rows += [
                _row(engine, port, Scene("人気の1枠（予約の送信）", residents.sender, one, seconds)),
                _row(engine, port, Scene(f"{many}（予約の送信）", residents.sender, places, seconds)),
                _row(engine, port, Scene(f"{many}（全画面を通す）", residents.walker, places, seconds)),
            ]
            _leave(engine, places[0], 50)
            rows.append(_row(engine, port, Scene("残り50の1枠に殺到", residents.sender, one, seconds / 2)))
        engine.dispose()
        return [HEAD, *rows]


@contextmanager
def _database() -> Iterator[str]:
    name = f"kobe_bench_{secrets.token_hex(4)}"
    try:
        yield houses.recreate(name)
    finally:
        with psycopg.connect(houses.server_url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _environment(url: str) -> dict[str, str]:
    redis = Settings(_env_file=None).test_redis_url
    return houses.environment(url, REDIS_URL=redis, FORM_SECONDS="0", WEB_CONCURRENCY=str(WORKERS))


def _places(engine: Engine) -> list[Place]:
    """Free times of the pick-up desks, with room for every booking of the bench."""
    today = datetime.now(TOKYO).date()
    found = (
        select(Slot.id, Counter.code, Slot.slot_date)
        .join(Slot.counter)
        .join(Slot.desk_pool)
        .join(DeskPool.categories)
        .where(BookingCategory.code == "pickup", Slot.channel == Channel.WEB)
        .where(Slot.slot_date.between(today + timedelta(days=4), today + timedelta(days=40)))
        .order_by(Slot.id)
        .limit(PLACES)
    )
    with engine.begin() as connection:
        connection.execute(update(Slot).where(Slot.channel == Channel.WEB).values(capacity=1_000_000, wanted=1_000_000))
        connection.execute(update(BookingCategory).values(asks_notice=False))  # the bench has no cards
        connection.execute(text("ANALYZE"))
        rows = connection.execute(found).all()
    return [Place(slot, f"/book/pickup/{counter}/{day.isoformat()}/") for slot, counter, day in rows]


def _leave(engine: Engine, place: Place, free: int) -> None:
    """Lets a slot have this many places left."""
    with engine.begin() as connection:
        left = Slot.used + free
        connection.execute(update(Slot).where(Slot.id == place.id).values(capacity=left, wanted=left))


def _row(engine: Engine, port: int, scene: Scene) -> Row:
    before, outcome = _stored(engine), _played(scene, port)
    booked, stored = outcome.ends.pop("booked", 0), _stored(engine) - before
    refused = outcome.ends.pop("refused", 0)
    if outcome.ends or not booked or stored != booked:
        raise RuntimeError(f"{scene.name}: booked {booked}, stored {stored}, failed {dict(outcome.ends)}")
    cuts = statistics.quantiles(outcome.waits, n=100)
    return (
        scene.name,
        str(booked),
        f"{booked / scene.seconds:.0f}",
        *(f"{cuts[p - 1] * 1000:.0f}" for p in (50, 95, 99)),
        str(refused),
        figures.marked(_oversold(engine), 0, 0),
    )


def _played(scene: Scene, port: int) -> Outcome:
    """All residents at once, in processes of their own, so that they can ask faster than one interpreter."""
    resident, results = scene.make(port, scene.places), FORK.SimpleQueue()
    crowds = [FORK.Process(target=lambda: results.put(_crowd(resident, scene.seconds))) for _ in range(CLIENT_PROCESSES)]
    for crowd in crowds:
        crowd.start()
    outcome = sum((results.get() for _ in crowds), Outcome())
    for crowd in crowds:
        crowd.join()
    return outcome


def _crowd(resident: Resident, seconds: float) -> Outcome:
    """The residents of one process, each in a thread, until the time is over."""
    outcome, until = Outcome(), time.perf_counter() + seconds

    def book() -> None:
        number = secrets.randbits(20) * 1000
        while time.perf_counter() < until:
            number += 1
            outcome.note(resident(number))

    threads = [threading.Thread(target=book) for _ in range(RESIDENTS // CLIENT_PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def _stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count(Reservation.id))) or 0


def _oversold(engine: Engine) -> int:
    """Slots whose places do not agree with their reservations, or that hold more than they may."""
    units = func.coalesce(func.sum(Reservation.units), 0)
    held = select(units).where(Reservation.slot_id == Slot.id, Reservation.state.in_(HOLDING)).scalar_subquery()
    with engine.connect() as connection:
        return connection.scalar(select(func.count(Slot.id)).where((Slot.used != held) | (Slot.used > Slot.capacity))) or 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each scene lasts")
    print(figures.table(run(parser.parse_args().seconds)))
