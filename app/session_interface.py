"""How a staff session travels: Flask's door to `app.sessions`, opened and saved at every request.

Before sign-in there is no row, so that strangers cannot fill the table: the anti-forgery token and messages travel in a signed
cookie of their own, beside the session's, because a link from outside arrives without the latter (SameSite=Strict).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app import sessions
from app.extensions import db
from app.sessions import TABLE, StaffSession

BEFORE_SIGN_IN = ("csrf_token", "_flashes")
"""All that is kept of somebody who has not signed in."""
_PRE_HOURS = 7 * 24  # a sign-in page left open over a weekend still works in the morning
_IDLE, _TOO_LONG = "操作がないまま時間が過ぎた", "サインインから時間が過ぎた"


class StaffSessions(SecureCookieSessionInterface):
    """Rows for who has signed in; Flask's own signed cookie for who has not."""

    salt = "before-sign-in"

    def __init__(self, *, idle: timedelta, longest: timedelta) -> None:
        self.idle, self.longest = idle, longest

    def open_session(self, app: Flask, request: Request) -> StaffSession:  # type: ignore[override]
        if _needs_none(request.path):
            return StaffSession()
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        try:
            mine = self._signed_in(cookie) if cookie else StaffSession()
        except SQLAlchemyError:
            db.session.rollback()
            mine = StaffSession()
            mine.unavailable = True  # said later, where there is a page to say it on
        if mine.row is None:
            dict.update(mine, self._before(app, request))
        return mine

    def _signed_in(self, cookie: str) -> StaffSession:
        now = datetime.now(UTC)
        row = sessions.of_cookie(cookie)
        if row is None:
            return StaffSession(over="終わったサインイン")
        if why := self._over(row, now):
            with sessions.apart(writing=True) as connection:
                sessions.end_row(connection, row, why, now)
            return StaffSession(over=why)
        return StaffSession(sessions.thawed(row), row)

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
            sessions.end_row(connection, row, self._over(row, now) or _IDLE, now)

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
        values: dict[str, Any] = {"data": sessions.frozen(mine)} if mine.modified else {}
        if mine.modified or now - row.seen_at > self.idle / 20:
            values["seen_at"] = now
        if not values:
            return
        db.session.rollback()  # the answer is decided; whatever it read must not keep SQLite's one writer waiting
        try:
            with sessions.apart(writing=True) as connection:
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
        response.set_cookie(
            name, value, path="/", httponly=True, secure=self.get_cookie_secure(app), samesite=self.get_cookie_samesite(app)
        )

    def _unset(self, app: Flask, response: Response, name: str) -> None:
        response.delete_cookie(
            name, path="/", httponly=True, secure=self.get_cookie_secure(app), samesite=self.get_cookie_samesite(app)
        )


def _needs_none(path: str) -> bool:
    """Files and health checks are the same for everybody: no look-up, no cookie."""
    return "/static/" in path or path in ("/healthz", "/readyz")
