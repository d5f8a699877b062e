"""The session and the engines: one session class that scopes, stamps and logs; SQLite told to behave like a server."""

from __future__ import annotations

import json
import threading
from contextvars import ContextVar
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from app import audit, rows, scope
from models import metadata

WRITER_WAIT = 5.0  # seconds a SQLite writer waits for its turn before the person is asked to try again


class AppSession(FlaskSession):
    """The only session class of the product: every hook below hangs on it."""


scope.attach(AppSession)
rows.attach(AppSession)
audit.attach(AppSession)

db = SQLAlchemy(metadata=metadata, session_options={"class_": AppSession})
reading: ContextVar[bool] = ContextVar("reading", default=False)
"""True while a request only reads: SQLite then begins without taking the one writer's place."""

_writer = threading.Lock()


def _readable_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def engine_options(url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"hide_parameters": True, "json_serializer": _readable_json}
    if url.startswith("sqlite"):
        return {**options, "connect_args": {"timeout": WRITER_WAIT, "check_same_thread": False}, "pool_size": 20, "max_overflow": 40}
    # Prepared statements would be planned once for all values and then ignore the selective index.
    return {**options, "pool_size": 20, "max_overflow": 20, "pool_recycle": 1800,
            "connect_args": {"prepare_threshold": None, "connect_timeout": 5, "options": "-c lock_timeout=3s -c timezone=UTC"}}


def tune(engine: Engine) -> None:
    """SQLite: write-ahead log, foreign keys, full durability, and writers that queue in front of the file."""
    if engine.dialect.name != "sqlite" or getattr(engine, "_tuned", False):
        return
    engine._tuned = True  # type: ignore[attr-defined]
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", _sqlite_begin)
    event.listen(engine, "commit", _sqlite_end)
    event.listen(engine, "rollback", _sqlite_end)


def _sqlite_pragmas(dbapi: Any, _record: Any) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={int(WRITER_WAIT * 1000)}",
                   "cache_size=-65536", "mmap_size=268435456", "temp_store=MEMORY"):
        dbapi.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    if reading.get():
        connection.exec_driver_sql("BEGIN")
        return
    # SQLite's own waiting sleeps and starves the unlucky; threads of this process queue here instead.
    if not _writer.acquire(timeout=WRITER_WAIT):
        raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("database is locked"))
    connection.info["writes"] = True
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except BaseException:
        _sqlite_end(connection)
        raise


def _sqlite_end(connection: Any) -> None:
    if connection.info.pop("writes", False):
        _writer.release()
