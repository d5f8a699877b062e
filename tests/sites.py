"""Sites with other settings than the shared ones, and small questions that tests of the sign-in ask the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from app import create_app
from app.extensions import db
from app.limits import limiter
from models import OperationLog, Staff, WebSession


@contextmanager
def site(house: Any, name: Any = "staff", **changes: Any) -> Iterator[Flask]:
    """A site of its own on the test's database. Afterwards the one limiter counts for the shared sites again."""
    shared = house.site(name)
    app = create_app(name, house.settings.model_copy(update=changes))
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = True, False
    app.test_client_class = shared.test_client_class
    with app.app_context():
        house.database.watch(db.engine)
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        limiter._storage_dead = False
        limiter._storage_options.clear()
        limiter.init_app(shared)


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine: Engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def person(session: Session, username: str) -> Staff:
    session.expire_all()
    return session.scalars(select(Staff).where(Staff.username == username)).one()


def rows(session: Session, username: str | None = None) -> list[WebSession]:
    session.expire_all()
    wanted = select(WebSession).join(Staff, Staff.id == WebSession.user_id)
    return list(session.scalars(wanted.where(Staff.username == username) if username else wanted))


def log(session: Session, code: str) -> list[OperationLog]:
    session.expire_all()
    return list(session.scalars(select(OperationLog).where(OperationLog.action_code == code).order_by(OperationLog.id)))
