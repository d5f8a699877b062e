"""The two kinds of database every test runs on: one template per worker, a fresh copy of it for each test."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import redis
from sqlalchemy import Engine, event

from config import Settings
from models import metadata

PASSWORD = "correct-horse-7"


@cache
def missing() -> dict[str, str]:
    """What is not there to test with, and why."""
    settings = Settings(_env_file=None)
    found = {}
    try:
        psycopg.connect(settings.test_postgres_url, connect_timeout=3).close()
    except psycopg.OperationalError:
        found["PostgreSQL"] = "TEST_POSTGRES_URL に接続できません"
    try:
        with redis.Redis.from_url(settings.test_redis_url, socket_connect_timeout=3) as server:
            server.ping()
    except redis.RedisError:
        found["Redis"] = "TEST_REDIS_URL に接続できません"
    if browser() is None:
        found["chromium"] = "ありません。make browser で入ります"
    return found


def browser() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def kinds() -> list[str]:
    return ["sqlite"] if "PostgreSQL" in missing() else ["sqlite", "postgresql"]


class Database:
    """A database that can be put back to what it was after `build`, which fills an empty one once."""

    url: str
    _WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
    _RESHAPES = re.compile(r"\s*(CREATE|ALTER|DROP|TRUNCATE)\b", re.IGNORECASE)

    def __init__(self) -> None:
        self.is_built = False
        self.written: set[str] = set()  # tables that the applications watched here have written to
        self.is_changed = False  # more than that; a test sets it by hand where another process writes

    def fresh(self, build: Callable[[], None], let_go: Callable[[], None]) -> None:
        """A test begins. `let_go` closes what the applications hold open. A test that only read leaves nothing to put back."""
        if not self.is_built:
            self.make()
            build()
            let_go()
            self.keep()
            self.is_built = True
        elif self.written or self.is_changed:
            let_go()
            self.restore()
        self.written, self.is_changed = set(), False

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", self._notice)

    def _notice(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.written.update(self._WRITES.findall(statement))
        self.is_changed = self.is_changed or bool(self._RESHAPES.match(statement))

    def make(self) -> None: ...
    def keep(self) -> None: ...
    def restore(self) -> None: ...
    def drop(self) -> None: ...


class Sqlite(Database):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.live, self.template = folder / "live.db", folder / "template.db"
        self.url = f"sqlite:///{self.live}"

    def keep(self) -> None:
        shutil.copyfile(self.live, self.template)

    def restore(self) -> None:
        for suffix in ("-wal", "-shm"):
            self.live.with_name(self.live.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.template, self.live)


class Postgres(Database):
    """Put back by refilling the tables that a test wrote to; a copy of the whole database, which is slow, only if that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Settings(_env_file=None).test_postgres_url
        self.live = f"kobe_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.template = f"{self.live}_template"
        base, _, options = self.server.partition("?")
        self.url = f"{base.rpartition('/')[0]}/{self.live}{'?' + options if options else ''}"
        self.rows: dict[str, bytes] = {}
        self.counters: list[str] = []

    def make(self) -> None:
        self._sweep()
        self._run(f"CREATE DATABASE {self.live} TEMPLATE template0 ENCODING 'UTF8'")

    def _sweep(self) -> None:
        """Drops what test runs of this machine left behind when they were killed."""
        if not any(host in self.server for host in ("@127.0.0.1", "@localhost")):
            return
        with suppress(psycopg.Error), self._connect(self.server, autocommit=True) as connection:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^kobe_test_[0-9]+_'").fetchall():
                if not _is_running(int(name.split("_")[2])):
                    connection.execute(_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^kobe_test_[0-9]+_'").fetchall():
                if not _is_running(int(name.split("_")[2])):
                    connection.execute(_sql(f"DROP ROLE IF EXISTS {name}"))

    def keep(self) -> None:
        self._run(f"CREATE DATABASE {self.template} TEMPLATE {self.live}")
        with self._connect(self.url) as connection:
            for name in _names():
                with connection.cursor().copy(_sql(f"COPY {name} TO STDOUT")) as copy:
                    self.rows[name] = b"".join(bytes(block) for block in copy)
            self.counters = [
                row[0]
                for row in connection.execute(
                    "SELECT format('SELECT setval(%L, %s, %L)', sequencename, coalesce(last_value, 1), last_value IS NOT NULL) FROM pg_sequences"
                )
            ]

    def restore(self) -> None:
        try:
            if not self.is_changed and self._refill():
                return
        except psycopg.Error:
            pass
        self._run(f"DROP DATABASE {self.live} WITH (FORCE)", f"CREATE DATABASE {self.live} TEMPLATE {self.template}")

    def _refill(self) -> bool:
        """Empties and fills the tables written to and those that refer to them; says whether all others are as they were."""
        touched = _below(self.written)
        # As a replica, which asks no trigger, because the histories and the log refuse to be emptied.
        options = "-c synchronous_commit=off -c lock_timeout=2s -c session_replication_role=replica"
        with self._connect(self.url, options=options) as connection:
            connection.execute(_sql("; ".join(f"DELETE FROM {name}" for name in reversed(touched))))
            for name in touched:
                if self.rows[name]:
                    with connection.cursor().copy(_sql(f"COPY {name} FROM STDIN")) as copy:
                        copy.write(self.rows[name])
            connection.execute(_sql("; ".join(self.counters)))
            counts = connection.execute(_sql(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in _names())))
            return all(self.rows[name].count(b"\n") == count for name, count in counts)

    def drop(self) -> None:
        self._run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (self.live, self.template)))

    def _run(self, *statements: str) -> None:
        with self._connect(self.server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(_sql(statement))

    @staticmethod
    def _connect(url: str, **options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(url, **options)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _sql(statement: str) -> LiteralString:
    """Psycopg wants statements written out in the code; these are put together from our own table names."""
    return cast(LiteralString, statement)  # type: ignore[redundant-cast]


def _names() -> list[str]:
    return [*(table.name for table in metadata.sorted_tables), "alembic_version"]


def _below(names: set[str]) -> list[str]:
    """These tables and all that refer to them, parents first."""
    found: list[str] = []
    for table in metadata.sorted_tables:
        parents = {key.column.table.name for key in table.foreign_keys}
        if table.name in names or parents & set(found):
            found.append(table.name)
    return [*found, *({"alembic_version"} & names)]
