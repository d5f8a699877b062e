"""The two kinds of database every test runs on: one template per worker, a fresh copy of it for each test."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import redis
from sqlalchemy import Engine, event

from config import Settings

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
    """A database that can be put back to its template. `build` fills an empty one; it runs once."""

    url: str

    def __init__(self) -> None:
        self.is_built = self.is_changed = False

    def fresh(self, build: Callable[[], None], let_go: Callable[[], None]) -> None:
        """A test begins: the database is as after set-up. `let_go` closes what the applications hold open."""
        if not self.is_built:
            self.make()
            build()
            let_go()
            self.keep()
            self.is_built = True
        elif self.is_changed:
            let_go()
            self.restore()
        self.is_changed = False

    def watch(self, engine: Engine) -> None:
        """Notices whether a test wrote anything; one that only read leaves nothing to put back."""
        event.listen(engine, "before_cursor_execute", self._notice)

    def _notice(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA", "SET ", "SHOW")):
            self.is_changed = True

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
    def __init__(self) -> None:
        super().__init__()
        self.server = Settings(_env_file=None).test_postgres_url
        self.live = f"kobe_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.template = f"{self.live}_template"
        base, _, options = self.server.partition("?")
        self.url = f"{base.rpartition('/')[0]}/{self.live}{'?' + options if options else ''}"

    def make(self) -> None:
        self._run(f"CREATE DATABASE {self.live} TEMPLATE template0 ENCODING 'UTF8'")

    def keep(self) -> None:
        self._run(f"CREATE DATABASE {self.template} TEMPLATE {self.live}")

    def restore(self) -> None:
        self._run(f"DROP DATABASE {self.live} WITH (FORCE)", f"CREATE DATABASE {self.live} TEMPLATE {self.template}")

    def drop(self) -> None:
        self._run(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in (self.live, self.template)))

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
