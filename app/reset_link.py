"""The one-time link with which the owner of an account sets a password that nobody else ever learns."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from app import passwords, sessions
from app.context import context
from app.errors import AppError
from models import Staff

LINK_HOURS = 24


class DeadLink(AppError):
    status = 410

    def __init__(self) -> None:
        super().__init__(
            f"このリンクは使えません。発行から{LINK_HOURS}時間が過ぎたか、すでに使われました。管理者に新しいリンクを頼んでください。"
        )


def reset_link(session: Session, user: Staff, *, site: str) -> str:
    """Takes an account's password away, ends its sessions and gives a link that sets a new one, once, within a day.

    The administrator never learns a password. A second link makes the first one worthless, because each is signed
    with the mark of what stands in the password column. Commits nothing; shows up in the log as the caller's act.
    """
    user.password, user.must_change_password = passwords.unusable(), True
    session.flush()
    sessions.end_all(session, user.id)
    token = _signer().dumps([user.id, passwords.stamp(user.password)])
    return site.rstrip("/") + current_app.url_map.bind("").build("LinkView.link", {"token": token})


def owner(session: Session, token: str) -> Staff:
    """The account that a link is for, while it is good."""
    try:
        user_id, stamp = _signer().loads(token, max_age=LINK_HOURS * 3600)
    except (BadData, ValueError, TypeError) as error:
        raise DeadLink from error
    user = session.get(Staff, user_id)
    if user is None or passwords.stamp(user.password) != stamp or not user.is_current(context(session).local().date()):
        raise DeadLink
    return user


def _signer() -> URLSafeTimedSerializer:
    keys = [*(current_app.config["SECRET_KEY_FALLBACKS"] or ()), current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="reset-link")
