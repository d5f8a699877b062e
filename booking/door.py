"""予約代行の入口: operators sign in at the residents' site, from the call centre's PCs on the Internet."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask import session as browser

from app import audit, edge, operators, text
from app.context import Actor, context
from app.errors import AppError
from app.extensions import db
from app.limits import LIMIT_ACCOUNT, account, limit_login, limiter
from booking.keeping import now
from models import Operator

KEY = "operator"
"""Where this browser's secret stands in its signed cookie."""
OPEN = ("sign_in", "signing_in", "link", "link_used")
WRONG = "ユーザーIDかパスワードが違うか、アカウントの有効期限が切れています。わからないときは、管理者に再設定のリンクを頼んでください。"
OVER = "サインインが終わりました（一定時間操作がなかったか、別の場所で終了されました）。もう一度サインインしてください。"


def register(pages: Blueprint) -> None:
    guarded = limiter.limit(LIMIT_ACCOUNT, key_func=account)(limiter.limit(limit_login)(signing_in))
    pages.add_url_rule("/sign-in", "sign_in", sign_in)
    pages.add_url_rule("/sign-in", "signing_in", guarded, methods=["POST"])
    pages.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])
    pages.add_url_rule("/password/<token>", "link", link)
    pages.add_url_rule("/password/<token>", "link_used", limiter.limit(limit_login)(link_used), methods=["POST"])


def signed_in() -> Operator | None:
    """The operator of this request; asked of the database once."""
    if "operator" not in g:
        config = current_app.config
        g.operator = operators.signed_in(
            db.session(),
            browser.get(KEY, ""),
            now(),
            idle=config["SESSION_IDLE"],
            longest=config["PERMANENT_SESSION_LIFETIME"],
        )
    found: Operator | None = g.operator
    return found


def actor() -> Actor:
    """Who acts on these pages, as the log names them."""
    found = signed_in()
    return operators.actor_of(found, edge.client()) if found else Actor(user_id="unknown", client=edge.client())


def admit() -> Any:
    """Nothing behind the door is seen without a sign-in. A session in use is noted once a minute, beside the request."""
    if (request.endpoint or "").rpartition(".")[2] in OPEN:
        return None
    if signed_in() is None:
        had = browser.pop(KEY, None)
        return redirect(url_for(".sign_in", over="yes" if had else None), 303)
    if request.method == "POST" and operators.is_stale(db.session(), browser[KEY], now()):
        db.session().execute(operators.seen(browser[KEY], now()))  # type: ignore[call-overload]
    elif operators.is_stale(db.session(), browser[KEY], now()):
        with db.engine.begin() as connection:
            connection.execute(operators.seen(browser[KEY], now()))  # type: ignore[call-overload]
    return None


def sign_in() -> Any:
    if signed_in() is not None:
        return redirect(url_for(".start"), 303)
    return _page(OVER if "over" in request.args else "")


def signing_in() -> Any:
    username, typed = text.tidy(request.form.get("username", ""))[:100], request.form.get("password", "")[:1000]
    found = operators.check(db.session(), username, typed, now()) if username and typed else None
    if found is None:
        context(db.session()).actor = Actor(user_id="unknown", client=edge.client())
        audit.declare(
            db.session(),
            "session",
            "refused",
            "予約代行のサインイン",
            結果="ユーザーIDかパスワードの誤り、または使えないアカウント",
        )
        edge.write_alone(operators.failed(username))  # type: ignore[arg-type]
        return _page(WRONG, username), 401
    context(db.session()).actor = operators.actor_of(found, edge.client())
    secret = operators.sign_in(db.session(), found, now())
    browser.clear()  # whatever the browser was called before is worth nothing now
    g.pop("csrf_token", None)
    browser[KEY] = secret
    audit.declare(db.session(), "session", "sign_in", "予約代行")
    edge.log_with_changes()
    return redirect(url_for(".start"), 303)


def _page(problem: str, username: str = "") -> str:
    return render_template("booking/operator_sign_in.html", problem=problem, username=username)


def sign_out() -> Any:
    audit.declare(db.session(), "session", "sign_out", "予約代行")
    edge.log_with_changes()
    operators.sign_out(db.session(), browser.get(KEY, ""))
    browser.clear()
    return redirect(url_for(".sign_in"), 303)


def link(token: str) -> Any:
    return render_template("booking/operator_password.html", owner=operators.owner_of(db.session(), token, now()), wrong={})


def link_used(token: str) -> Any:
    session = db.session()
    owner = operators.owner_of(session, token, now())
    context(session).actor = operators.actor_of(owner, edge.client())
    audit.declare(session, "operator_account", "password", "予約代行者")
    try:
        operators.set_password(session, owner, request.form.get("new", "")[:1000], request.form.get("again", "")[:1000])
    except AppError as error:
        context(session).act = None
        return render_template("booking/operator_password.html", owner=owner, wrong={error.field: error.message}), 422
    return redirect(url_for(".sign_in"), 303)


__all__ = ["actor", "admit", "register", "signed_in"]
