"""One's own password: changed by its owner, or set through the one-time link that an administrator hands over."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_login import current_user
from flask_wtf import FlaskForm
from sqlalchemy import update
from wtforms import PasswordField
from wtforms.validators import InputRequired

from app import audit, edge, passwords, sessions
from app.context import Context, person
from app.errors import Conflict
from app.extensions import db
from app.limits import limit_login, limiter
from app.reset_link import DeadLink, owner
from models import Staff
from models.base import table_of

STAFF = table_of(Staff)
_OLD_IS_WRONG = "いまのパスワードが違います。"
_NOT_THE_SAME = "2回の入力が違います。同じパスワードを2回入力してください。"
_CHANGED_MEANWHILE = "別の画面で、同時にパスワードが変わりました。新しいパスワードでサインインし直してください。"
_AS_BEFORE = "いまと同じパスワードです。別のパスワードにしてください。"


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
        if not _keep(user, form.new.data):
            raise Conflict(_CHANGED_MEANWHILE)
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
        user, form = owner(db.session(), token), NewPasswordForm()
        if not form.is_submitted():
            return _page(form, user)
        current: Context = g.context
        current.actor = person(user, client=edge.client())
        audit.declare(db.session(), "session", "password", 方法="再設定リンク")
        if not form.is_good_for(user):
            return _refused(form, user)
        if not _keep(user, form.new.data):
            raise DeadLink
        flash("パスワードを設定しました。新しいパスワードでサインインしてください。", "success")
        return redirect("/login/")


def _page(form: NewPasswordForm, owner: Staff | None = None) -> str:
    forced = owner is None and current_user.must_change_password
    return render_template("panel/password.html", form=form, owner=owner, forced=forced, shortest=passwords.SHORTEST)


def _refused(form: NewPasswordForm, owner: Staff | None = None) -> tuple[str, int]:
    audit.note(db.session(), 結果="新しいパスワードまたはいまのパスワードの誤り")
    return _page(form, owner), 422


def _keep(user: Staff, password: str) -> bool:
    """Stores the new password, ends every session of its owner and says so in the log. Not if the password that this one replaces
    has been replaced already: of several forms sent at once, only one may win."""
    session = db.session()
    kept = session.execute(
        update(STAFF)
        .where(STAFF.c.id == user.id, STAFF.c.password == user.password)
        .values(password=passwords.hashed(password), must_change_password=False, fail_login_count=0)
    )
    if kept.rowcount != 1:  # type: ignore[attr-defined]
        return False
    sessions.end_all(session, user.id)
    session.refresh(user)
    edge.log_with_changes()
    return True
