"""Alembic owns every table, and gets there and back with rows in them, on both databases."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import Column, String, inspect, select, text
from sqlalchemy.orm import Session

from app import append_only, search_index
from app.context import acting, system
from app.extensions import db
from app.installing import install
from config import ROOT
from models import Card, metadata
from tests import samples
from tests.conftest import House
from tests.databases import Postgres, Sqlite, kinds


def run(app: Flask, command: Callable[..., None], *args: str) -> None:
    with app.app_context():
        command(app.extensions["migrate"].migrate.get_config(), *args)


def fill(app: Flask) -> None:
    with app.app_context(), acting(db.session(), system("テスト")):
        card = samples.card(db.session())
        samples.shipment(db.session(), card)
        samples.document(db.session(), card)
        samples.note(db.session(), card)
        samples.reservation(db.session())
        db.session.commit()


def hits(app: Flask, pieces: str, table: str = "card") -> int:
    by_words = {
        "sqlite": f"SELECT count(*) FROM {table}_fts WHERE {table}_fts MATCH '\"' || :pieces || '\"'",
        "postgresql": f"SELECT count(*) FROM {table} WHERE string_to_array(search_key, ' ') @> string_to_array(:pieces, ' ')",
    }
    with app.app_context(), db.engine.begin() as connection:
        return connection.scalar(text(by_words[connection.dialect.name]), {"pieces": pieces}) or 0


def test_every_table_comes_from_a_migration(resident_app: Flask) -> None:
    with resident_app.app_context():
        there = {name for name in inspect(db.engine).get_table_names() if search_index.is_compared(name, "table", {})}
    assert there == {*metadata.tables, "alembic_version"}


def test_models_and_migrations_agree(resident_app: Flask) -> None:
    run(resident_app, alembic.command.check)


def test_down_and_up_again_with_rows(database: House, resident_app: Flask) -> None:
    fill(resident_app)
    run(resident_app, alembic.command.downgrade, "base")
    with resident_app.app_context():
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
    install(resident_app)
    fill(resident_app)
    assert hits(resident_app, "山田") == 1
    run(resident_app, alembic.command.check)


def test_index_follows_every_change_of_a_name(resident_app: Flask, session: Session) -> None:
    card = samples.card(session, name="髙橋 𠮷子")
    session.commit()
    assert (hits(resident_app, "高橋"), hits(resident_app, "吉子")) == (1, 1)
    card.name = "濵田 𠮷子"
    session.commit()
    assert (hits(resident_app, "高橋"), hits(resident_app, "浜田")) == (0, 1)
    with append_only.lifted(session.connection(), "card_history"):
        session.execute(text("DELETE FROM card_history"))
    session.execute(text("DELETE FROM card"))
    session.commit()
    assert hits(resident_app, "浜田") == 0


def test_no_phrase_runs_from_one_text_into_the_next(resident_app: Flask, session: Session) -> None:
    samples.card(session, name="山田", name_kana="田中")
    session.commit()
    if session.get_bind().dialect.name == "sqlite":
        assert hits(resident_app, "山田 田中") == 0
    assert hits(resident_app, "山田") == hits(resident_app, "田中") == 1


def test_index_survives_a_table_being_rebuilt(resident_app: Flask, session: Session) -> None:
    """SQLite changes a column by copying the table, and its triggers go with the old one."""
    samples.card(session)
    session.commit()
    with resident_app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("card", recreate="auto") as batch:
                batch.add_column(Column("nickname", String(10)))
                batch.alter_column("memo", type_=String(2000))
            search_index.mend(connection)
        connection.invalidate()
    session.execute(text("UPDATE card SET search_key = '新し しい'"))
    session.commit()
    assert (hits(resident_app, "山田"), hits(resident_app, "新し")) == (0, 1)
    assert session.scalar(select(Card.name)) == "山田 太郎"


def test_a_half_applied_migration_leaves_nothing(resident_app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_broken.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision, branch_labels, depends_on = '9999', None, None\n"
        f"down_revision = {resident_app.extensions['schema_head']!r}\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Integer()))\n    raise RuntimeError('stop')\n"
    )
    with resident_app.app_context():
        config = resident_app.extensions["migrate"].migrate.get_config(str(folder))
        with pytest.raises(RuntimeError, match="stop"):
            alembic.command.upgrade(config, "head")
        assert "half" not in inspect(db.engine).get_table_names()


@pytest.mark.parametrize("kind", kinds())
def test_a_new_table_needs_one_class_and_one_command(kind: str, tmp_path: Path) -> None:
    """The generated migration is complete: own types, code lists, scope, search index. In a process of its own, because a class
    once defined stays."""
    place = Sqlite(tmp_path) if kind == "sqlite" else Postgres()
    place.make()
    try:
        shutil.copytree(ROOT / "migrations", tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.new_table", tmp_path / "migrations", place.url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "found 1"
    finally:
        place.drop()
