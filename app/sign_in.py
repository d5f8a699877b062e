"""Signing in and out."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from flask import current_app, flash, g, redirect, render_template, request
from flask_appbuilder import expose
from flask_appbuilder.security.views import AuthDBView
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from app import audit, edge, passwords, sessions
from app.context import Actor, Context, context, person
from app.extensions import db
from app.gate import own_path
from app.limits import LIMIT_ACCOUNT, account, forgive, limit_login, limiter
from app.rules import accounts
from app.session_interface import StaffSessions
from models import Staff
from models.base import table_of

STAFF = table_of(Staff)
WRONG = (
    "ユーザーIDかパスワードが違うか、アカウントの有効期限が切れています。入力し直してもサインインできないときは、"
    "管理者に申し出てください。"
)


class Found(NamedTuple):
    """What is known of a name somebody typed. `user_id` 0: nobody's."""

    user_id: int
    is_right: bool
    actor: Actor


def check(username: str, password: str) -> Found:
    """Whether name and password belong together and may sign in today. Unknown, ended and wrong take the same time."""
    user = _named(username)
    usable = user is not None and user.is_current(context(db.session()).local().date())
    is_right = passwords.matches(user.password if user and usable else None, password)
    if user is None:
        return Found(0, False, Actor(user_id="unknown", client=edge.client()))
    return Found(user.id, is_right and usable, person(user, client=edge.client()))


def _named(username: str) -> Staff | None:
    """The account, read apart from the request's transaction: hashing takes long, and SQLite has one writer."""
    with sessions.apart(writing=False) as connection, Session(connection) as look:
        return look.scalar(select(Staff).where(Staff.username == accounts.plain(username)))


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
