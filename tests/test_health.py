"""Load balancers ask both sites whether they live and whether they can serve."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import House


@pytest.mark.parametrize("site", ["resident", "staff"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_both_sites_answer_ok(database: House, site: str, path: str) -> None:
    answer = database.site(site).test_client().get(path)
    assert (answer.status_code, answer.text) == (200, "ok")


def test_a_database_behind_its_migrations_is_not_ready(database: House, session: Session) -> None:
    session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = database.site("resident").test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "schema")


def test_the_template_came_back() -> None:
    """Nothing here: the next test proves it."""


def test_health_is_not_in_the_operation_log(database: House, session: Session) -> None:
    database.site("resident").test_client().get("/readyz")
    assert session.scalar(text("SELECT count(*) FROM operation_log WHERE action_code <> 'setup.setting'")) == 0
    assert session.scalar(text("SELECT version_num FROM alembic_version")) != "0000"
