"""Locks between processes: a file beside a SQLite database, an advisory lock in PostgreSQL."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, text

from app import private

SETUP = 0x736574  # "set": held by one set-up at a time


def take(path: Path, *, wait: bool = False) -> IO[str] | None:
    """The locked file, to be kept open while the lock is wanted; None when another process has it. It dies with the process."""
    file = private.file(path).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def one_set_up(engine: Engine) -> Iterator[None]:
    """Two deploys at once: the second waits until the first has finished, and then finds nothing left to do."""
    if engine.dialect.name == "sqlite":
        held = take(Path(f"{engine.url.database}.setup.lock"), wait=True)
        assert held is not None
        with held:
            yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET lock_timeout = '300s'"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": SETUP})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": SETUP})
            connection.execute(text("SET lock_timeout = '3s'"))
