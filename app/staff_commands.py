"""What `flask staff …` does: accounts made at the terminal by the same form, rules and log as on the screen.

For the first account of a production, and for the day when nobody can sign in any more. Nobody types a password here: the owner
sets it through the one-time link.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app import audit
from app.constraints import flushed
from app.context import acting, context, system
from app.errors import AppError
from app.reset_link import reset_link
from app.rules import accounts
from app.schema import specs
from models import Counter, Staff

ACTOR = system("利用者のコマンド")


def create(session: Session, entry: Mapping[str, str], *, roles: Iterable[str], counters: Iterable[str], site: str) -> str:
    """Makes an account and gives the link with which its owner sets the password."""
    with acting(session, ACTOR):
        audit.declare(session, "staff", "add", "利用者", 画面="コマンド", 内容="設定用リンクの発行")
        form = _form(session, entry, _keys(session, Role.name, roles, "役割"), _keys(session, Counter.code, counters, "窓口"))
        person = Staff()
        form.fill(person)
        session.add(person)
        if refusal := flushed(session):
            raise AppError(refusal.sentence)
        return _linked(session, person, site)


def link(session: Session, username: str, *, site: str) -> str:
    """Takes the password of an account away and gives the link that sets a new one."""
    with acting(session, ACTOR):
        person = session.scalar(select(Staff).where(Staff.username == accounts.plain(username)))
        if person is None:
            raise AppError("そのユーザーIDの利用者はいません。")
        if not person.is_current(context(session).local().date()):
            raise AppError("その利用者は無効か、有効期限が切れています。先に有効にしてください。")
        audit.declare(session, "staff", "password", "利用者", 画面="コマンド", 番号=person.id, 内容="設定用リンクの発行")
        return _linked(session, person, site)


def _linked(session: Session, person: Staff, site: str) -> str:
    found = reset_link(session, person, site=site)
    if not context(session).changes:  # the log gathers no passwords
        audit.write_alone(session.connection(), context(session))
    session.commit()
    return found


def _form(session: Session, entry: Mapping[str, str], roles: list[str], counters: list[str]) -> Any:
    """The form of the screen, filled in; what is wrong comes back as its sentences."""
    from views.forms import form_class

    spec = specs()[Staff]
    typed = MultiDict([*entry.items(), *(("roles", key) for key in roles), *(("counters", key) for key in counters)])
    form = form_class(spec, spec.typed(adding=True))(typed).bind(session)
    if not form.validate():
        raise AppError("\n".join(str(error) for field in form for error in field.errors))
    return form


def _keys(session: Session, column: Any, names: Iterable[str], what: str) -> list[str]:
    """The keys of the rows that go by these names."""
    found = {name: str(key) for name, key in session.execute(select(column, column.class_.id))}
    if unknown := [name for name in names if name not in found]:
        raise AppError(f"「{'」「'.join(unknown)}」という{what}はありません。{'、'.join(found)} から選んでください。")
    return [found[name] for name in names]
