"""Roles and their rights as an administrator sees and changes them: a table of tables and verbs, whose rows FAB stores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app import holding
from app.criteria import whole
from app.errors import AppError, Conflict, NotFound
from app.rules import accounts
from app.schema import Spec, specs
from models import Staff
from models.base import table_of

Right = tuple[str, str]
"""(permission, view), as FAB names it: ("can_edit", "Card")."""

VERBS = {
    "can_list": "一覧",
    "can_show": "参照",
    "can_add": "登録",
    "can_edit": "更新",
    "can_delete": "削除",
    "can_import": "取り込み",
    "can_export": "出力",
}
LONGEST_NAME = 64


def _called(self: Role) -> str:
    return str(accounts.ROLES.get(self.name, self.name))


# FAB calls a role by its key; people, forms and the log read what it is called.
Role.__str__ = _called


@dataclass(frozen=True)
class Line:
    """A table's row of the page: what may be done with it, and the rights that say so; no right where it makes no sense."""

    group: str
    label: str
    rights: dict[str, Right | None]


def lines() -> list[Line]:
    found = [
        Line(s.group, s.label, {verb: (verb, s.permission) if verb in accounts.offered(s) else None for verb in VERBS})
        for s in _tables()
    ]
    acts = [
        Line(s.group, f"{s.label} {words}", dict.fromkeys(VERBS) | {"can_edit": (act, s.permission)})
        for s in _tables()
        for act, words in s.acts.items()
    ]
    roles = {verb: (verb, "Role") if (verb, "Role") in accounts.ROLE_RIGHTS else None for verb in VERBS}
    personal = {verb: accounts.PERSONAL if verb == "can_export" else None for verb in VERBS}
    return [*found, *acts, Line("管理", "役割と権限", roles), Line("管理", "個人情報を伏せずに出力", personal)]


def _tables() -> list[Spec]:
    return [spec for spec in specs().values() if not spec.inline_of]


def every() -> set[Right]:
    """Each right that the page offers."""
    return {right for line in lines() for right in line.rights.values() if right}


def role(session: Session, key: str) -> Role:
    number = whole(key, table_of(Role).c.id.type)
    wanted = select(Role).options(joinedload(Role.permissions)).where(Role.id == number)
    found = session.scalars(wanted).unique().one_or_none() if number is not None else None
    if found is None:
        raise NotFound
    return found


def holders(session: Session) -> list[tuple[Role, int]]:
    """Every role with the number of accounts that hold it and may sign in."""
    counted = (
        select(Role, func.count(Staff.id)).outerjoin(Staff, Role.user.and_(Staff.active)).group_by(Role.id).order_by(Role.id)
    )
    return [(row[0], row[1]) for row in session.execute(counted)]


def rights_of(found: Role) -> set[Right]:
    return {(pair.permission.name, pair.view_menu.name) for pair in found.permissions}


def stamp(rights: Iterable[Right]) -> str:
    """The version of a set of rights that somebody has before them."""
    return hashlib.sha256(repr(sorted(rights)).encode()).hexdigest()[:16]


def make(session: Session, name: str) -> Role:
    """A new role without rights; whoever holds it sees the counters of the account."""
    if not name or len(name) > LONGEST_NAME:
        raise AppError(f"役割の名前を{LONGEST_NAME}文字以内で入力してください。", field="name")
    if session.scalar(select(Role.id).where(Role.name == name)) is not None or name in accounts.ROLES.values():
        raise AppError(f"「{name}」という役割がすでにあります。", field="name")
    made = Role(name=name)
    session.add(made)
    session.flush()
    return made


def change(session: Session, found: Role, seen: str, wanted: set[Right]) -> tuple[list[Right], list[Right]]:
    """Gives a role exactly the wanted rights of those the page offers; says which are new and which are gone."""
    holding.one_at_a_time(session)
    session.refresh(found, ["permissions"])
    before = rights_of(found) & every()
    if stamp(before) != seen:
        raise Conflict("ほかの人が先に変更しました。いまの権限を確かめてから、もう一度変更してください。")
    given, taken = sorted(wanted - before), sorted(before - wanted)
    if given and not holding.may_widen(session, found):
        raise AppError(holding.NOT_YOUR_ROLE)
    for right in set(taken) & set(holding.MANAGING):
        if not holding.is_managed(session, right, but=found):
            raise AppError(holding.NOBODY_LEFT)
    found.permissions = [p for p in found.permissions if (p.permission.name, p.view_menu.name) not in taken] + [
        _stored(session, right) for right in given
    ]
    session.flush()
    return given, taken


def _stored(session: Session, right: Right) -> PermissionView:
    wanted = select(PermissionView).join(Permission).join(ViewMenu).where(Permission.name == right[0], ViewMenu.name == right[1])
    return session.scalars(wanted).one()


def words(rights: Iterable[Right]) -> list[str]:
    """Rights for people and for the log: 「カード 更新」."""
    named = {right: f"{line.label} {VERBS[verb]}" for line in lines() for verb, right in line.rights.items() if right}
    return [named.get(right, " ".join(right)) for right in rights]
