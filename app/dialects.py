"""Where the two databases want other words for the same thing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_new(session: Session, table: Table) -> Any:
    """An INSERT that leaves alone what is there already. Where somebody else is just adding the same, PostgreSQL waits for them."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
