"""Where a load of several years stands: kept in the database beside the rows of each whole year, so that one that breaks off goes on
from there. What is kept is the story itself; read again, it tells the rest as it would have told it."""

from __future__ import annotations

import io
import json
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table, Text, inspect, select

from app.demo.diary import Write
from app.demo.story import Story

_TABLE = Table("demo_checkpoint", MetaData(), Column("about", Text, nullable=False), Column("story", LargeBinary, nullable=False))
_WRITE = "write"  # stands for the way out, which belongs to the process
Run = Callable[..., Any]


@dataclass(frozen=True)
class Checkpoint:
    """The plan of the load, the rows of each table so far, what is to be built again at the end, and the story as bytes."""

    plan: str
    counts: dict[str, int]
    rebuild: list[str]
    story: bytes

    def save(self, run: Run, blob: str, mark: str) -> None:
        """Replaces the one before. `blob` and `mark` are how the database writes the type of bytes and a parameter."""
        run(f"CREATE TABLE IF NOT EXISTS {_TABLE.name} (about TEXT NOT NULL, story {blob} NOT NULL)")
        run(f"DELETE FROM {_TABLE.name}")
        about = json.dumps({"plan": self.plan, "counts": self.counts, "rebuild": self.rebuild})
        run(f"INSERT INTO {_TABLE.name} (about, story) VALUES ({mark}, {mark})", (about, self.story))


def found(connection: Connection) -> Checkpoint | None:
    """Where a load that broke off stands."""
    if not inspect(connection).has_table(_TABLE.name):
        return None
    row = connection.execute(select(_TABLE)).one()
    return Checkpoint(**json.loads(row.about), story=row.story)


def drop(run: Run) -> None:
    run(f"DROP TABLE IF EXISTS {_TABLE.name}")


def frozen(story: Story, write: Write) -> bytes:
    """The story as it stands, without its way out."""
    out = io.BytesIO()
    _Pickler(out, write).dump(story)
    return zlib.compress(out.getvalue(), 1)


def thawed(state: bytes, write: Write) -> Story:
    story: Story = _Unpickler(io.BytesIO(zlib.decompress(state)), write).load()
    return story


class _Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, write: Write) -> None:
        super().__init__(out, pickle.HIGHEST_PROTOCOL)
        self._write = write

    def persistent_id(self, thing: Any) -> str | None:
        return _WRITE if thing is self._write else None


class _Unpickler(pickle.Unpickler):
    """Reads nothing but what this program wrote into its own database."""

    def __init__(self, data: io.BytesIO, write: Write) -> None:
        super().__init__(data)
        self._write = write

    def persistent_load(self, pid: Any) -> Write:
        return self._write
