"""Signing in and out, and the gate in front of every staff page."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

from flask import Flask, current_app, flash, g, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_appbuilder.security.views import AuthDBView
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from sqlalchemy import Table, func, select, update
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from app import audit, edge, passwords, sessions
from app.context import Actor, Context, context
from app.errors import Busy
from app.extensions import db
from app.headers import STALE
from app.limits import LIMIT_ACCOUNT, account, forgive, limit_login, limiter
from app.session_interface import StaffSessions
from models import Staff

STAFF = cast(Table, Staff.__table__)
OPEN = ("SignInView.login", "LinkView.link")
"""All that answers without a sign-in, besides files and health checks."""
WITH_OLD_PASSWORD = (*OPEN, "PasswordView.password", "SignInView.logout")
"""All that answers while a password has to be changed."""
WRONG = (
    "ユーザーIDかパスワードが違うか、アカウントの有効期限が切れています。入力し直してもサインインできないときは、"
    "管理者に申し出てください。"
)
OVER = "サインインが終わりました（一定時間操作がなかったか、別の場所で終了されました）。もう一度サインインしてください。"
NOT_SAVED = (
    "サインインが終わっていたため、送った入力は保存されていません。サインインすると同じ画面に戻ります。入力し直してください。"
)
CHANGE_FIRST = "最初に、自分だけが知っているパスワードに変えてください。"


# -- who it is --------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """What is known of a name somebody typed. `user_id` 0: nobody's."""

    user_id: int
    is_right: bool
    actor: Actor


def check(username: str, password: str) -> Found:
    """Whether name and password belong together and may sign in today. Unknown, ended and wrong take the same time."""
    with sessions.apart(writing=False) as connection:
        row = connection.execute(select(STAFF).where(func.lower(STAFF.c.username) == username.strip().lower())).first()
    today = context(db.session()).local().date()
    usable = row is not None and bool(row.active) and (row.expires_on is None or today <= row.expires_on)
    is_right = passwords.matches(row.password if row and usable else None, password)
    if row is None:
        return Found(0, False, Actor(user_id="unknown", client=edge.client()))
    actor = Actor(
        user_id=row.username, name=f"{row.last_name} {row.first_name}".strip(), department=row.department, client=edge.client()
    )
    return Found(row.id, is_right and usable, actor)


class SignInForm(FlaskForm):
    username = StringField("ユーザーID", [InputRequired("ユーザーIDを入力してください。")])
    password = PasswordField("パスワード", [InputRequired("パスワードを入力してください。")])


class SignInView(AuthDBView):
    """FAB's sign-in view with our page, our check and our sessions behind it."""

    @expose("/login/", methods=["GET", "POST"])
    @limiter.limit(limit_login, methods=["POST"])
    @limiter.limit(LIMIT_ACCOUNT, key_func=account, methods=["POST"])
    def login(self) -> Any:
        if current_user.is_authenticated:
            return redirect(own_path(request.args.get("next", "")))
        form = SignInForm()
        if request.method == "GET":
            return self._page(form)
        if not form.validate():
            return self._page(form), 422
        found = check(form.username.data, form.password.data)
        if not found.is_right:
            _count_failure(found)
            return self._page(form, WRONG), 401
        _enter(found, form.password.data)
        return redirect(own_path(request.args.get("next", "")))

    @staticmethod
    def _page(form: SignInForm, problem: str = "") -> str:
        return render_template("panel/login.html", form=form, problem=problem)

    @expose("/logout/", methods=["POST"])
    def logout(self) -> Any:
        session = db.session()
        audit.declare(session, "session", "sign_out")
        edge.log_with_changes()
        sessions.end(session)
        logout_user()
        flash("サインアウトしました。", "success")
        return redirect("/login/")


def _enter(found: Found, typed: str) -> None:
    """Everything a good sign-in changes, in the request's one transaction."""
    forgive()
    session = db.session()
    user = session.get_one(Staff, found.user_id)
    values = {
        "login_count": func.coalesce(STAFF.c.login_count, 0) + 1,
        "fail_login_count": 0,
        "last_login": context(session).local().replace(tzinfo=None),
    }
    if passwords.is_outdated(user.password):
        values["password"] = passwords.hashed(typed)
    session.execute(update(STAFF).where(STAFF.c.id == user.id).values(**values))  # bookkeeping is no 変更 in the log
    session.refresh(user)
    login_user(user)
    sessions.start(session, user)
    cast(StaffSessions, current_app.session_interface).sweep(session.connection())
    current: Context = g.context
    current.actor = found.actor
    audit.declare(session, "session", "sign_in")
    edge.log_with_changes()


def _count_failure(found: Found) -> None:
    """One row of the log and one failure more, although nothing else of this request is kept.

    A name that is nobody's is not written down: it may be a password typed into the wrong box.
    """
    current: Context = g.context
    current.actor = found.actor
    audit.declare(db.session(), "session", "refused", "サインイン", 結果="ユーザーIDかパスワードの誤り、または使えないアカウント")
    edge.write_alone(
        update(STAFF).where(STAFF.c.id == found.user_id).values(fail_login_count=func.coalesce(STAFF.c.fail_login_count, 0) + 1)
    )


# -- the gate ---------------------------------------------------------------------------------------------------------


def init(app: Flask) -> None:
    app.before_request(_gate)
    app.register_error_handler(CSRFError, _stale_form)


def _gate() -> Any:
    """Nothing behind it is seen without a sign-in, not even whether an address exists."""
    if sessions.current().unavailable and not edge.is_plain(request.endpoint):
        raise Busy
    if request.endpoint in OPEN or edge.is_plain(request.endpoint) or _is_wrong_way_out():
        return None
    if not current_user.is_authenticated:
        return to_sign_in()
    if current_user.must_change_password and request.endpoint not in WITH_OLD_PASSWORD:
        flash(CHANGE_FIRST, "warning")
        return redirect("/password/")
    return None


def _is_wrong_way_out() -> bool:
    """GET /logout/, which a picture on any page could ask for: answered as what it is, 405."""
    return request.path == "/logout/" and isinstance(request.routing_exception, MethodNotAllowed)


def to_sign_in(words: str = "") -> Any:
    """The way to the sign-in page and back; a script gets a plain 401 that it can understand."""
    if _is_script():
        answer = jsonify(message=words or OVER)
        answer.status_code = 401
        return answer
    if words or sessions.current().over:
        flash(words or OVER, "warning")
    back = own_path(_page_of_form() if request.method != "GET" else request.full_path.rstrip("?"))
    return redirect("/login/" + ("" if back == "/" else "?" + urlencode({"next": back})))


def _is_script() -> bool:
    headers = request.headers
    return (
        request.accept_mimetypes.best == "application/json"
        or request.is_json
        or headers.get("X-Requested-With") == "XMLHttpRequest"
        or headers.get("Sec-Fetch-Dest") == "empty"
    )


def _page_of_form() -> str:
    """The page that shows the form which was being sent: the same address if it can be opened, else where it was sent from."""
    try:
        current_app.create_url_adapter(request).match(request.path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        sent_from = urlsplit(request.referrer or "")
        return f"{sent_from.path}?{sent_from.query}".rstrip("?") if sent_from.netloc == request.host else "/"
    return request.path


def own_path(target: str) -> str:
    """`next` is followed only within this site, and not back to the door."""
    is_own = re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f-\x9f]{0,2000}", target)
    return target if is_own and not target.startswith(("/login", "/logout")) else "/"


def _stale_form(_error: CSRFError) -> Any:
    """A form without its token. Usually the sign-in ended meanwhile; otherwise it did not come from our page, and is logged."""
    if request.endpoint in OPEN or current_user.is_authenticated:
        if current_user.is_authenticated:
            edge.begin(current_app.extensions["who"])
            edge.refuse(g.context, f"{request.path}（画面の確認用の印がない送信）")
        return edge.page(400, STALE)
    return to_sign_in(NOT_SAVED)
