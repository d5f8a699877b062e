"""Load balancers ask both sites whether they live and whether they can serve."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import create_app
from config import Settings
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


def test_a_database_that_is_away_is_not_ready() -> None:
    away = create_app(
        "resident", Settings(_env_file=None, secret_key="test " * 10, database_url="postgresql://nobody@127.0.0.1:1/none")
    )
    answer = away.test_client().get("/readyz")
    assert (answer.status_code, answer.text) == (503, "database")
    assert away.test_client().get("/healthz").text == "ok"


def test_without_redis_a_site_serves_on(database: House) -> None:
    app = database.site("resident")
    app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    try:
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, answer.text) == (200, "degraded")
    finally:
        app.config["REDIS_URL"] = ""


@pytest.mark.redis
def test_with_redis_it_is_ok(database: House) -> None:
    app = database.site("resident")
    app.config["REDIS_URL"] = database.settings.test_redis_url
    try:
        assert app.test_client().get("/readyz").text == "ok"
    finally:
        app.config["REDIS_URL"] = ""


def test_health_is_not_in_the_operation_log(database: House, session: Session) -> None:
    database.site("resident").test_client().get("/readyz")
    assert session.scalar(text("SELECT count(*) FROM operation_log WHERE action_code <> 'setup.setting'")) == 0
    assert session.scalar(text("SELECT version_num FROM alembic_version")) != "0000"
