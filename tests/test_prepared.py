"""PostgreSQL keeps the plans of the statements that find their rows by a key, from one request to the next, and of no others: a
plan for all values would ignore the index that is selective for these."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.extensions import db
from tests.pages import find
from tests.rows import fill


@pytest.fixture(autouse=True)
def _on_postgresql(session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        pytest.skip("SQLite keeps no plans")


@pytest.fixture
def person(session: Session, browse: Callable[[str], FlaskClient]) -> FlaskClient:
    """A clerk with something to look at."""
    fill(session, "sannomiya")
    session.commit()
    return browse("staff")


def kept(app: Flask) -> dict[str, int]:
    """How often each statement was run of those that the connections of this application have prepared."""
    with app.app_context(), db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        return {" ".join(words.split()): times for words, times in rows}


def test_what_every_request_asks_is_planned_once(staff_app: Flask, person: FlaskClient) -> None:
    before = kept(staff_app)
    for path in ("/card/list/", "/card/list/", "/reservation/list/"):
        assert person.get(path).status_code == 200
    after = kept(staff_app)
    for table in ("FROM web_session", "FROM ab_user", "FROM ab_permission_view"):
        [words] = [words for words in after if table in words]
        assert after[words] - before.get(words, 0) == 3, table


def test_what_a_list_asks_is_planned_for_its_values(staff_app: Flask, person: FlaskClient) -> None:
    assert find(person, "card", "山田").status_code == 200
    assert [words for words in kept(staff_app) if "FROM card" in words] == []
