"""Sign-in and rights of the staff site: FAB's security manager, closed where it is open by default."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask_appbuilder import AppBuilder, IndexView
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.context import Actor
from app.extensions import db
from app.rules import accounts
from models import Staff


class StaffSecurity(SecurityManager):
    """FAB's users, roles and permissions, with our account class and one query of rights a request."""

    user_model = Staff

    def register_views(self) -> None:
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)

    def load_user(self, pk: Any) -> Staff | None:
        user = db.session.scalar(select(Staff).where(Staff.id == int(pk)).options(
            selectinload(Staff.roles), selectinload(Staff.counters)))
        return user if user and user.active else None

    def has_access(self, permission_name: str, view_name: str) -> bool:
        return (permission_name, view_name) in self.rights()

    def rights(self) -> frozenset[tuple[str, str]]:
        """Every (permission, view) of the signed-in person, read once a request, so that a change counts at once."""
        if "rights" not in g:
            g.rights = self._read_rights() if current_user.is_authenticated else frozenset()
        found: frozenset[tuple[str, str]] = g.rights
        return found

    def _read_rights(self) -> frozenset[tuple[str, str]]:
        pair, held = self.permissionview_model, [role.id for role in current_user.roles]
        rows = db.session.execute(
            select(self.permission_model.name, self.viewmenu_model.name).select_from(pair)
            .join(self.permission_model, pair.permission_id == self.permission_model.id)
            .join(self.viewmenu_model, pair.view_menu_id == self.viewmenu_model.id)
            .join(pair.role).where(self.role_model.id.in_(held)).distinct())
        return frozenset((row[0], row[1]) for row in rows)


def actor() -> Actor:
    """The signed-in person as a value: what scope and log need to know."""
    if not current_user.is_authenticated:
        return Actor(client=client())
    far = accounts.reach([role.name for role in current_user.roles])
    own = frozenset(counter.id for counter in current_user.counters)
    return Actor(user_id=current_user.username, name=current_user.full_name, department=current_user.department,
                 client=client(), counters=None if far == "all" else own if far == "own" else frozenset())


def client() -> str:
    return f"{request.remote_addr} {request.user_agent.string[:200]}"


class Home(IndexView):
    index_template = "panel/home.html"


def init(app: Flask) -> AppBuilder:
    app.config.update(FAB_CREATE_DB=False, FAB_UPDATE_PERMS=False, FAB_ADD_MENU_API=False, FAB_ADD_OPENAPI_VIEWS=False,
                      RATELIMIT_ENABLED=True, FAB_BASE_TEMPLATE="panel/base.html")
    return AppBuilder(app, db.session, security_manager_class=StaffSecurity, indexview=Home, base_template="panel/base.html")
