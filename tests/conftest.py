"""Fixtures: both databases, both sites, people who sign in. Applications are built once a worker, databases renewed for each test."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import create_app
from app.context import acting, system
from app.extensions import db
from app.installing import install
from config import Settings
from models import BookingCategory
from models.base import table_of
from tests.booking_pages import Resident
from tests.browsing import FLAGS
from tests.databases import PASSWORD, Database, Postgres, Sqlite, browser, kinds, missing

hypothesis.settings.register_profile("shared machine", deadline=None)  # no test is timed
hypothesis.settings.load_profile("shared machine")
for name in Settings.model_fields:  # a developer's own settings are not the tests'
    if not name.startswith("test_"):
        os.environ.pop(name.upper(), None)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") and missing():
        raise pytest.UsageError("CI では PostgreSQL、Redis、chromium がすべて必要です。足りないもの: " + "、".join(missing()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        only_looks = metafunc.definition.get_closest_marker("browser") and not metafunc.definition.get_closest_marker(
            "each_database"
        )
        metafunc.parametrize("database", kinds()[:1] if only_looks else kinds(), indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = {"browser": browser() is None, "redis": "Redis" in missing()}
    for item in items:
        for mark, is_absent in without.items():
            if is_absent and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=f"{mark} がありません"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if missing():
        terminalreporter.write_line("省いたテスト: " + "、".join(f"{what}（{why}）" for what, why in missing().items()))


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """No test reaches another machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    socket.socket.connect = guarded  # type: ignore[assignment,method-assign]
    yield
    socket.socket.connect = connect  # type: ignore[method-assign]


FIELD_KEYS = (("now", b"n" * 32), ("then", b"t" * 32))
"""The keys of the tests: one in use, and the one before it."""


class House:
    """The applications of this worker on one kind of database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.settings = Settings(
            _env_file=None,
            database_url=database.url,
            demo=True,
            demo_password=PASSWORD,
            secret_key="test " * 10,
            form_seconds=0,  # tests type faster than people
            field_keys=FIELD_KEYS,
            limit_login="1000 per minute",
            limit_booking="1000 per minute",
            limit_lookup="1000 per minute",
        )
        self.apps: dict[str, Flask] = {}

    def site(self, name: Any) -> Flask:
        if name not in self.apps:
            self.apps[name] = app = create_app(name, self.settings)
            app.testing = True
            app.config["PROPAGATE_EXCEPTIONS"] = False  # people get our page for errors, and so do tests
            app.test_client_class = Browser
            with app.app_context():
                self.database.watch(db.engine)
        return self.apps[name]

    def fresh(self) -> None:
        self.database.fresh(lambda: self._build(), self.let_go)
        for app in self.apps.values():
            for limiter in app.extensions.get("limiter", ()):
                if limiter.storage:
                    limiter.reset()

    def _build(self) -> None:
        """Most tests book a pick-up without the number of a notice; those that do not switch it on."""
        install(self.site("resident"))
        with self.site("resident").app_context(), db.engine.begin() as connection:
            connection.execute(update(table_of(BookingCategory)).values(asks_notice=False))

    def let_go(self) -> None:
        for app in self.apps.values():
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


_houses: dict[str, House] = {}
_open: list[Session] = []


class Browser(FlaskClient):
    """A client before whose requests the test's own session commits: the request sees what the test wrote, and waits for nothing."""

    def open(self, *args: Any, **kw: Any) -> Any:
        for session in _open:
            session.commit()
        return super().open(*args, **kw)


@pytest.fixture(scope="session", autouse=True)
def _houses_end() -> Iterator[None]:
    yield
    for house in _houses.values():
        house.let_go()
        house.database.drop()
    _houses.clear()


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A database as `flask setup` leaves it, with the demo's masters and accounts."""
    kind: str = request.param
    if kind not in _houses:
        _houses[kind] = House(Sqlite(tmp_path_factory.mktemp("db")) if kind == "sqlite" else Postgres())
    _houses[kind].fresh()
    return _houses[kind]


@pytest.fixture
def resident_app(database: House) -> Flask:
    return database.site("resident")


@pytest.fixture
def staff_app(database: House) -> Flask:
    return database.site("staff")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Keeps pages as they were left, as the browsers of people do and those of tests do not."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=browser(), args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )


@pytest.fixture
def session(resident_app: Flask) -> Iterator[Session]:
    """A session that sees every counter, for preparing rows and for looking at what is stored."""
    with resident_app.app_context(), acting(db.session(), system("テスト")):
        _open.append(db.session())
        yield db.session()
        _open.clear()
        db.session.remove()


@pytest.fixture
def visitor(resident_app: Flask) -> FlaskClient:
    """A resident at the public site."""
    return resident_app.test_client()


@pytest.fixture
def resident(visitor: FlaskClient) -> Resident:
    """The same person, walking through the site by what its pages offer."""
    return Resident(visitor)


@pytest.fixture
def browse(staff_app: Flask) -> Callable[[str], FlaskClient]:
    """`browse("staff")`: that person's browser, signed in the way people do."""

    def signed_in(username: str) -> FlaskClient:
        client = staff_app.test_client()
        sign_in(client, username)
        return client

    return signed_in


def sign_in(client: FlaskClient, username: str, password: str = PASSWORD) -> Any:
    """Fills in the sign-in page and sends it."""
    answer = client.post(
        "/login/", data={"username": username, "password": password, "csrf_token": csrf_token(client.get("/login/").text)}
    )
    assert answer.status_code == 302, f"{username} could not sign in: {answer.status_code}"
    return answer


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "the page has no form token"
    return found.group(1)
