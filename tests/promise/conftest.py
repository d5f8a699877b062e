"""One new class, one `flask db migrate`: the low-code promise is tried in a process of its own, which knows one table more."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy.orm import mapped_column

from app import installing
from config import ROOT
from models import Counter
from models.base import Base, Date, Mapped, String, column, relation


class LostItem(Base):
    """忘れ物: what a visitor left at a counter. This class is all that a developer writes."""

    __tablename__, __label__, __group__, __scope__ = "lost_item", "忘れ物", "窓口業務", "counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    counter: Mapped[Counter] = relation(label="窓口", listed=True)
    found_on: Mapped[date] = column(Date, label="拾得日", listed=True, search=True)
    description: Mapped[str] = column(String(200), label="品名", listed=True, search=True)
    owner_name: Mapped[str | None] = column(String(100), label="氏名", pii=True, search=True)


class LostPlace(Base):
    """忘れ物の置き場: the same for a table that says it is a master."""

    __tablename__, __label__, __group__, __area__, __master__ = "lost_place", "忘れ物置き場", "マスタ", "masters", True
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = column(String(60), label="置き場名", listed=True, search=True)


def _migrated(app: Flask) -> None:
    """`flask db migrate` and `flask db upgrade`, in a copy of the migrations."""
    folder = Path(tempfile.mkdtemp()) / "migrations"
    shutil.copytree(ROOT / "migrations", folder)
    app.extensions["migrate"].directory = app.extensions["migrate"].migrate.directory = str(folder)
    flask_migrate.upgrade()
    flask_migrate.migrate(message="lost items")
    flask_migrate.upgrade()
    flask_migrate.check()


installing.migrate = _migrated


@pytest.fixture
def lost_item() -> type[LostItem]:
    return LostItem
