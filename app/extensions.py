"""The session and the engines: one session class that scopes, stamps and logs; SQLite told to behave like a server."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections import defaultdict
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from app import audit, holding, keys, periods, plans, private, rows, scope
from app.letters import places
from app.rules import projection
from models import metadata

WRITER_WAIT = 5.0  # seconds a SQLite writer waits for its turn before the person is asked to try again


class AppSession(FlaskSession):
    """The only session class of the product: every hook below hangs on it, and it has the keys of its application."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        keys.give(self, current_app.extensions["keys"])


scope.attach(AppSession)
holding.attach(AppSession)
rows.attach(AppSession)
periods.attach(AppSession)
places.attach(AppSession)
audit.attach(AppSession)
projection.attach(AppSession)

db = SQLAlchemy(metadata=metadata, session_options={"class_": AppSession})
reading: ContextVar[bool] = ContextVar("reading", default=False)
"""True while a request only reads: SQLite then begins without taking the one writer's place."""

answering: ContextVar[bool] = ContextVar("answering", default=False)
"""True while somebody waits at a screen: PostgreSQL then gives a statement up after `PATIENCE`. Jobs and commands may take longer."""
PATIENCE = "15s"

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""Whose turn it is to write, by database file."""


def _readable_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def engine_options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"hide_parameters": True, "json_serializer": _readable_json}
    if url.startswith("sqlite"):
        connect = {"timeout": WRITER_WAIT, "check_same_thread": False, "factory": _Queued}
        return {**options, "connect_args": connect, "pool_size": 20, "max_overflow": 40}
    # No statement is prepared because it was seen often; `app.plans` says which ones are. Starting parallel workers costs more
    # than any question of a screen takes.
    return {
        **options,
        "pool_size": 20,
        "max_overflow": 20,
        "pool_recycle": 1800,
        "connect_args": {
            "prepare_threshold": sys.maxsize,
            "connect_timeout": 5,
            "options": "-c lock_timeout=3s -c timezone=UTC -c max_parallel_workers_per_gather=0",
        },
    }


def tune(engine: Engine) -> None:
    """SQLite: write-ahead log, foreign keys, full durability, and writers that queue in front of the file. PostgreSQL: patience."""
    if getattr(engine, "_tuned", False):
        return
    engine._tuned = True  # type: ignore[attr-defined]
    if engine.dialect.name == "postgresql":
        event.listen(engine, "checkout", _postgres_patience)
        event.listen(engine, "do_execute", _prepared)
        return
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", _sqlite_begin)


def _postgres_patience(dbapi: Any, record: Any, _proxy: Any) -> None:
    """Said again only when a connection goes from a screen to a job or back, so that a request pays nothing for it."""
    wanted = PATIENCE if answering.get() else "0"
    if record.info.get("patience") != wanted:
        dbapi.execute(f"SET statement_timeout = '{wanted}'")
        dbapi.commit()
        record.info["patience"] = wanted


def _prepared(cursor: Any, statement: str, values: Any, context: Any) -> bool | None:
    """Runs a statement whose plan is kept; SQLAlchemy runs the others. (It calls this for the statements it wrote itself alone.)"""
    if not plans.is_prepared(context):
        return None
    cursor.execute(statement, values, prepare=True)
    return True


def _sqlite_pragmas(dbapi: Any, _record: Any) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(WRITER_WAIT * 1000)}",
        "cache_size=-65536",
        "mmap_size=268435456",
        "temp_store=MEMORY",
    ):
        dbapi.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    try:
        connection.connection.dbapi_connection.begin(writing=not reading.get())
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN", None, error) from error


class _Queued(sqlite3.Connection):
    """A connection that waits for its turn to write. SQLite's own waiting sleeps and starves the unlucky; threads of this
    process queue here instead, until the commit or rollback of the one before them has ended."""

    def __init__(self, database: str, *args: Any, **kw: Any) -> None:
        file = Path(database)
        if file.is_absolute() and file.parent.is_dir():
            private.file(file)  # nobody else's from the moment it is made, whoever opens it first
        super().__init__(database, *args, **kw)
        self.turn, self.writes = _turns[database], False

    def begin(self, *, writing: bool) -> None:
        if not writing:
            self.execute("BEGIN")
            return
        if not self.turn.acquire(timeout=WRITER_WAIT):
            raise sqlite3.OperationalError("database is locked")
        self.writes = True
        try:
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._let_next()
            raise

    def commit(self) -> None:
        super().commit()
        self._let_next()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._let_next()

    def close(self) -> None:
        super().close()
        self._let_next()

    def _let_next(self) -> None:
        if self.writes:
            self.writes = False
            self.turn.release()
