"""The staff's sessions: rows in our database, so that they can really be ended.

The browser holds 256 random bits, the table only their hash. A session ends by sign-out, after some minutes without a request,
some hours after sign-in, when the password changes and when the account does. How they travel: `app.session_interface`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from flask import g
from flask import session as browser
from flask.sessions import SessionMixin, session_json_serializer
from sqlalchemy import Connection, Engine, Row, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from app import audit, passwords
from app.context import TOKYO, Context, person
from app.extensions import answering, db, reading
from app.plans import PREPARED
from models import Staff, WebSession
from models.base import table_of

TABLE = table_of(WebSession)
_OF_COOKIE = select(TABLE).where(TABLE.c.id_hash == bindparam("hash")).execution_options(**PREPARED)
_KEEP = update(TABLE).where(TABLE.c.id_hash == bindparam("hash"))


class StaffSession(CallbackDict[str, Any], SessionMixin):
    """What Flask calls the session. `row` is its row when somebody is signed in; `over` says why it has just ended."""

    modified = accessed = False

    def __init__(self, data: dict[str, Any] | None = None, row: Row[Any] | None = None, over: str = "") -> None:
        super().__init__(data or {}, StaffSession._changed)
        self.row, self.over, self.cookie, self.unavailable = row, over, "", False

    def _changed(self) -> None:
        self.modified = self.accessed = True


@contextmanager
def apart(*, writing: bool) -> Iterator[Connection]:
    """A short transaction of its own, never inside the request's: SQLite has one writer, and it would wait for itself."""
    read, answered = reading.set(not writing), answering.set(True)  # as in the request, which is given the same connection next
    try:
        with _engine(writing=writing).begin() as connection:
            yield connection
    finally:
        reading.reset(read)
        answering.reset(answered)


def _engine(*, writing: bool) -> Engine:
    """A look into PostgreSQL needs no BEGIN and COMMIT round it: this happens at every request."""
    if writing or db.engine.dialect.name == "sqlite":
        return db.engine
    return db.engine.execution_options(isolation_level="AUTOCOMMIT")


def of_cookie(cookie: str) -> Row[Any] | None:
    """The session that a cookie names. PostgreSQL is asked on the connection that the request needs next; SQLite apart from it,
    since it is not known yet whether the request will write."""
    values = {"hash": digest(cookie)}
    if db.engine.dialect.name == "sqlite":
        with apart(writing=False) as connection:
            return connection.execute(_OF_COOKIE, values).one_or_none()
    answering.set(True)
    return db.session.connection().execute(_OF_COOKIE, values).one_or_none()


def current() -> StaffSession:
    return cast(StaffSession, browser._get_current_object())  # type: ignore[attr-defined]


def start(session: Session, user: Staff) -> None:
    """Signs a browser in under a new name, in the request's transaction. Whatever it was called before is worth nothing now."""
    mine, now = current(), datetime.now(UTC)
    if mine.row is not None:
        session.execute(delete(TABLE).where(TABLE.c.id_hash == mine.row.id_hash))
    mine.clear()
    g.pop("csrf_token", None)
    mine["csrf_token"] = secrets.token_hex(20)  # made here, so that two first pages opened at once do not make one each
    mine.cookie = secrets.token_urlsafe(32)
    values = {
        "id_hash": digest(mine.cookie),
        "user_id": user.id,
        "data": frozen(mine),
        "created_at": now,
        "seen_at": now,
        "password_stamp": passwords.stamp(user.password),
    }
    session.execute(insert(TABLE).values(**values))
    mine.row = session.execute(select(TABLE).where(TABLE.c.id_hash == values["id_hash"])).one()
    mine["_user_id"], mine.modified, g.wrote = str(user.id), False, True


def keep(session: Session) -> None:
    """Writes what changed in this browser's session (a message to show) into the request's transaction: a commit of its own would
    take as long as the request's."""
    mine = current()
    if mine.row is not None and mine.modified and not mine.cookie:
        session.execute(_KEEP, {"hash": mine.row.id_hash, "data": frozen(mine), "seen_at": datetime.now(UTC)})
        mine.modified = False


def end(session: Session) -> None:
    """Ends this browser's session in the request's transaction: its cookie opens nothing any more."""
    mine = current()
    if mine.row is not None:
        session.execute(delete(TABLE).where(TABLE.c.id_hash == mine.row.id_hash))
        g.wrote = True
    _empty(mine)


def end_all(session: Session, user_id: int) -> int:
    """Ends every session of an account (an administrator's act, or a changed password); says how many there were."""
    ended = session.execute(delete(TABLE).where(TABLE.c.user_id == user_id)).rowcount  # type: ignore[attr-defined]
    if "context" in g:
        g.wrote = True
    return int(ended)


def drop(why: str) -> None:
    """Ends this browser's session because its account or password is no longer what it was."""
    mine = current()
    if mine.row is not None:
        with apart(writing=True) as connection:
            end_row(connection, mine.row, why, datetime.now(UTC))
    _empty(mine)
    mine.over = why


def _empty(mine: StaffSession) -> None:
    mine.clear()
    mine.row, mine.cookie, mine.over = None, "", "サインアウト"
    g.pop("csrf_token", None)


def end_row(connection: Connection, row: Row[Any], why: str, now: datetime) -> None:
    """Deletes a session and says so in the log, once, whoever finds it over first."""
    if connection.execute(delete(TABLE).where(TABLE.c.id_hash == row.id_hash)).rowcount:
        with Session(connection) as look:
            actor = person(look.get_one(Staff, row.user_id))
        last = f"{row.seen_at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"
        act = audit.act("session", "expired", "サインイン", 理由=why, 最後の操作=last)
        audit.write_alone(connection, Context(actor=actor, started_at=now, act=act))


def digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def frozen(data: dict[str, Any]) -> Any:
    """Session data as JSON, with Flask's tags for tuples and moments. Who it is stands in the row alone."""
    return json.loads(session_json_serializer.dumps({k: v for k, v in data.items() if k != "_user_id"}))


def thawed(row: Row[Any]) -> dict[str, Any]:
    return {**session_json_serializer.loads(json.dumps(row.data)), "_user_id": str(row.user_id)}
