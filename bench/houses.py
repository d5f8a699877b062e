"""The databases the benches run on: N years of Kobe, made once by the product's own commands and kept in an ignored folder."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from config import ROOT, VAR, Settings
from models import Card

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")
PASSWORD, KEY = "correct-horse-7", "bench-" * 8
FOLDER = VAR / "bench"
UNTIL = "2026-10-31"  # fixed, so that every run measures the same rows


def environment(url: str, **more: str) -> dict[str, str]:
    """Settings of the product for a bench: a developer's own do not count."""
    own = {name.upper() for name in Settings.model_fields}
    return {
        **{name: value for name, value in os.environ.items() if name not in own},
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "DEMO": "1",
        "DEMO_PASSWORD": PASSWORD,
        "TRUSTED_PROXIES": "127.0.0.1",
        "FLASK_APP": "run",
        **more,
    }


def flask(env: dict[str, str], *words: str, quiet: bool = True) -> None:
    """One of the product's commands."""
    output = subprocess.DEVNULL if quiet else None
    subprocess.run([sys.executable, "-m", "flask", *words], env=env, cwd=ROOT, check=True, stdout=output)


def server_url(name: str) -> str:
    """A database of this name on the PostgreSQL that tests use."""
    url = Settings(_env_file=None).test_postgres_url.replace("postgresql+psycopg://", "postgresql://")
    return f"{url.rsplit('/', 1)[0]}/{name}"


def recreate(name: str) -> str:
    """An empty database of this name; its URL."""
    with psycopg.connect(server_url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return server_url(name)


def engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


@cache
def recipe() -> str:
    """Changes whenever the tables, or the rows that are made for them, would be others."""
    sources = [*(ROOT / "migrations" / "versions").glob("*.py"), *(ROOT / "app" / "demo").glob("*.py"), ROOT / "app" / "text.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()


@dataclass(frozen=True)
class House:
    """A database of so many years."""

    kind: Kind
    years: int
    volume: str = "kobe"
    folder: Path = FOLDER

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.volume}-{self.years}y.db"

    @property
    def _name(self) -> str:
        return f"{self.volume}_bench_{self.years}y"

    @property
    def url(self) -> str:
        return f"sqlite:///{self._file}" if self.kind == "sqlite" else server_url(self._name)

    @property
    def env(self) -> dict[str, str]:
        return environment(self.url, LIMIT_LOGIN="1000 per minute")

    @cached_property
    def engine(self) -> Engine:
        return engine(self.url)

    @property
    def _mark(self) -> Path:
        return self.folder / f"{self.kind}-{self.volume}-{self.years}y.ready"

    def build(self) -> float:
        """Makes the database, unless it stands ready. One that broke off goes on from its last whole year; one that was made for
        other tables is begun again. Says how many seconds the loading took when it was made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = self._made()
        if made.get("recipe") != recipe() or not self._has_rows():
            self._mark.unlink(missing_ok=True)
            self._clear()
            flask(self.env, "setup")
            made = {"recipe": recipe(), "seconds": 0.0, "is_ready": False}
            self._mark.write_text(json.dumps(made))
        if not made["is_ready"]:
            self._load(made)
        return float(made["seconds"])

    def _load(self, made: dict[str, Any]) -> None:
        """Time that a load spent before it broke off counts, as far as its process could say so."""
        begun = time.perf_counter()
        try:
            flask(self.env, "demo", "load", "--volume", self.volume, "--years", f"{self.years}", "--until", UNTIL, quiet=False)
            made["is_ready"] = True
        finally:
            made["seconds"] += time.perf_counter() - begun
            self._mark.write_text(json.dumps(made))

    def _made(self) -> dict[str, Any]:
        try:
            found = json.loads(self._mark.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _has_rows(self) -> bool:
        """Whether the cards of a first year, at least, are there."""
        try:
            with self.engine.connect() as connection:
                return connection.scalar(select(Card.id).limit(1)) is not None
        except SQLAlchemyError:
            return False

    def _clear(self) -> None:
        self.engine.dispose()
        if self.kind == "sqlite":
            for path in self.folder.glob(f"{self._file.name}*"):
                path.unlink()
        else:
            recreate(self._name)
