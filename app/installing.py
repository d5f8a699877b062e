"""Set-up: from an empty or older database to one that can be worked with. Doing it again changes nothing.

Everything it writes it writes once, under a name kept in `installed`: an administrator who changes or deletes a role, a code or
a fee afterwards finds it as left. Rights are finer: a right that was unknown until now (of a new table, or a new kind of right)
is given to the roles that `app.rules.accounts` gives it to; rights that were known are never given again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alembic.command
from flask import Flask
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from app import append_only, audit, demo_accounts, masters_seed, private, text
from app.context import acting, context, system
from app.extensions import db
from app.letters import texts
from app.locks import one_set_up
from app.rules import accounts
from app.schema import Spec, specs
from models import Installed
from models.base import table_of

REKEYED_AT_ONCE = 5_000  # rows


@dataclass(frozen=True)
class Outcome:
    """What set-up did: how many things were new, and the password of the demo accounts if it knows one."""

    added: int
    demo_password: str = ""


def install(app: Flask) -> Outcome:
    """Migrates the database and writes what is missing. Safe to run from two places at once."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            private.file(Path(str(db.engine.url.database)))
        return _installed(app)


def _installed(app: Flask) -> Outcome:
    with one_set_up(db.engine):
        migrate(app)
        password = ""
        with _writing() as session:
            once = Once(session)
            _roles(session, once)
            _rows(session, once)
            _search_keys(session, once)
            if app.config["DEMO"]:
                password = demo_accounts.install(session, once, _demo_password(app), forced=bool(app.config["DEMO_PASSWORD"]))
        return Outcome(added=once.added, demo_password=password)


def migrate(app: Flask) -> None:
    alembic.command.upgrade(app.extensions["migrate"].migrate.get_config(), "head")


@contextmanager
def _writing() -> Iterator[Session]:
    session = db.session()
    with acting(session, system("初期設定")):
        audit.declare(session, "setup", "setting", "初期")
        yield session
        session.commit()


class Once:
    """Remembers what has been installed, so that nothing is written twice."""

    def __init__(self, session: Session) -> None:
        self.session, self.added = session, 0
        self.known = set(session.scalars(select(Installed.name)))

    def __call__(self, name: str) -> bool:
        """True the first time a name is seen in this database."""
        if name in self.known:
            return False
        self.known.add(name)
        self.session.add(Installed(name=name, installed_at=context(self.session).now()))
        self.added += 1
        return True


def _rows(session: Session, once: Once) -> None:
    session.add_all(row for name, row in (*masters_seed.rows(), *texts.rows()) if once(name))


def _search_keys(session: Session, once: Once) -> None:
    """A table whose searched columns are others than before gets its keys anew, so that its older rows are found as well."""
    for spec in specs().values():
        if spec.has_search_key and once(f"search:{spec.name}:{'+'.join(p.fk for p in (*spec.name_searched, *spec.placed_by))}"):
            rekey(session.connection(), spec)


def rekey(connection: Connection, spec: Spec) -> None:
    """Works out the search key of every row again. Row by row it would raise each RowStamp and fill the log."""
    table, done = table_of(spec.model), 0
    words, places = [table.c[p.key] for p in spec.name_searched], [table.c[p.fk] for p in spec.placed_by]
    wanted = select(table.c.id, table.c.search_key, *words, *places).order_by(table.c.id).limit(REKEYED_AT_ONCE)
    change = update(table).where(table.c.id == bindparam("row")).values(search_key=bindparam("key"))
    with append_only.lifted(connection, spec.name) if spec.append_only else nullcontext():
        while rows := connection.execute(wanted.where(table.c.id > done)).all():
            new = [{"row": row[0], "key": key} for row in rows if (key := _key(row[2:], len(words))) != row[1]]
            if new:
                connection.execute(change, new)
            done = rows[-1][0]


def _key(found: Sequence[Any], words: int) -> str:
    return text.placed(text.search_key(list(found[:words])), found[words:])


def _roles(session: Session, once: Once) -> None:
    """The seven roles with their rights. FAB's all-powerful role and its role of the public are names only (`app.security`):
    no such rows are made, so that nobody can be given them. FAB's own way to fill these tables would make them."""
    rights = _rights(session)
    fresh = {pair for pair in rights if once(f"right:{pair[0]} {pair[1]}")}
    there = {role.name: role for role in session.scalars(select(Role))}
    for name in accounts.ROLES:
        is_new = once(f"role:{name}") and name not in there
        if is_new:
            there[name] = Role(name=name)
            session.add(there[name])
        if name in there:
            _grant(there[name], (rights[pair] for pair in accounts.rights_of(name) if is_new or pair in fresh))


def _grant(role: Role, rights: Iterable[PermissionView]) -> None:
    role.permissions.extend(right for right in rights if right not in role.permissions)


def _rights(session: Session) -> dict[tuple[str, str], PermissionView]:
    """Every right there is, as FAB stores it; the missing ones are made."""
    wanted = [(verb, spec.permission) for spec in specs().values() for verb in accounts.offered(spec)] + [
        accounts.PERSONAL,
        *accounts.ROLE_RIGHTS,
    ]
    verbs = {row.name: row for row in session.scalars(select(Permission))}
    views = {row.name: row for row in session.scalars(select(ViewMenu))}
    pairs = {(row.permission.name, row.view_menu.name): row for row in session.scalars(select(PermissionView))}
    for verb, view in wanted:
        if (verb, view) not in pairs:
            pairs[verb, view] = PermissionView(
                permission=verbs.setdefault(verb, Permission(name=verb)), view_menu=views.setdefault(view, ViewMenu(name=view))
            )
            session.add(pairs[verb, view])
    return pairs


def _demo_password(app: Flask) -> str:
    """The configured password, or one made up once and kept beside the database of the trial."""
    return str(app.config["DEMO_PASSWORD"] or private.secret(app.config["VAR"] / "demo_password", 12))
