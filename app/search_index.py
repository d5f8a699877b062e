"""The index of names: how a table with a `search_key` column is searched by two-character pieces, on both databases.

PostgreSQL keeps a GIN index over the pieces. SQLite keeps an FTS5 table beside the table, filled by triggers, that stores no text
of its own. Alembic knows both as one operation, `op.create_search_index("card")`, and `flask db migrate` writes it by itself.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority
from sqlalchemy import Connection, MetaData, text

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


@Operations.register_operation("create_search_index")
class CreateSearchIndex(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def create_search_index(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        return DropSearchIndex(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return "add_search_index", self.table


@Operations.register_operation("drop_search_index")
class DropSearchIndex(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def drop_search_index(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        return CreateSearchIndex(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return "remove_search_index", self.table


@Operations.implementation_for(CreateSearchIndex)
def _create(operations: Operations, operation: CreateSearchIndex) -> None:
    for statement in creating(operation.table, operations.get_context().dialect.name):
        operations.execute(statement)


@Operations.implementation_for(DropSearchIndex)
def _drop(operations: Operations, operation: DropSearchIndex) -> None:
    for statement in dropping(operation.table, operations.get_context().dialect.name):
        operations.execute(statement)


@renderers.dispatch_for(CreateSearchIndex)
def _render_create(_context: AutogenContext, operation: CreateSearchIndex) -> str:
    return f"op.create_search_index({operation.table!r})"


@renderers.dispatch_for(DropSearchIndex)
def _render_drop(_context: AutogenContext, operation: DropSearchIndex) -> str:
    return f"op.drop_search_index({operation.table!r})"


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _compare(context: AutogenContext, upgrade: UpgradeOps, _schemas: set[str | None]) -> None:
    """New indexes come after the tables they stand on; lost ones go before them, so that the way back is in order too."""
    assert context.connection is not None
    assert isinstance(context.metadata, MetaData)
    there, needed = existing(context.connection), wanted(context.metadata)
    upgrade.ops.extend(CreateSearchIndex(table) for table in sorted(needed - there))
    upgrade.ops[:0] = [DropSearchIndex(table) for table in sorted(there - needed)]
