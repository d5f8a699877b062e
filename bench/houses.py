"""The databases the benches run on: N years of Kobe, made once by the product's own commands and kept in an ignored folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from config import ROOT, Settings

PASSWORD = "correct-horse-7"
FOLDER = ROOT / "var" / "bench"
UNTIL = "2026-10-31"  # fixed, so that every run measures the same rows
COMMON, ABSENT = "翔太", "龘龘"


@dataclass(frozen=True)
class Facts:
    """Where to aim: a row, a place 90 % down, names by how common they are, a day at a counter."""

    row: int
    deep: int
    searches: tuple[tuple[str, str, bool], ...]
    filter: str


@dataclass(frozen=True)
class House:
    kind: str
    years: int

    @property
    def url(self) -> str:
        if self.kind == "sqlite":
            return f"sqlite:///{FOLDER / f'kobe-{self.years}y.db'}"
        base = Settings(_env_file=None).test_postgres_url.rsplit("/", 1)[0]
        return f"{base}/kobe_bench_{self.years}y"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "DEMO": "1",
            "DEMO_PASSWORD": PASSWORD,
            "SECRET_KEY": "bench " * 8,
            "APP_ENV": "development",
            "FLASK_APP": "run",
            "LIMIT_LOGIN": "1000 per minute",
            "TRUSTED_PROXIES": "127.0.0.1",
        }

    @property
    def mark(self) -> Path:
        return FOLDER / f"{self.kind}-{self.years}y.ready"

    def build(self) -> None:
        """Makes the database if it is not there yet, or brings it up to date; one that was not finished is begun again."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        is_made = self.mark.exists() and self.exists()
        if not is_made:
            self.mark.unlink(missing_ok=True)
            self.clear()
        flask = [sys.executable, "-m", "flask"]
        subprocess.run([*flask, "setup"], env=self.env, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        if is_made:
            return
        start = time.perf_counter()
        subprocess.run(
            [*flask, "demo", "load", "--volume", "kobe", "--years", str(self.years), "--until", UNTIL],
            env=self.env,
            check=True,
            cwd=ROOT,
        )
        self.mark.write_text(f"{time.perf_counter() - start:.1f}")

    def exists(self) -> bool:
        try:
            with self.engine().connect() as connection:
                return bool(connection.scalar(text("SELECT 1 FROM card LIMIT 1")))
        except SQLAlchemyError:
            return False

    def clear(self) -> None:
        if self.kind == "sqlite":
            for path in FOLDER.glob(f"kobe-{self.years}y.db*"):
                path.unlink()
            return
        base, name = self.url.rsplit("/", 1)
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')

    def engine(self):  # type: ignore[no-untyped-def]
        return create_engine(self.url.replace("postgresql://", "postgresql+psycopg://"))

    def facts(self, table: str) -> Facts:
        with self.engine().connect() as c:
            mine = c.scalar(text("SELECT id FROM counter WHERE code = 'sannomiya'"))
            low, high = c.execute(text(f"SELECT min(id), max(id) FROM {table}")).one()
            deep = high - int((high - low) * 0.9)
            if table == "operation_log":
                user = c.scalar(
                    text("SELECT user_id FROM operation_log WHERE id > :i AND user_id <> 'system' LIMIT 1"), {"i": deep}
                )
                name = c.scalar(text("SELECT user_name FROM operation_log WHERE user_id = :u LIMIT 1"), {"u": user})
                day = str(c.scalar(text("SELECT started_at FROM operation_log WHERE id = :i"), {"i": (low + high) // 2}))[:10]
                return Facts(
                    high,
                    deep,
                    (("common", name, True), ("absent", ABSENT, False)),
                    f"started_at_from={day}&started_at_to={day}&action_class=edit",
                )
            place = "issue_site_id" if table == "card" else "counter_id"
            row = c.scalar(text(f"SELECT max(id) FROM {table} WHERE {place} = :m"), {"m": mine})
            day_column = "application_date" if table == "card" else "booking_date"
            day = str(
                c.scalar(
                    text(f"SELECT {day_column} FROM {table} WHERE id >= :i AND {place} = :m ORDER BY id LIMIT 1"),
                    {"i": (low + high) // 2, "m": mine},
                )
            )[:10]
            rare = c.scalar(
                text(f"SELECT name FROM {table} WHERE {place} = :m AND id >= :i ORDER BY id LIMIT 1"), {"m": mine, "i": deep}
            )
            where = f"{day_column}_from={day}&{day_column}_to={day}&{place.removesuffix('_id')}={mine}"
            return Facts(row, deep, (("common", COMMON, True), ("rare", rare, True), ("absent", ABSENT, False)), where)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def serving(house: House, site: str, workers: int = 1, **env: str) -> Iterator[int]:
    """One site of the product under gunicorn, as in production but for its settings."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-w",
        str(workers),
        "-b",
        f"127.0.0.1:{port}",
        "--log-level",
        "error",
        f"deploy.wsgi:{site}",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**house.env, **env}, start_new_session=True)
    try:
        wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def wait_for(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not answer")
