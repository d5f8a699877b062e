"""Rows that are written once: the operation log and the histories, which the database itself neither changes nor deletes.

Triggers refuse UPDATE, DELETE and TRUNCATE whatever way they come: the ORM, Core, plain SQL, another program. Alembic knows them
as one operation, `op.keep_append_only("card_note")`, and `flask db migrate` writes it for every model that says `__append_only__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority
from sqlalchemy import Connection, text

from models import Base

_SET = "append_only"
"""Where a connection remembers which tables are guarded, while migrations run."""


def creating(table: str, dialect: str) -> list[str]:
    """The statements that guard a table."""
    name = f"{table}_append_only"
    if dialect == "postgresql":
        refuse = (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION 'append-only: {table}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        return [
            refuse,
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            f"CREATE TRIGGER {name}_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ]
    refuse = f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
    return [
        f"CREATE TRIGGER {name}_u BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER {name}_d BEFORE DELETE ON {table} {refuse}",
        # INSERT OR REPLACE deletes without asking the trigger above.
        f"CREATE TRIGGER {name}_i BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE id = new.id) {refuse}",
    ]


def dropping(table: str, dialect: str) -> list[str]:
    name = f"{table}_append_only"
    if dialect == "postgresql":
        return [*(f"DROP TRIGGER IF EXISTS {t} ON {table}" for t in (name, f"{name}_all")), f"DROP FUNCTION IF EXISTS {name}()"]
    return [f"DROP TRIGGER IF EXISTS {name}_{when}" for when in ("u", "d", "i")]


def existing(connection: Connection) -> set[str]:
    """Tables whose guard stands in the database, whole."""
    if connection.dialect.name == "postgresql":
        found = text(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = current_schema() AND t.tgenabled = 'O' AND t.tgname LIKE c.relname || '\\_append\\_only%' "
            "GROUP BY c.relname HAVING count(*) = 2"
        )
    else:
        found = text(
            "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE tbl_name || '\\_append\\_only\\__' ESCAPE '\\' "
            "GROUP BY tbl_name HAVING count(*) = 3"
        )
    return set(connection.scalars(found))


def wanted() -> set[str]:
    return {mapper.class_.__tablename__ for mapper in Base.registry.mappers if mapper.class_.__append_only__}


@contextmanager
def lifted(connection: Connection, table: str) -> Iterator[None]:
    """The one door: for this block, in this transaction, a guarded table can be changed. It opens to the owner of the table only;
    on PostgreSQL the serving processes need not be that. For what the law asks to be deleted, and for keys made anew."""
    _run(connection, dropping(table, connection.dialect.name))
    yield
    _run(connection, creating(table, connection.dialect.name))


def watch(connection: Connection) -> None:
    """Migrations begin: remembers what is guarded."""
    connection.info[_SET] = existing(connection)


def mend(connection: Connection) -> None:
    """SQLite changes a column by copying the whole table, and its triggers are lost with the old one: guards those tables anew."""
    for table in sorted(connection.info.pop(_SET) - existing(connection)):
        if connection.dialect.has_table(connection, table):
            _run(connection, [*dropping(table, connection.dialect.name), *creating(table, connection.dialect.name)])


def _run(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


@Operations.register_operation("keep_append_only")
class KeepAppendOnly(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def keep_append_only(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        return LetChange(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return "add_append_only", self.table


@Operations.register_operation("let_change")
class LetChange(MigrateOperation):
    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def let_change(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        return KeepAppendOnly(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return "remove_append_only", self.table


@Operations.implementation_for(KeepAppendOnly)
def _keep(operations: Operations, operation: KeepAppendOnly) -> None:
    connection: Any = operations.get_bind()
    _run(connection, creating(operation.table, connection.dialect.name))
    connection.info.setdefault(_SET, set()).add(operation.table)


@Operations.implementation_for(LetChange)
def _let(operations: Operations, operation: LetChange) -> None:
    connection: Any = operations.get_bind()
    _run(connection, dropping(operation.table, connection.dialect.name))
    connection.info.setdefault(_SET, set()).discard(operation.table)


@renderers.dispatch_for(KeepAppendOnly)
def _render_keep(_context: AutogenContext, operation: KeepAppendOnly) -> str:
    return f"op.keep_append_only({operation.table!r})"


@renderers.dispatch_for(LetChange)
def _render_let(_context: AutogenContext, operation: LetChange) -> str:
    return f"op.let_change({operation.table!r})"


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def _compare(context: AutogenContext, upgrade: UpgradeOps, _schemas: set[str | None]) -> None:
    """A guard comes after its table and goes before it."""
    assert context.connection is not None
    there, needed = existing(context.connection), wanted()
    upgrade.ops.extend(KeepAppendOnly(table) for table in sorted(needed - there))
    upgrade.ops[:0] = [LetChange(table) for table in sorted(there - needed)]
