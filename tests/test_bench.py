"""The benches write to tables and fill in pages by hand: each of their statements and walks is tried here once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from bench import bare, residents
from bench.houses import KEY
from models import OperationLog, Reservation, Slot
from tests.booking_pages import form_path, free_slot
from tests.conftest import House
from tests.sites import site


@pytest.fixture
def place(session: Session) -> residents.Place:
    """A time with one place left."""
    slot = free_slot(session, places=1)
    found = residents.Place(slot.id, form_path(slot))
    session.commit()
    return found


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None: ...


@contextmanager
def served(app: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def stored(session: Session) -> tuple[int, int, int]:
    """Places in use, reservations, and acts of residents in the log."""
    session.rollback()
    booked = select(func.count()).select_from(OperationLog).where(OperationLog.action_code == "reservation.book")
    counted = (select(func.sum(Slot.used)), select(func.count(Reservation.id)), booked.where(OperationLog.user_id == "resident"))
    return tuple(session.scalar(one) or 0 for one in counted)  # type: ignore[return-value]


def test_the_bare_view_writes_what_a_booking_writes(
    database: House, session: Session, place: residents.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("bookings are measured on PostgreSQL only")
    monkeypatch.setenv("DATABASE_URL", database.settings.database_url.replace("+psycopg", ""))
    database.database.is_changed = True  # by a connection that the fixture does not see
    with served(bare.app) as port:
        send = residents.bare(port, [place])
        assert [send(1).how, send(2).how] == ["booked", "refused"]
    bare.connection().close()
    bare.connection.cache_clear()
    assert stored(session) == (1, 1, 1)


@pytest.mark.parametrize("resident", [residents.sender, residents.walker])
def test_a_resident_of_the_bench_books_the_last_place(
    resident: Any, database: House, session: Session, place: residents.Place
) -> None:
    with site(database, "resident", secret_key=KEY, trusted_proxies=("127.0.0.1",)) as app, served(app) as port:
        assert resident(port, [place])(1).how == "booked"
    assert stored(session) == (1, 1, 1)
