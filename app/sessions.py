"""The staff's sessions: rows in our database, so that they can really be ended.

The browser holds 256 random bits, the table only their hash. A session ends by sign-out, after some minutes without a request,
some hours after sign-in, when the password changes and when the account does. Before sign-in there is no row to fill the table
with: the anti-forgery token and messages travel in a signed cookie of their own.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from flask import Flask, Request, Response, g
from flask import session as browser
from flask.sessions import SecureCookieSessionInterface, SessionMixin, session_json_serializer
from itsdangerous import BadSignature
from sqlalchemy import Connection, Engine, Row, Table, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from app import audit, passwords
from app.audit import VERBS
from app.context import TOKYO, Act, Actor, Context
from app.extensions import db, reading
from config import Settings
from models import Staff, WebSession

TABLE, STAFF = cast(Table, WebSession.__table__), cast(Table, Staff.__table__)
BEFORE_SIGN_IN = ("csrf_token", "_flashes")
"""All that is kept of somebody who has not signed in."""
_PRE_HOURS = 7 * 24  # a sign-in page left open over a weekend still works in the morning
_IDLE, _TOO_LONG = "操作がないまま時間が過ぎた", "サインインから時間が過ぎた"


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
    token = reading.set(not writing)
    try:
        with _engine(writing=writing).begin() as connection:
            yield connection
    finally:
        reading.reset(token)


def _engine(*, writing: bool) -> Engine:
    """A look into PostgreSQL needs no BEGIN and COMMIT round it: this happens at every request."""
    if writing or db.engine.dialect.name == "sqlite":
        return db.engine
    return db.engine.execution_options(isolation_level="AUTOCOMMIT")


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
    values = {"id_hash": _hash(mine.cookie), "user_id": user.id, "data": _frozen(mine), "created_at": now, "seen_at": now,
              "password_stamp": passwords.stamp(user.password)}
    session.execute(insert(TABLE).values(**values))
    mine.row = session.execute(select(TABLE).where(TABLE.c.id_hash == values["id_hash"])).one()
    mine["_user_id"], mine.modified, g.wrote = str(user.id), False, True


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
            _end_row(connection, mine.row, why, datetime.now(UTC))
    _empty(mine)
    mine.over = why


def _empty(mine: StaffSession) -> None:
    mine.clear()
    mine.row, mine.cookie, mine.over = None, "", "サインアウト"
    g.pop("csrf_token", None)


def _end_row(connection: Connection, row: Row[Any], why: str, now: datetime) -> None:
    """Deletes a session and says so in the log, once, whoever finds it over first."""
    if connection.execute(delete(TABLE).where(TABLE.c.id_hash == row.id_hash)).rowcount:
        who = connection.execute(select(STAFF.c.username, STAFF.c.last_name, STAFF.c.first_name, STAFF.c.department)
                                 .where(STAFF.c.id == row.user_id)).one()
        actor = Actor(user_id=who.username, name=f"{who.last_name} {who.first_name}".strip(), department=who.department)
        name, kind = VERBS["expired"]
        last = f"{row.seen_at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"
        act = Act(code="session.expired", name=f"サインイン {name}", kind=kind, detail={"理由": why, "最後の操作": last})
        audit.write_alone(connection, Context(actor=actor, started_at=now, act=act))


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _frozen(data: dict[str, Any]) -> Any:
    """Session data as JSON, with Flask's tags for tuples and moments. Who it is stands in the row alone."""
    return json.loads(session_json_serializer.dumps({k: v for k, v in data.items() if k != "_user_id"}))


def _thawed(row: Row[Any]) -> dict[str, Any]:
    return {**session_json_serializer.loads(json.dumps(row.data)), "_user_id": str(row.user_id)}


class StaffSessions(SecureCookieSessionInterface):
    """Flask's door to the sessions above; its signed cookie serves only those who have not signed in."""

    salt = "before-sign-in"

    def __init__(self, settings: Settings) -> None:
        self.idle, self.longest = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)

    # -- opening ------------------------------------------------------------------------------------------------------

    def open_session(self, app: Flask, request: Request) -> StaffSession:  # type: ignore[override]
        if _needs_none(request.path):
            return StaffSession()
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        try:
            mine = self._signed_in(cookie) if cookie else StaffSession()
        except DBAPIError:
            mine = StaffSession()
            mine.unavailable = True  # said later, where there is a page to say it on
        if mine.row is None:
            dict.update(mine, self._before(app, request))
        return mine

    def _signed_in(self, cookie: str) -> StaffSession:
        now = datetime.now(UTC)
        with apart(writing=False) as connection:
            row = connection.execute(select(TABLE).where(TABLE.c.id_hash == _hash(cookie))).one_or_none()
        if row is None:
            return StaffSession(over="終わったサインイン")
        if why := self._over(row, now):
            with apart(writing=True) as connection:
                _end_row(connection, row, why, now)
            return StaffSession(over=why)
        return StaffSession(_thawed(row), row)

    def _over(self, row: Row[Any], now: datetime) -> str:
        return _IDLE if now - row.seen_at > self.idle else _TOO_LONG if now - row.created_at > self.longest else ""

    def _before(self, app: Flask, request: Request) -> dict[str, Any]:
        signer, cookie = self.get_signing_serializer(app), request.cookies.get(self._pre_name(app), "")
        if signer is None or not cookie:
            return {}
        try:
            found: dict[str, Any] = signer.loads(cookie, max_age=_PRE_HOURS * 3600)
        except BadSignature:
            return {}
        return {key: found[key] for key in BEFORE_SIGN_IN if key in found}

    def sweep(self, connection: Connection) -> None:
        """Ends what ran out in browsers that never came back; some at each sign-in keep the table small."""
        now = datetime.now(UTC)
        stale = (TABLE.c.seen_at < now - self.idle) | (TABLE.c.created_at < now - self.longest)
        for row in connection.execute(select(TABLE).where(stale).limit(100)).all():
            _end_row(connection, row, self._over(row, now) or _IDLE, now)

    # -- saving -------------------------------------------------------------------------------------------------------

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Called after the request's transaction has ended, whatever became of it."""
        mine = cast(StaffSession, session)
        if mine.row is None:
            self._save_before(app, mine, response)
        elif not mine.cookie:
            self._save_row(app, mine)
        elif response.status_code < 400:  # otherwise the new row was rolled back with the rest
            self._set(app, response, self.get_cookie_name(app), mine.cookie)
            self._unset(app, response, self._pre_name(app))
            self._save_row(app, mine)

    def _save_row(self, app: Flask, mine: StaffSession) -> None:
        """Writes changed data at once, and the time of the last request about twenty times within the idle limit."""
        row, now = cast(Row[Any], mine.row), datetime.now(UTC)
        values: dict[str, Any] = {"data": _frozen(mine)} if mine.modified else {}
        if mine.modified or now - row.seen_at > self.idle / 20:
            values["seen_at"] = now
        if not values:
            return
        db.session.rollback()  # the answer is decided; whatever it read must not keep SQLite's one writer waiting
        try:
            with apart(writing=True) as connection:
                connection.execute(update(TABLE).where(TABLE.c.id_hash == row.id_hash).values(**values))
        except OperationalError:
            app.logger.warning("a session was not saved: the database is busy")

    def _save_before(self, app: Flask, mine: StaffSession, response: Response) -> None:
        if mine.over:
            self._unset(app, response, self.get_cookie_name(app))
        kept = {key: mine[key] for key in BEFORE_SIGN_IN if key in mine}
        signer = self.get_signing_serializer(app)
        if mine.modified and signer is not None:
            if kept:
                self._set(app, response, self._pre_name(app), str(signer.dumps(kept)))
            else:
                self._unset(app, response, self._pre_name(app))

    def _pre_name(self, app: Flask) -> str:
        return f"{self.get_cookie_name(app)}_visit"

    def _set(self, app: Flask, response: Response, name: str, value: str) -> None:
        response.set_cookie(name, value, path="/", httponly=True, secure=self.get_cookie_secure(app),
                            samesite=self.get_cookie_samesite(app))

    def _unset(self, app: Flask, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, secure=self.get_cookie_secure(app),
                               samesite=self.get_cookie_samesite(app))


def _needs_none(path: str) -> bool:
    """Files and health checks are the same for everybody: no look-up, no cookie."""
    return "/static/" in path or path in ("/healthz", "/readyz")
