"""The two ways into a database: SQLite's `executemany` and PostgreSQL's `COPY`, both in one transaction, all or nothing.

Both set aside what would be kept up to date row by row (secondary indexes, full-text triggers, on PostgreSQL foreign keys too)
and build it once at the end; if anything fails, the transaction puts everything back. A load of several years commits each whole
year together with its checkpoint, and then it is from there that the next attempt goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from sqlalchemy import Engine

from app.demo import checkpoints
from app.demo.cards import CARD_COLUMNS
from app.demo.checkpoints import Checkpoint
from app.demo.desks import SLOT_COLUMNS
from app.demo.diary import DOCUMENT_COLUMNS, HISTORY_COLUMNS, LOG_COLUMNS, NOTE_COLUMNS, SHIPMENT_COLUMNS, Row
from app.demo.pickups import LINK_COLUMNS, TICKET_COLUMNS
from app.demo.visits import RESERVATION_COLUMNS

COLUMNS: dict[str, tuple[str, ...]] = {
    "slot": SLOT_COLUMNS,
    "reservation": RESERVATION_COLUMNS,
    "card": CARD_COLUMNS,
    "pickup_card": LINK_COLUMNS,
    "pickup_ticket": TICKET_COLUMNS,
    "card_history": HISTORY_COLUMNS,
    "card_note": NOTE_COLUMNS,
    "shipment": SHIPMENT_COLUMNS,
    "document": DOCUMENT_COLUMNS,
    "operation_log": LOG_COLUMNS,
}
_MEMORY_DATABASES = (None, "", ":memory:")
Progress = Callable[[int, int], None]


class Store(Protocol):
    def write(self, table: str, rows: list[Row]) -> None: ...

    def keep(self, plan: str, counts: dict[str, int], story: bytes) -> None:
        """Commits what was written so far, with where the load stands."""

    def finish(self, progress: Progress) -> None:
        """Builds what was set aside and refreshes the planner's statistics."""


@contextmanager
def opened(engine: Engine, begun: Checkpoint | None = None) -> Iterator[Store]:
    """A store on a raw connection, committed when the block ends well. `begun`: where a load that broke off stands."""
    with (_sqlite if engine.dialect.name == "sqlite" else _postgres)(engine, begun) as store:
        yield store


class SqliteStore:
    def __init__(self, connection: Any, begun: Checkpoint | None) -> None:
        self._run = connection.execute
        self._many = connection.executemany
        self._inserts = {
            table: f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for table, names in COLUMNS.items()
        }
        self._rebuild = begun.rebuild if begun else self._set_aside()

    def _set_aside(self) -> list[str]:
        """Drops what would be kept up to date row by row; says how to build it again."""
        marks = ", ".join("?" * len(COLUMNS))
        found = self._run(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN "
            f"({marks}) AND type IN ('index', 'trigger') ORDER BY type, name",
            tuple(COLUMNS),
        ).fetchall()
        for kind, name, _table, _sql in found:
            self._run(f'DROP {kind.upper()} "{name}"')
        searched = sorted({table for _kind, name, table, _sql in found if name.startswith(f"{table}_fts")})
        return [
            *(f"INSERT INTO {table}_fts({table}_fts) VALUES ('rebuild')" for table in searched),
            *(sql for _kind, _name, _table, sql in found),
        ]

    def write(self, table: str, rows: list[Row]) -> None:
        self._many(self._inserts[table], rows)

    def keep(self, plan: str, counts: dict[str, int], story: bytes) -> None:
        Checkpoint(plan, counts, self._rebuild, story).save(self._run, "BLOB", "?")
        self._run("COMMIT")
        self._run("BEGIN IMMEDIATE")

    def finish(self, progress: Progress) -> None:
        checkpoints.drop(self._run)
        _run_all(self._run, [*self._rebuild, "PRAGMA analysis_limit=1000", "ANALYZE"], progress)


# Rows that keep every CHECK by construction need not be checked one by one: that alone is half the time of a log row.
_FAST = {
    "journal_mode": "DELETE",
    "synchronous": "OFF",
    "foreign_keys": "OFF",
    "ignore_check_constraints": "ON",
    "cache_size": -262144,
    "temp_store": "MEMORY",
}


@contextmanager
def _sqlite(engine: Engine, begun: Checkpoint | None) -> Iterator[Store]:
    """Without waiting for the disk and with a large cache: a demo that a power cut spoils is loaded again."""
    if engine.url.database not in _MEMORY_DATABASES:
        engine.dispose()  # idle connections would keep the journal mode as it is
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    level, connection.isolation_level = connection.isolation_level, None
    before = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _FAST}
    try:
        _set(connection, _FAST)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteStore(connection, begun)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    finally:
        _set(connection, before)
        connection.isolation_level = level
        pooled.close()


def _set(connection: Any, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        with suppress(sqlite3.OperationalError):  # while another process reads, the journal stays as it is
            connection.execute(f"PRAGMA {name}={value}").fetchall()


_INDEXES = """SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid WHERE c.oid = ANY(%s::regclass[]) AND NOT x.indisunique ORDER BY i.relname"""
_KEYS = """SELECT c.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.oid = ANY(%s::regclass[]) AND k.contype = 'f' ORDER BY k.conname"""


class PostgresStore:
    def __init__(self, connection: Any, begun: Checkpoint | None) -> None:
        self._connection, self._cursor = connection, connection.cursor()
        self._run = self._cursor.execute
        self._begin()
        self._rebuild = begun.rebuild if begun else self._set_aside()

    def _begin(self) -> None:
        self._run("SET LOCAL timezone = 'UTC'")
        self._run("SET LOCAL maintenance_work_mem = '256MB'")

    def _set_aside(self) -> list[str]:
        """Drops what would be kept up to date row by row; says how to build it again."""
        tables = [list(COLUMNS)]
        indexes, keys = self._run(_INDEXES, tables).fetchall(), self._run(_KEYS, tables).fetchall()
        for table, name, _sql in keys:
            self._run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        for _table, name, _sql in indexes:
            self._run(f'DROP INDEX "{name}"')
        return [
            *(sql for _table, _name, sql in indexes),
            *(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {sql}' for table, name, sql in keys),
        ]

    def write(self, table: str, rows: list[Row]) -> None:
        with self._cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def keep(self, plan: str, counts: dict[str, int], story: bytes) -> None:
        Checkpoint(plan, counts, self._rebuild, story).save(self._run, "BYTEA", "%s")
        self._connection.commit()
        self._begin()

    def finish(self, progress: Progress) -> None:
        checkpoints.drop(self._run)
        sequences = [
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), greatest(max(id), 1)) FROM {table}"
            for table, names in COLUMNS.items()
            if "id" in names
        ]
        _run_all(self._run, [*self._rebuild, *sequences], progress)


@contextmanager
def _postgres(engine: Engine, begun: Checkpoint | None) -> Iterator[Store]:
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        yield PostgresStore(connection, begun)
        connection.commit()
        _tidy(connection)
    except BaseException:
        connection.rollback()
        raise
    finally:
        pooled.close()


def _tidy(connection: Any) -> None:
    """What the server would do by itself in the next minutes: without it every count looks into the table for each row."""
    connection.autocommit = True
    try:
        for table in COLUMNS:
            connection.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        connection.autocommit = False


def _run_all(run: Callable[[str], Any], statements: list[str], progress: Progress) -> None:
    for done, statement in enumerate(statements):
        progress(done, len(statements))
        run(statement)
    progress(len(statements), len(statements))
