"""Adds a table to the models, lets Alembic write its migration, and works with it. Run by test_migrations in a process of its own."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Any

import flask_migrate
from sqlalchemy import JSON, Date, String, select, text
from sqlalchemy.orm import Mapped

from app import create_app, search_index
from app.context import acting, system
from app.extensions import db
from app.installing import install
from config import Settings
from models import Counter
from models.base import Base, BigId, Code, UtcDateTime, coded, column, relation


class Finder(Code):
    VISITOR = "visitor", "来庁者", "1"
    STAFF = "staff", "職員", "2"


class LostItem(Base):
    """忘れ物: what a visitor left at a counter."""

    __tablename__, __label__, __group__, __scope__ = "lost_item", "忘れ物", "窓口業務", "counter"
    id: Mapped[int] = column(BigId, label="番号", edit=False, primary_key=True)
    counter: Mapped[Counter] = relation(label="窓口", listed=True)
    found_on: Mapped[date] = column(Date, label="拾得日", listed=True, search=True, sort=True)
    finder: Mapped[Finder] = coded(Finder, label="拾得者", search=True)
    description: Mapped[str] = column(String(200), label="品名", listed=True, search=True)
    owner_name: Mapped[str | None] = column(String(100), label="氏名", pii=True, listed=True, search=True)
    more: Mapped[dict[str, Any]] = column(JSON, label="詳細", edit=False, default=dict)
    kept_since: Mapped[datetime] = column(UtcDateTime, label="保管開始", auto="now")


def main(folder: str, url: str) -> None:
    app = create_app(
        "resident", Settings(_env_file=None, database_url=url, secret_key="test " * 10, demo=True, demo_password="x" * 12)
    )
    app.extensions["migrate"].directory = app.extensions["migrate"].migrate.directory = folder
    with app.app_context():
        flask_migrate.upgrade(revision="head")
        flask_migrate.migrate(message="lost items")
        flask_migrate.upgrade()
        flask_migrate.check()
        install(app)
        with acting(db.session(), system("テスト")):
            counter = db.session.scalars(select(Counter)).first()
            db.session.add(LostItem(counter=counter, found_on=date(2026, 4, 1), finder=Finder.STAFF, description="黒い傘"))
            db.session.commit()
        with db.engine.begin() as connection:
            assert "lost_item" in search_index.existing(connection)
            found = connection.scalar(
                text("SELECT count(*) FROM lost_item WHERE search_key LIKE '%黒イ イ傘%' AND row_stamp = 1")
            )
        flask_migrate.downgrade(revision="-1")
        flask_migrate.upgrade()
        add_a_finder()
    print(f"found {found}")  # noqa: T201 - read by the test


class FinderToo(Code):
    VISITOR = "visitor", "来庁者", "1"
    STAFF = "staff", "職員", "2"
    GUARD = "guard", "警備員", "3"


def add_a_finder() -> None:
    """A new value of a code reaches the database by a migration that is written by itself, forth and back."""
    LostItem.__table__.c.finder.type.__init__(  # type: ignore[misc]
        FinderToo,
        native_enum=False,
        create_constraint=True,
        name="finder",
        length=30,
        values_callable=lambda codes: [c.value for c in codes],
    )
    flask_migrate.migrate(message="guards find things too")
    flask_migrate.upgrade()
    flask_migrate.check()
    flask_migrate.downgrade(revision="-1")
    flask_migrate.upgrade()
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO lost_item (counter_id, found_on, finder, description, more, kept_since, row_stamp, search_key) "
                "SELECT min(id), '2026-04-01', 'guard', '鍵', '{}', '2026-04-01', 1, '鍵' FROM counter"
            )
        )
        assert "lost_item" in search_index.existing(connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
