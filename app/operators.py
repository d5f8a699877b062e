"""予約代行者: signing in, staying signed in and setting a password, for accounts that live outside Flask-AppBuilder.

Plain functions of values; how a browser carries its secret is the booking pages' affair (`booking.door`).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from app import audit, passwords
from app.context import TOKYO, Actor
from app.errors import AppError
from app.plans import PREPARED
from app.schema import specs
from models import Operator, OperatorSession
from models.base import table_of

LINK_LASTS = timedelta(hours=24)
SEEN_AT_MOST_EVERY = timedelta(minutes=1)
_SESSION = table_of(OperatorSession)
_OF_SECRET = (
    select(Operator, OperatorSession)
    .join(OperatorSession, OperatorSession.operator_id == Operator.id)
    .where(OperatorSession.id_hash == bindparam("hash"))
    .execution_options(**PREPARED, unscoped=True)
)


class DeadLink(AppError):
    status = 410

    def __init__(self) -> None:
        super().__init__(
            "このリンクは使えません。発行から24時間が過ぎたか、すでに使われました。管理者に新しいリンクを頼んでください。"
        )


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def actor_of(operator: Operator, client: str) -> Actor:
    """How the log names an operator: with a prefix, so that no account of the staff site is named alike. Sees every counter."""
    return Actor(
        user_id=f"op:{operator.username}",
        name=operator.full_name,
        department=operator.department or "コールセンター",
        client=client,
        counters=None,
    )


def check(session: Session, username: str, typed: str, now: datetime) -> Operator | None:
    """The account of a name and its password; unknown, ended and wrong take the same time and give the same nothing."""
    found = session.scalar(select(Operator).where(Operator.username == username.strip().lower()))
    usable = found is not None and found.is_current(now.astimezone(TOKYO).date())
    is_right = passwords.matches(found.password if found and usable else None, typed)
    return found if is_right else None


def failed(username: str) -> object:
    """The statement that counts a wrong password for an account, if there is one of this name."""
    of_account = update(Operator).where(Operator.username == username.strip().lower())
    return of_account.values(failures=Operator.failures + 1)


def sign_in(session: Session, operator: Operator, now: datetime) -> str:
    """Begins a session; gives the secret that the browser carries."""
    secret = secrets.token_urlsafe(32)
    values = {"id_hash": digest(secret), "operator_id": operator.id, "created_at": now, "seen_at": now}
    session.execute(_SESSION.insert().values(values))
    session.execute(
        update(table_of(Operator)).where(table_of(Operator).c.id == operator.id).values(last_sign_in=now, failures=0)
    )  # bookkeeping is no 変更 in the log
    return secret


def signed_in(session: Session, secret: str, now: datetime, *, idle: timedelta, longest: timedelta) -> Operator | None:
    """Whose session a secret is, while it lasts and the account does."""
    found = session.execute(_OF_SECRET, {"hash": digest(secret)}).first() if secret else None
    if found is None:
        return None
    operator, mine = found
    is_over = now - mine.seen_at > idle or now - mine.created_at > longest
    return None if is_over or not operator.is_current(now.astimezone(TOKYO).date()) else operator


def is_stale(session: Session, secret: str, now: datetime) -> bool:
    """Whether the session's last use is to be written down again."""
    seen = session.scalar(select(_SESSION.c.seen_at).where(_SESSION.c.id_hash == digest(secret)))
    return seen is not None and now - seen > SEEN_AT_MOST_EVERY


def seen(secret: str, now: datetime) -> object:
    """The statement that says a session is in use."""
    return update(_SESSION).where(_SESSION.c.id_hash == digest(secret)).values(seen_at=now)


def sign_out(session: Session, secret: str) -> None:
    session.execute(delete(_SESSION).where(_SESSION.c.id_hash == digest(secret)))


def end_sessions(session: Session, operator: Operator) -> int:
    """Signs an account out everywhere; says from how many browsers."""
    done = session.execute(delete(_SESSION).where(_SESSION.c.operator_id == operator.id))
    return int(done.rowcount)  # type: ignore[attr-defined]


def forget(session: Session, now: datetime, longest: timedelta = timedelta(hours=24)) -> None:
    """Deletes sessions that ended long ago."""
    session.execute(delete(_SESSION).where(_SESSION.c.created_at < now - longest))


def new_link(session: Session, operator: Operator, now: datetime) -> str:
    """Takes the password away and gives the word of a link that sets a new one, once, within a day."""
    secret = secrets.token_urlsafe(32)
    operator.password, operator.link_hash, operator.link_until = passwords.unusable(), digest(secret), now + LINK_LASTS
    end_sessions(session, operator)
    session.flush()
    return secret


def owner_of(session: Session, secret: str, now: datetime) -> Operator:
    """The account that a link is for, while it is good."""
    found = session.scalar(select(Operator).where(Operator.link_hash == digest(secret)))
    if found is None or found.link_until is None or found.link_until < now or not found.is_current(now.astimezone(TOKYO).date()):
        raise DeadLink
    return found


def set_password(session: Session, operator: Operator, new: str, again: str) -> None:
    """Sets the password that its owner has chosen; raises with the field and what is wrong."""
    if problem := passwords.fault(new, (operator.username, *operator.full_name.split())):
        raise AppError(problem, field="new")
    if new != again:
        raise AppError("2回の入力が違います。同じパスワードを2回入力してください。", field="again")
    operator.password, operator.link_hash, operator.link_until = passwords.hashed(new), None, None
    end_sessions(session, operator)
    audit.tell(session, specs()[Operator], "edit", パスワード=operator.username)
    session.flush()
