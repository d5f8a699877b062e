"""The gate in front of every staff page: nothing is answered to who has not signed in, and everybody is led back to where they were."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from flask import Flask, current_app, flash, g, jsonify, redirect, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app import edge, sessions, text
from app.errors import Busy
from app.headers import STALE

OPEN = ("SignInView.login", "LinkView.link")
"""All that answers without a sign-in, besides files and health checks."""
WITH_OLD_PASSWORD = (*OPEN, "PasswordView.password", "SignInView.logout")
"""All that answers while a password has to be changed."""
OVER = "サインインが終わりました（一定時間操作がなかったか、別の場所で終了されました）。もう一度サインインしてください。"
NOT_SAVED = (
    "サインインが終わっていたため、送った入力は保存されていません。サインインすると同じ画面に戻ります。入力し直してください。"
)
CHANGE_FIRST = "最初に、自分だけが知っているパスワードに変えてください。"


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
    """`next` is followed only within this site, not back to the door, and never carries a 個人番号 along."""
    is_own = re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f-\x9f]{0,2000}", target)
    is_good = is_own and not target.startswith(("/login", "/logout")) and not text.has_personal_number(unquote(target))
    return target if is_good else "/"


def _stale_form(_error: CSRFError) -> Any:
    """A form without its token. Usually the sign-in ended meanwhile; otherwise it did not come from our page, and is logged."""
    if request.endpoint in OPEN or current_user.is_authenticated:
        if current_user.is_authenticated:
            edge.begin(current_app.extensions["who"])
            edge.refuse(g.context, f"{edge.screen()}（画面の確認用の印がない送信）")
        return edge.page(400, STALE)
    return to_sign_in(NOT_SAVED)
