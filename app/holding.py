"""Who may hold what: nobody changes what their own account may do, and somebody who manages accounts and roles always remains.

Held where rows are saved, so that no screen, import or command can do otherwise.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import event, inspect, or_, select
from sqlalchemy.orm import Session

from app.context import context
from app.errors import AppError
from app.rules import accounts
from models import Staff

MANAGING: tuple[tuple[str, str], ...] = (("can_edit", "Role"), ("can_edit", "Staff"))
"""Rights that somebody who can sign in must hold, or nobody could ever give them again."""
OWN = ("roles", "counters", "active", "expires_on")
"""What decides how far an account reaches, and how long."""
NOT_YOUR_OWN = "自分の「{}」は変えられません。ほかの管理者に頼んでください。"
NOBODY_LEFT = "これを変えると、利用者や役割を管理できる人がいなくなります。先に、ほかの人を管理者にしてください。"
NOT_YOUR_ROLE = "自分が持っている役割に権限を足すことはできません。その役割を持たない管理者に頼んでください。"
NOT_THIS_NAME = "このユーザーIDは、操作ログで人以外を表すために使っています。ほかのIDにしてください。"
NOBODYS = ("system", "resident", "unknown", "nobody", "")
"""How the log calls commands, residents and strangers."""
_LABELS = {key: Staff.__fields__[key].label for key in OWN}


def may_widen(session: Session, role: Role) -> bool:
    """Whether the person at work may add rights to a role: not to one that they hold themselves."""
    held = select(Staff.id).join(Staff.roles).where(Staff.username == context(session).actor.user_id, Role.id == role.id)
    return session.scalar(held.limit(1)) is None


def is_managed(session: Session, right: tuple[str, str], *, but: Role | None = None) -> bool:
    """Whether an account that can sign in holds a right by some role (`but` this one)."""
    pair = PermissionView.permission.has(Permission.name == right[0]) & PermissionView.view_menu.has(ViewMenu.name == right[1])
    holder = select(Staff.id).join(Staff.roles).where(_is_current(context(session).local().date()), Role.permissions.any(pair))
    return session.scalar((holder.where(Role.id != but.id) if but else holder).limit(1)) is not None


def one_at_a_time(session: Session) -> None:
    """Whoever changes what accounts and roles may do waits for the one before, or two administrators could end each other in the
    same moment, each counting on the other."""
    session.execute(select(Role.id).order_by(Role.id).with_for_update())


def _is_current(today: date) -> Any:
    return Staff.active & or_(Staff.expires_on.is_(None), Staff.expires_on >= today)


def _changed(row: Staff) -> list[str]:
    return [key for key in OWN if inspect(row).attrs[key].history.has_changes()]


def _name(row: Staff) -> None:
    """Sign-in does not tell capitals from small letters, so neither may accounts; and an account is not named like who is none."""
    row.username, field = accounts.plain(row.username), Staff.__fields__["username"]
    if not re.fullmatch(field.pattern, row.username):
        raise AppError(f"「{field.label}」の形が正しくありません。{field.hint}。", field="username")
    if row.username in NOBODYS:
        raise AppError(NOT_THIS_NAME, field="username")


def _guard(session: Session, *_: Any) -> None:
    for row in session.new:
        if isinstance(row, Staff) and row.username:
            _name(row)
    changed = {row: keys for row in session.dirty if isinstance(row, Staff) and (keys := _changed(row))}
    for row, keys in changed.items():
        if row.username == context(session).actor.user_id:
            raise AppError(NOT_YOUR_OWN.format(_LABELS[keys[0]]), field=keys[0])
    gone = [row for row in session.deleted if isinstance(row, Staff)]
    session.info["accounts"] = next(iter(changed.values()), ["active"]) if changed or gone else None
    if changed or gone:
        with session.no_autoflush:
            one_at_a_time(session)


def _recount(session: Session, *_: Any) -> None:
    """After the change is written: is there still somebody?"""
    if (keys := session.info.pop("accounts", None)) and not all(is_managed(session, right) for right in MANAGING):
        raise AppError(NOBODY_LEFT, field=keys[0])


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _guard)
    event.listen(session_class, "after_flush", _recount)
