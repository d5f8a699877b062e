"""One's own password: changed by its owner, or set through the one-time link that an administrator hands over."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, flash, g, redirect, render_template, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_login import current_user
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Table, update
from sqlalchemy.orm import Session
from wtforms import PasswordField
from wtforms.validators import InputRequired

from app import audit, edge, passwords, sessions
from app.context import Actor, Context, context
from app.errors import AppError
from app.extensions import db
from app.limits import limit_login, limiter
from models import Staff

STAFF = cast(Table, Staff.__table__)
LINK_HOURS = 24
_OLD_IS_WRONG = "いまのパスワードが違います。"
_NOT_THE_SAME = "2回の入力が違います。同じパスワードを2回入力してください。"
_AS_BEFORE = "いまと同じパスワードです。別のパスワードにしてください。"


class DeadLink(AppError):
    status = 410

    def __init__(self) -> None:
        super().__init__(
            f"このリンクは使えません。発行から{LINK_HOURS}時間が過ぎたか、すでに使われました。管理者に新しいリンクを頼んでください。"
        )


class NewPasswordForm(FlaskForm):
    """The new password, twice."""

    new = PasswordField("新しいパスワード", [InputRequired("新しいパスワードを入力してください。")])
    again = PasswordField("新しいパスワード（確認）", [InputRequired("確認のため、もう一度入力してください。")])

    def is_good_for(self, user: Staff) -> bool:
        """Whether it may become the password of `user`; what is wrong is said at the field."""
        if not self.validate():
            return False
        own_words = (user.username, user.last_name, user.first_name, (user.email or "").partition("@")[0])
        if problem := passwords.fault(self.new.data, own_words):
            self.new.errors = [problem]
        elif self.new.data != self.again.data:
            self.again.errors = [_NOT_THE_SAME]
        elif passwords.matches(user.password, self.new.data):
            self.new.errors = [_AS_BEFORE]
        else:
            return True
        return False


class ChangeForm(NewPasswordForm):
    old = PasswordField("いまのパスワード", [InputRequired("いまのパスワードを入力してください。")])

    def is_good_for(self, user: Staff) -> bool:
        if self.validate() and not passwords.matches(user.password, self.old.data):
            self.old.errors = [_OLD_IS_WRONG]
            return False
        return super().is_good_for(user)


class PasswordView(BaseView):
    route_base = ""
    default_view = "password"

    @expose("/password/", methods=["GET", "POST"])
    @limiter.limit(limit_login, methods=["POST"])
    def password(self) -> Any:
        form, user = ChangeForm(), db.session.get_one(Staff, current_user.id)
        if not form.is_submitted():
            return _page(form)
        audit.declare(db.session(), "session", "password")
        if not form.is_good_for(user):
            return _refused(form)
        _keep(user, form.new.data)
        sessions.start(db.session(), user)
        flash("パスワードを変えました。ほかのブラウザーでのサインインは終わらせました。", "success")
        return redirect("/")


class LinkView(BaseView):
    route_base = ""
    default_view = "link"

    @expose("/reset/<token>", methods=["GET", "POST"])
    @limiter.limit(limit_login, methods=["POST"])
    def link(self, token: str) -> Any:
        """Opening the link uses nothing up, because mail and chat programs open links too; setting the password does."""
        user, form = _owner(token), NewPasswordForm()
        if not form.is_submitted():
            return _page(form, user)
        current: Context = g.context
        current.actor = Actor(user_id=user.username, name=user.full_name, department=user.department, client=edge.client())
        audit.declare(db.session(), "session", "password", 方法="再設定リンク")
        if not form.is_good_for(user):
            return _refused(form, user)
        _keep(user, form.new.data)
        flash("パスワードを設定しました。新しいパスワードでサインインしてください。", "success")
        return redirect("/login/")


def _page(form: NewPasswordForm, owner: Staff | None = None) -> str:
    forced = owner is None and current_user.must_change_password
    return render_template("panel/password.html", form=form, owner=owner, forced=forced, shortest=passwords.SHORTEST)


def _refused(form: NewPasswordForm, owner: Staff | None = None) -> tuple[str, int]:
    audit.note(db.session(), 結果="新しいパスワードまたはいまのパスワードの誤り")
    return _page(form, owner), 422


def _keep(user: Staff, password: str) -> None:
    """Stores the new password, ends every session of its owner and says so in the log."""
    session = db.session()
    session.execute(
        update(STAFF)
        .where(STAFF.c.id == user.id)
        .values(password=passwords.hashed(password), must_change_password=False, fail_login_count=0)
    )
    sessions.end_all(session, user.id)
    session.refresh(user)
    edge.log_with_changes()


# -- the administrator's part -----------------------------------------------------------------------------------------


def reset_link(session: Session, user: Staff) -> str:
    """Takes an account's password away, ends its sessions and gives the path of a link that sets a new one, once, within a day.

    The administrator never learns a password. A second link makes the first one worthless, because each is signed
    with the mark of what stands in the password column. Commits nothing; shows up in the log as the caller's act.
    """
    user.password, user.must_change_password = passwords.unusable(), True
    session.flush()
    sessions.end_all(session, user.id)
    return url_for("LinkView.link", token=_signer().dumps([user.id, passwords.stamp(user.password)]))


def _signer() -> URLSafeTimedSerializer:
    keys = [*(current_app.config["SECRET_KEY_FALLBACKS"] or ()), current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="reset-link")


def _owner(token: str) -> Staff:
    try:
        user_id, stamp = _signer().loads(token, max_age=LINK_HOURS * 3600)
    except (BadData, ValueError, TypeError) as error:
        raise DeadLink from error
    user = db.session.get(Staff, user_id)
    if user is None or passwords.stamp(user.password) != stamp or not user.is_current(context(db.session()).local().date()):
        raise DeadLink
    return user
