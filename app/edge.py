"""The edge of every request: who acts, one commit or none, one row of the operation log, one way to say what went wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request
from flask import session as browser
from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError

from app import addresses, audit, faults, text
from app.constraints import explain
from app.context import Actor, Context, enter
from app.errors import AppError, Busy, NotFound, PersonalNumberFound, Refused
from app.extensions import answering, db, reading
from app.sentences import N_, Sentence

SAFE = ("GET", "HEAD", "OPTIONS")
HEALTH = ("healthz", "readyz")

SENTENCES = {
    400: N_("送られた内容を受け付けられませんでした。画面を開き直して、もう一度お試しください。"),
    403: Refused().message,
    404: NotFound().message,
    405: N_("この操作は受け付けていません。"),
    409: N_("ほかの人が先に変更しました。画面を開き直してください。"),
    413: N_("送られたデータが大きすぎます。"),
    429: N_("短い時間に操作が繰り返されたため、受け付けを止めています。しばらくしてから、もう一度お試しください。"),
    500: N_("処理中に問題が起きました。入力は保存されていません。続くときは、システム担当に下の番号を伝えてください。"),
    503: Busy().message,
}


def init(app: Flask, who: Callable[[], Actor], also: Callable[[Session], None] | None = None) -> None:
    """Puts the edge round an application; `who` names the actor of the current request, `also` writes what goes with every commit."""
    app.extensions["who"], app.extensions["also"] = who, also
    app.before_request(_known_host)
    app.before_request(lambda: begin(who))
    app.before_request(_only_what_a_form_sends)
    app.after_request(_finish)
    app.teardown_request(_over)
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StaleDataError, lambda _e: page(409))
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(Exception, _unexpected)


def is_file(endpoint: str | None) -> bool:
    return bool(endpoint) and str(endpoint).rsplit(".", 1)[-1] == "static"


def is_plain(endpoint: str | None) -> bool:
    """Files and health checks: the same for everybody, so nobody signs in for them and nothing is logged."""
    return is_file(endpoint) or endpoint in HEALTH


def _known_host() -> Response | None:
    """Answers a forged Host in plain words: no address, so no page, can be built from such a request."""
    if isinstance(request.routing_exception, SecurityError):
        return Response(SENTENCES[400], status=400, content_type="text/plain; charset=utf-8")
    return None


def begin(who: Callable[[], Actor]) -> None:
    reading.set(request.method in SAFE or _reads_first())
    answering.set(True)
    current = enter(db.session(), Context(started_at=datetime.now(UTC), request_id=secrets.token_hex(8)))
    g.context = current
    if is_plain(request.endpoint):
        return
    current.actor = who()


def reads_first(view: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a view that answers a POST mostly by reading, for as long as a file takes: it has no writer until `write_now`."""
    view.reads_first = True  # type: ignore[attr-defined]
    return view


def _reads_first() -> bool:
    return bool(getattr(current_app.view_functions.get(request.endpoint or ""), "reads_first", False))


def write_now() -> None:
    """Ends the reading of a view that reads first. What it has read stays at hand as it was; what it writes comes after."""
    session = db.session()
    expires, session.expire_on_commit = session.expire_on_commit, False
    try:
        session.commit()
    finally:
        session.expire_on_commit = expires
    reading.set(False)


def _only_what_a_form_sends() -> None:
    """No keyboard types a NUL, and PostgreSQL stores none; no page of ours sends JSON, which Flask-WTF would take for a form.
    Refused here, once, whatever field or address it came in."""
    if request.is_json or "\0" in request.path or any("\0" in word for word in _words_sent()):
        raise AppError(SENTENCES[400])


def _words_sent() -> Iterator[str]:
    for fields in (request.args, request.form):
        for name, value in fields.items(multi=True):
            yield from (name, value)
    for name, file in request.files.items(multi=True):
        yield from (name, file.filename or "")


def _over(_error: BaseException | None) -> None:
    reading.set(False)
    answering.set(False)


def _finish(response: Response) -> Response:
    """Commits what a good answer changed, or rolls back and logs alone what a refused or reading one did."""
    current: Context | None = g.get("context")
    if current is None or is_plain(request.endpoint):
        return response
    has_changes = bool(current.changes or db.session.new or db.session.dirty or db.session.deleted or g.get("wrote"))
    if response.status_code < 400 and has_changes:
        try:
            _commit(current)
            return response
        except (AppError, StaleDataError, DBAPIError) as error:
            browser.pop("_flashes", None)  # the view has already said that it was saved
            response = current_app.make_response(current_app.handle_user_exception(error))
    if has_changes or not reading.get():
        db.session.rollback()
    else:
        db.session.commit()  # nothing; but a ROLLBACK would make psycopg forget what PostgreSQL has prepared
    return _log_alone(current, response) if current.act else response


def _commit(current: Context) -> None:
    """The one commit of a request, with the row of its act also where the log gathers no changes (sessions, passwords)."""
    db.session.flush()
    if current.act and not current.changes:
        log_with_changes()
    if also := current_app.extensions["also"]:
        also(db.session())
    db.session.commit()
    faults.reach(f"{request.endpoint}.committed")


def _log_alone(current: Context, response: Response) -> Response:
    """Writes the row of an act that changed nothing. Where it cannot be written, nothing is shown either."""
    if response.status_code >= 400 and current.act:
        current.act.detail.setdefault("結果", SENTENCES.get(response.status_code, "受け付けませんでした").split("。")[0])
    reading.set(False)
    try:
        with db.engine.begin() as connection:
            for statement in g.get("alone", ()):
                connection.execute(statement)
            audit.write_alone(connection, current)
        return response
    except DBAPIError as error:
        current_app.logger.error("the log row of request %s was not written", current.request_id, exc_info=error)
        return page(503)
    finally:
        reading.set(request.method in SAFE)


def write_alone(statement: Executable) -> None:
    """Has a statement run with the log row of an act that otherwise changes nothing, such as counting a failed sign-in."""
    g.setdefault("alone", []).append(statement)


def log_with_changes() -> None:
    """Writes the row of the act under way into the request's transaction, for acts whose changes the log does not gather."""
    audit.write_alone(db.session.connection(), g.context)
    g.context.act, g.wrote = None, True


def refuse(current: Context, what: str) -> None:
    """Turns the act under way into a refusal, so that its row says what was not allowed."""
    current.act = audit.act("access", "refused", "アクセス", 対象=what, 方法=request.method)


def screen() -> str:
    """What was asked for, by the name of its route: the address itself may hold anything that somebody typed."""
    return request.endpoint or "ない画面"


def _app_error(error: AppError) -> Any:
    if isinstance(error, PersonalNumberFound):
        current: Context = g.context
        current.act = current.act or audit.act("form", "refused", "入力")
        current.act.personal_number = True
    return page(error.status, error.sentence)


def _http_error(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    answer = page(error.code or 500)
    for name, value in error.get_headers():
        if name.lower() in ("retry-after", "allow"):
            answer.headers[name] = value
    return answer


def _database_error(error: DBAPIError | PoolTimeout) -> Any:
    """The database said no: never its words, always ours."""
    if isinstance(error, IntegrityError):
        return page(409, explain(error))
    if isinstance(error, OperationalError | PoolTimeout):
        return page(503)
    return _unexpected(error)


def _unexpected(error: Exception) -> Any:
    current_app.logger.error("request %s failed", g.context.request_id if "context" in g else "-", exc_info=error)
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    return page(500)


def page(status: int, sentence: str | Sentence | None = None) -> Response:
    """One error page for everything: what happened, what to do, and the number to quote. A refusal is always logged as one."""
    db.session.rollback()
    current: Context | None = g.get("context")
    if status == 403 and current and not (current.act and current.act.code == "access.refused"):
        refuse(current, screen())
    number = current.request_id if current else ""
    words, kind = sentence or SENTENCES.get(status, SENTENCES[400]), "html"
    shown = {"status": status, "sentence": words, "general": SENTENCES.get(status, SENTENCES[400]), "number": number}
    try:
        body = render_template(current_app.config["ERROR_TEMPLATE"], **shown)
    except (DBAPIError, PoolTimeout):  # the frame of the page asks the database who is signed in
        body, kind = str(words), "plain"
    soon = {"Retry-After": "5"} if status == 503 else {}
    return Response(body, status=status, content_type=f"text/{kind}; charset=utf-8", headers=soon)


def client() -> str:
    """クライアント情報 of the log: the address the request came from, and the browser."""
    return text.tidy(f"{client_address()} {request.user_agent.string[:200]}")


def client_address() -> str:
    return addresses.client_address(
        request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), current_app.config["TRUSTED_PROXIES"]
    )
