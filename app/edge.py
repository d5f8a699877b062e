"""The edge of every request: who acts, one commit or none, one row of the operation log, one way to say what went wrong."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, flash, g, redirect, render_template, request
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from app import audit
from app.context import Act, Actor, Context, enter
from app.errors import AppError, Busy, PersonalNumberFound
from app.extensions import db, reading
from models import ActionClass

SAFE = ("GET", "HEAD", "OPTIONS")
UNLOGGED = ("static", "appbuilder.static", "admin.static", "healthz", "readyz")

SENTENCES = {
    400: "送られた内容を受け付けられませんでした。画面を開き直して、もう一度お試しください。",
    403: "この操作をする権限がありません。必要なときは、管理者に申し出てください。",
    404: "見つかりません。削除されたか、閲覧できない情報です。",
    405: "この操作は受け付けていません。",
    409: "ほかの人が先に変更しました。画面を開き直してください。",
    413: "送られたデータが大きすぎます。",
    429: "短い時間に操作が繰り返されたため、受け付けを止めています。しばらくしてから、もう一度お試しください。",
    500: "処理中に問題が起きました。入力は保存されていません。続くときは、システム担当に下の番号を伝えてください。",
    503: "ただいま混み合っています。入力は保存されていません。少し待ってから、もう一度お試しください。",
}


def init(app: Flask, who: Callable[[], Actor]) -> None:
    """Puts the edge round an application; `who` names the actor of the current request."""
    app.before_request(lambda: _begin(who))
    app.after_request(_finish)
    app.teardown_request(lambda _error: reading.set(False))
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StaleDataError, lambda _e: _page(409))
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(Exception, _unexpected)


def _begin(who: Callable[[], Actor]) -> None:
    reading.set(request.method in SAFE)
    current = enter(db.session(), Context(started_at=datetime.now(UTC), request_id=secrets.token_hex(8)))
    g.context = current
    if request.endpoint in UNLOGGED:
        return
    current.actor = who()


def _finish(response: Response) -> Response:
    """Commits what a good answer changed, or rolls back and logs alone what a refused or reading one did."""
    current: Context | None = g.get("context")
    if current is None or request.endpoint in UNLOGGED:
        return response
    if response.status_code < 400 and (current.changes or db.session.new or db.session.dirty or db.session.deleted
                                       or g.get("wrote")):
        db.session.commit()
        return response
    db.session.rollback()
    if current.act:
        _log_alone(current, response.status_code)
    return response


def _log_alone(current: Context, status: int) -> None:
    if status >= 400 and current.act:
        current.act.detail.setdefault("結果", SENTENCES.get(status, "受け付けませんでした").split("。")[0])
    reading.set(False)
    try:
        with db.engine.begin() as connection:
            audit.write_alone(connection, current)
    finally:
        reading.set(request.method in SAFE)


def refuse(current: Context, what: str) -> None:
    """Turns the act under way into a refusal, so that its row says what was not allowed."""
    current.act = Act(code="access.refused", name="アクセス 拒否", kind=ActionClass.AUTH, detail={"対象": what, "方法": request.method})


def _app_error(error: AppError) -> Any:
    if isinstance(error, PersonalNumberFound):
        current: Context = g.context
        current.act = current.act or Act(code="form.refused", name="入力 拒否", kind=ActionClass.EDIT)
        current.act.personal_number = True
    return _page(error.status, error.message)


def _http_error(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    answer = _page(error.code or 500)
    for name, value in error.get_headers():
        if name.lower() in ("retry-after", "allow"):
            answer.headers[name] = value
    return answer


def _database_error(error: DBAPIError) -> Any:
    """The database said no: never its words, always ours."""
    if isinstance(error, IntegrityError):
        return _page(409, sentence_for(error))
    if isinstance(error, OperationalError):
        answer = _page(503, Busy().message)
        answer.headers["Retry-After"] = "5"
        return answer
    return _unexpected(error)


def sentence_for(error: IntegrityError) -> str:
    words = str(error.orig).lower()
    if "unique" in words:
        return "同じ内容がすでに登録されています。番号などの重複を確認してください。"
    if "foreign key" in words:
        return "ほかのデータから使われているため、削除できません。"
    return "項目どうしの関係が正しくありません（日付の前後、数の範囲など）。入力を確認してください。"


def _unexpected(error: Exception) -> Any:
    from flask import current_app

    current_app.logger.error("request %s failed", g.context.request_id if "context" in g else "-", exc_info=error)
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    return _page(500)


def _page(status: int, sentence: str | None = None) -> Response:
    """One error page for everything: what happened, what to do, and the number to quote."""
    db.session.rollback()
    number = g.context.request_id if "context" in g else ""
    body = render_template("error.html", status=status, sentence=sentence or SENTENCES.get(status, SENTENCES[400]), number=number)
    return Response(body, status=status, content_type="text/html; charset=utf-8")


def client_address(trusted: tuple[str, ...]) -> str:
    """The nearest address that is not a proxy of ours; a header from anybody else is not believed."""
    networks = [ipaddress.ip_network(word, strict=False) for word in trusted]
    chain = [request.remote_addr or "", *reversed([w.strip() for w in request.headers.get("X-Forwarded-For", "").split(",") if w.strip()])]
    for address in chain:
        if not _inside(address, networks):
            return address
    return chain[-1]


def _inside(address: str, networks: list[Any]) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in networks)
    except ValueError:
        return False


def limit_key(address: str) -> str:
    """What is counted: an IPv4 address, or the /64 that one household or office has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


__all__ = ["client_address", "flash", "init", "limit_key", "redirect", "refuse", "sentence_for"]
