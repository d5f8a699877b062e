"""SQLite has one writer: threads queue for it, and whoever is done lets the next one in, however it ended."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from app import extensions
from app.extensions import engine_options, reading, tune


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path}/a.db", **engine_options("sqlite:///"))
    tune(made)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    yield made
    made.dispose()


def write(engine: Engine, rows: int = 1) -> None:
    with engine.begin() as connection:
        for _ in range(rows):
            connection.execute(text("INSERT INTO t SELECT count(*) FROM t"))


def write_often(engine: Engine) -> None:
    for _ in range(20):
        write(engine, 3)


def count(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.scalar(text("SELECT count(*) FROM t")) or 0


def test_nothing_is_lost_between_many_writers(engine: Engine) -> None:
    threads = [threading.Thread(target=write_often, args=(engine,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(DISTINCT n) FROM t")) == 8 * 20 * 3


def test_a_reader_waits_for_nobody(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(text("INSERT INTO t VALUES (1)"))
        token = reading.set(True)
        try:
            assert count(engine) == 0
        finally:
            reading.reset(token)


def test_who_waits_too_long_is_told_the_database_is_busy(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "WRITER_WAIT", 0.1)
    with engine.begin(), pytest.raises(OperationalError, match="locked"):
        write(engine)
    write(engine)


@pytest.mark.parametrize("end", ["commit", "rollback", "close", "invalidate", "error", "forgotten"])
def test_the_turn_passes_on_however_a_transaction_ends(engine: Engine, end: str) -> None:
    connection = engine.connect()
    connection.execute(text("INSERT INTO t VALUES (1)"))
    if end == "error":
        with pytest.raises(OperationalError):
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        connection.close()
    elif end == "forgotten":
        del connection
        gc.collect()
    else:
        getattr(connection, end)()
    begun = time.monotonic()
    write(engine)
    assert time.monotonic() - begun < 1


def test_databases_do_not_wait_for_each_other(engine: Engine, tmp_path: Path) -> None:
    other = create_engine(f"sqlite:///{tmp_path}/b.db", **engine_options("sqlite:///"))
    tune(other)
    with engine.begin(), other.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    other.dispose()
