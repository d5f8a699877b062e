"""The index of names: how a table with a `search_key` column is searched by two-character pieces, on both databases.

PostgreSQL keeps a GIN index over the pieces. SQLite keeps an FTS5 table beside the table, filled by triggers, that stores no text
of its own. Alembic knows both as one operation, `op.create_search_index("card")`, and `flask db migrate` writes it by itself.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, MetaData, text

from app import beside

_SHADOW = re.compile(r"_fts(_(data|idx|content|docsize|config))?$")


def creating(table: str, dialect: str) -> list[str]:
    """The statements that build a table's index, rows already there included."""
    if dialect == "postgresql":
        return [f"CREATE INDEX ix_{table}_search ON {table} USING gin (string_to_array(search_key, ' '))"]
    # The bar between two texts is a word of its own, so that no phrase runs from one text into the next.
    return [
        f"CREATE VIRTUAL TABLE {table}_fts USING fts5(search_key, content='{table}', content_rowid='id', columnsize=0, "
        "tokenize=\"ascii tokenchars '|'\")",
        *_triggers(table),
        f"INSERT INTO {table}_fts({table}_fts) VALUES ('rebuild')",
    ]


def _triggers(table: str) -> list[str]:
    forget = f"INSERT INTO {table}_fts({table}_fts, rowid, search_key) VALUES ('delete', old.id, old.search_key);"
    learn = f"INSERT INTO {table}_fts(rowid, search_key) VALUES (new.id, new.search_key);"
    return [
        f"CREATE TRIGGER {table}_fts_ai AFTER INSERT ON {table} BEGIN {learn} END",
        f"CREATE TRIGGER {table}_fts_ad AFTER DELETE ON {table} BEGIN {forget} END",
        f"CREATE TRIGGER {table}_fts_au AFTER UPDATE OF search_key ON {table} "
        f"WHEN old.search_key IS NOT new.search_key BEGIN {forget} {learn} END",
    ]


def dropping(table: str, dialect: str) -> list[str]:
    if dialect == "postgresql":
        return [f"DROP INDEX IF EXISTS ix_{table}_search"]
    return [*(f"DROP TRIGGER IF EXISTS {table}_fts_{when}" for when in ("ai", "ad", "au")), f"DROP TABLE IF EXISTS {table}_fts"]


def create(connection: Connection, table: str) -> None:
    """Builds the index; after loading many rows at once this is far faster than keeping it up to date meanwhile."""
    for statement in creating(table, connection.dialect.name):
        connection.execute(text(statement))


def drop(connection: Connection, table: str) -> None:
    for statement in dropping(table, connection.dialect.name):
        connection.execute(text(statement))


def mend(connection: Connection) -> None:
    """SQLite changes a column by copying the whole table, and its triggers are lost with the old one: builds those indexes anew."""
    if connection.dialect.name != "sqlite":
        return
    for table in sorted(existing(connection)):
        triggers = connection.scalar(
            text(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table "
                "AND name LIKE :table || '_fts_a_'"
            ),
            {"table": table},
        )
        if triggers != 3 and connection.dialect.has_table(connection, table):
            drop(connection, table)
            create(connection, table)


def existing(connection: Connection) -> set[str]:
    """Tables whose index stands in the database."""
    if connection.dialect.name == "postgresql":
        found = connection.scalars(
            text(
                r"SELECT tablename FROM pg_indexes WHERE schemaname = current_schema() "
                r"AND indexname = 'ix_' || tablename || '_search'"
            )
        )
    else:
        found = connection.scalars(
            text(
                r"SELECT substr(name, 1, length(name) - 4) FROM sqlite_master "
                r"WHERE type = 'table' AND name LIKE '%\_fts' ESCAPE '\'"
            )
        )
    return set(found)


def wanted(metadata: MetaData) -> set[str]:
    return {table.name for table in metadata.tables.values() if "search_key" in table.columns}


def is_compared(name: str | None, kind: str, parents: Any) -> bool:
    """Alembic's `include_name`: what it may compare with the models by itself; the indexes of names are not among it."""
    if kind == "table":
        return not _SHADOW.search(name or "")
    return not (kind == "index" and name == f"ix_{parents.get('table_name')}_search")


beside.pair("search_index", ("create_search_index", create), ("drop_search_index", drop), existing=existing, wanted=wanted)
