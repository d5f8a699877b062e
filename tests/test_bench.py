"""The benches write to tables and fill in pages by hand: each of their statements and walks is tried here once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.demo.volumes import VOLUMES
from bench import bare, calendar, panel, quiet, residents
from bench.figures import FORM, LIST, Aim, Figure, table
from bench.houses import KEY, recipe
from bench.houses import House as Kept
from bench.quiet import Machine
from bench.servers import threaded
from bench.walking import Place
from config import ROOT
from models import Card, OperationLog, Reservation, Slot
from tests.booking_pages import day_path, free_slot
from tests.conftest import House
from tests.sites import site


@pytest.fixture
def place(session: Session) -> Place:
    """A time with one place left."""
    slot = free_slot(session, places=1)
    found = Place(slot.id, day_path(slot))
    session.commit()
    return found


def stored(session: Session) -> tuple[int, int, int]:
    """Places in use, reservations, and acts of residents in the log."""
    session.rollback()
    booked = select(func.count()).select_from(OperationLog).where(OperationLog.action_code == "reservation.book")
    counted = (select(func.sum(Slot.used)), select(func.count(Reservation.id)), booked.where(OperationLog.user_id == "resident"))
    return tuple(session.scalar(one) or 0 for one in counted)  # type: ignore[return-value]


def test_the_bare_view_writes_what_a_booking_writes(
    database: House, session: Session, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("bookings are measured on PostgreSQL only")
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.replace("+psycopg", ""))
    database.database.is_changed = True  # by a connection that the fixture does not see
    with threaded(bare.app) as port:
        send = residents.bare(port, [place])
        assert [send(1).how, send(2).how] == ["booked", "refused"]
    bare.connection().close()
    bare.connection.cache_clear()
    assert stored(session) == (1, 1, 1)


@pytest.mark.parametrize("resident", [residents.sender, residents.holder, residents.walker])
def test_a_resident_of_the_bench_books_the_last_place(resident: Any, database: House, session: Session, place: Place) -> None:
    with site(database, "resident", secret_key=KEY, trusted_proxies=("127.0.0.1",), form_seconds=0) as app, threaded(app) as port:
        assert resident(port, [place])(1).how == "booked"
    assert stored(session) == (1, 1, 1)


@pytest.mark.timeout(600)  # loads a small volume by the commands, and serves it
def test_a_house_of_older_tables_is_built_anew_and_every_cell_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Kept("sqlite", 1, volume="small", folder=tmp_path)
    for name in ("small-1y.db", "small-1y.db-wal", "sqlite-small-1y.ready"):
        (tmp_path / name).write_text("38.9")  # what an earlier version left
    seconds = house.build()
    mark = tmp_path / "sqlite-small-1y.ready"
    assert json.loads(mark.read_text()) == {"recipe": recipe(), "seconds": seconds, "is_ready": True}
    made = (tmp_path / "small-1y.db").stat().st_ino
    assert house.build() == seconds and (tmp_path / "small-1y.db").stat().st_ino == made, "what is ready is left as it is"
    monkeypatch.setattr(panel, "RUNS", 1)
    monkeypatch.setattr(panel, "WARM", 0)
    monkeypatch.setattr(quiet, "TRIES", 1)
    monkeypatch.setattr(quiet, "LOOKS", 1)
    shown = panel.show(panel.run(house, Machine())).splitlines()
    assert len(shown) == 2 + len(panel.CELLS)
    assert len(calendar.show(calendar.run(house, Machine())).splitlines()) == 2 + len(calendar.pages(date.max))
    assert [line.count("–") for line in shown[2:]] == [0] * 7 + [1, 1], "only the log has no form and nothing to save"


@pytest.mark.timeout(600)
def test_a_house_whose_making_was_killed_is_finished_and_not_made_anew(tmp_path: Path) -> None:
    house = Kept("sqlite", 3, volume="small", folder=tmp_path)
    database = tmp_path / "small-3y.db"
    words = (
        f"from pathlib import Path; from bench.houses import House; House('sqlite', 3, 'small', Path({str(tmp_path)!r})).build()"
    )
    making = subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        waited_for(lambda: has_table(database, "demo_checkpoint") and database.stat().st_size > 0, 120)
    finally:
        os.killpg(making.pid, signal.SIGKILL)
        making.wait()
    assert json.loads((tmp_path / "sqlite-small-3y.ready").read_text())["is_ready"] is False
    made = database.stat().st_ino
    house.build()
    assert database.stat().st_ino == made
    assert json.loads((tmp_path / "sqlite-small-3y.ready").read_text())["is_ready"] is True
    assert not has_table(database, "demo_checkpoint")
    with house.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Card)) == 3 * VOLUMES["small"].cards


def has_table(database: Path, name: str) -> bool:
    """Whether a database that another process may be writing holds this table."""
    if not database.exists():
        return False
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(database, timeout=0)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
    return False


def waited_for(happened: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("milliseconds", "aim", "before", "words"),
    [
        ((12.3, 45.6), LIST, None, "12.3 / 45.6"),
        ((31, 61), LIST, None, "31.0！ / 61.0！"),
        ((15, 99), FORM, None, "15.0 / 99.0"),
        ((13, 20), Aim(), Figure(10, 20), "13.0 / 20.0（1.30倍）"),
        ((14, 20), Aim(), Figure(10, 20), "14.0 / 20.0（1.40！倍）"),
    ],
)
def test_figures_that_miss_their_aim_are_marked(
    milliseconds: tuple[float, float], aim: Aim, before: Figure | None, words: str
) -> None:
    assert Figure(*milliseconds).words(aim, before) == words


def test_tables_line_up_for_the_eye() -> None:
    assert table([("", "カード"), ("参照", "1.0")]).splitlines() == [
        "|      | カード |",
        "| ---- | ------ |",
        "| 参照 | 1.0    |",
    ]
