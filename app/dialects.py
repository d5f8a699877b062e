"""Where the two databases want other words for the same thing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def one_at_a_time(session: Session, what: str) -> None:
    """Until this transaction ends, another that does the same waits here. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(what))))


def insert_new(session: Session, table: Table) -> Any:
    """An INSERT that leaves alone what is there already. Where somebody else is just adding the same, PostgreSQL waits for them."""
    return _insert(session, table).on_conflict_do_nothing()


def insert_or_change(session: Session, table: Table, key: str, leave: Collection[str] = ()) -> Any:
    """An INSERT that changes the row with the same key where there is one, at once, but for the columns that it is to leave."""
    insert = _insert(session, table)
    same = {"id", key, *leave}
    changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in same}
    return insert.on_conflict_do_update(index_elements=[key], set_=changed)


def _insert(session: Session, table: Table) -> Any:
    return (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(table)
