"""The operation log and the histories: the database itself refuses to change or delete a row, whatever way it is asked."""

from __future__ import annotations

import alembic.command
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import Column, String, delete, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import append_only, constraints
from app.extensions import db
from app.schema import specs
from models import CardHistory, metadata
from tests import samples

TABLES = ["card_history", "card_note", "operation_log"]


def count(session: Session, table: str) -> int:
    return session.scalar(select(func.count()).select_from(metadata.tables[table])) or 0


def refused(session: Session, statement: str) -> str:
    """Sends plain SQL; what the database says to it, in the office's words."""
    with pytest.raises(IntegrityError) as caught:
        session.execute(text(statement))
    session.rollback()
    return constraints.explain(caught.value)


@pytest.fixture
def kept(session: Session) -> Session:
    samples.note(session, samples.card(session))
    session.commit()
    assert all(count(session, table) for table in TABLES)
    session.commit()  # SQLite has one writer
    return session


def test_every_table_that_says_so_is_guarded(session: Session) -> None:
    assert sorted(append_only.existing(session.connection())) == TABLES
    assert sorted(spec.name for spec in specs().values() if spec.append_only) == TABLES


@pytest.mark.parametrize("table", TABLES)
def test_plain_sql_changes_nothing(kept: Session, table: str) -> None:
    before = kept.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
    statements = [f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"DELETE FROM {table} WHERE id > 0"]
    if kept.get_bind().dialect.name == "postgresql":
        statements += [
            f"TRUNCATE {table} CASCADE",
            f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = excluded.id",
        ]
    else:
        statements += [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}", f"UPDATE OR REPLACE {table} SET id = id + 1"]
    for statement in statements:
        assert refused(kept, statement) == "操作ログと履歴は、記録したあとに変更も削除もできません。", statement
    assert kept.execute(text(f"SELECT * FROM {table} ORDER BY id")).all() == before


@pytest.mark.parametrize("table", TABLES)
def test_core_statements_change_nothing(kept: Session, table: str, resident_app: Flask) -> None:
    rows = metadata.tables[table]
    for statement in (update(rows).values(id=rows.c.id + 1000), delete(rows)):
        with pytest.raises(IntegrityError, match="append-only"), db.engine.begin() as connection:
            connection.execute(statement)
    assert count(kept, table) > 0


def test_a_rule_that_names_itself_changes_nothing_either(kept: Session) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        kept.execute(delete(CardHistory).execution_options(by_rule="test"))
    kept.rollback()
    assert count(kept, "card_history") == 1


def test_the_door_is_open_for_one_transaction_only(kept: Session) -> None:
    with append_only.lifted(kept.connection(), "card_note"):
        kept.execute(text("DELETE FROM card_note"))
        refused_too = "DELETE FROM operation_log"
        with pytest.raises(IntegrityError), kept.begin_nested():
            kept.execute(text(refused_too))
    kept.commit()
    assert (count(kept, "card_note"), count(kept, "operation_log") > 0) == (0, True)
    samples.note(kept, samples.card(kept))
    kept.commit()
    refused(kept, "DELETE FROM card_note")
    with pytest.raises(ZeroDivisionError), append_only.lifted(kept.connection(), "card_note"):
        raise ZeroDivisionError
    kept.rollback()
    refused(kept, "DELETE FROM card_note")


def test_the_guard_survives_a_table_being_rebuilt(kept: Session, resident_app: Flask) -> None:
    """SQLite changes a column by copying the table, and its triggers go with the old one."""
    with resident_app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            append_only.watch(connection)
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("card_note", recreate="auto") as batch:
                batch.add_column(Column("more", String(10)))
                batch.alter_column("comment", type_=String(5000))
            append_only.mend(connection)
        connection.invalidate()
    refused(kept, "DELETE FROM card_note")
    refused(kept, "UPDATE card_note SET more = 'x'")


def test_a_guard_that_is_missing_is_found_by_the_check_of_migrations(resident_app: Flask) -> None:
    with resident_app.app_context():
        with db.engine.begin() as connection:
            for statement in append_only.dropping("card_note", connection.dialect.name):
                connection.execute(text(statement))
        with pytest.raises(alembic.util.CommandError, match="add_append_only"):
            alembic.command.check(resident_app.extensions["migrate"].migrate.get_config())
