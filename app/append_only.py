"""Rows that are written once: the operation log and the histories, which the database itself neither changes nor deletes.

Triggers refuse UPDATE, DELETE and TRUNCATE whatever way they come: the ORM, Core, plain SQL, another program. Alembic knows them
as one operation, `op.keep_append_only("card_note")`, and `flask db migrate` writes it for every model that says `__append_only__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from app import beside
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


def _keep(connection: Connection, table: str) -> None:
    _run(connection, creating(table, connection.dialect.name))
    connection.info.setdefault(_SET, set()).add(table)


def _let_change(connection: Connection, table: str) -> None:
    _run(connection, dropping(table, connection.dialect.name))
    connection.info.setdefault(_SET, set()).discard(table)


beside.pair("append_only", ("keep_append_only", _keep), ("let_change", _let_change), existing=existing, wanted=lambda _: wanted())
