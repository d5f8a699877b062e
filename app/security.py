"""Rights of the staff site: FAB's security manager, closed where it is open by default."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, g, has_request_context
from flask_appbuilder import AppBuilder
from flask_appbuilder.const import AUTH_DB
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.sqla.models import Permission, PermissionView, ViewMenu, assoc_permissionview_role
from flask_limiter import Limiter
from flask_login import LoginManager, current_user
from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from app import edge, gate, limits, passwords, sessions, sign_in
from app.context import Actor, context, person
from app.extensions import db
from app.own_password import LinkView, PasswordView
from app.plans import PREPARED
from app.rules import accounts
from app.session_interface import StaffSessions
from models import Staff
from models.base import table_of

# Asked at every request, so put together once: that takes longer than the database needs to answer.
_ACCOUNT = (
    select(Staff)
    .where(Staff.id == bindparam("pk"))
    .options(joinedload(Staff.roles), joinedload(Staff.counters))
    .execution_options(unscoped=True, **PREPARED)  # neither accounts nor roles nor counters have a scope
)
_PAIR, _NAME, _VIEW = (table_of(model) for model in (PermissionView, Permission, ViewMenu))
_RIGHTS = (
    select(_NAME.c.name, _VIEW.c.name)
    .select_from(_PAIR.join(_NAME, _PAIR.c.permission_id == _NAME.c.id).join(_VIEW, _PAIR.c.view_menu_id == _VIEW.c.id))
    .join(assoc_permissionview_role, assoc_permissionview_role.c.permission_view_id == _PAIR.c.id)
    .where(assoc_permissionview_role.c.role_id.in_(bindparam("held", expanding=True)))
    .execution_options(**PREPARED)
)


def _closed(trusted_hosts: tuple[str, ...], limit_login: str) -> dict[str, Any]:
    """Every default of FAB and Flask-Login that is too open, or writes at start."""
    hosts = [pattern for host in trusted_hosts for pattern in (host, f"{host}:*")]
    return {
        "AUTH_TYPE": AUTH_DB,
        "AUTH_USER_REGISTRATION": False,
        "AUTH_USERNAME_CI": True,
        "AUTH_RATE_LIMITED": True,
        "AUTH_RATE_LIMIT": limit_login,
        "AUTH_ROLE_ADMIN": "fab_admin",
        "AUTH_ROLE_PUBLIC": "fab_public",  # FAB asks for the names; nobody holds these roles
        "FAB_ROLES": {},
        "FAB_ROLES_MAPPING": {},
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_ADD_SECURITY_API": False,
        "FAB_API_KEY_ENABLED": False,
        "FAB_ADD_MENU_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_API_SWAGGER_UI": False,
        "FAB_API_SHOW_STACKTRACE": False,
        "FAB_API_ALLOW_JSON_QS": False,
        "FAB_API_MAX_PAGE_SIZE": 100,
        "FAB_ALLOW_GET_UNSAFE_MUTATIONS": False,
        "FAB_SAFE_REDIRECT_HOSTS": hosts,
        "FAB_BASE_TEMPLATE": "panel/base.html",
        "ERROR_TEMPLATE": "panel/error.html",
        "SESSION_PROTECTION": None,  # the session is a row of ours; marking it when an address changes would only write to it
    }


class Panel(AppBuilder):
    """FAB without the views that nobody asked for: choice of language, way back, menu and API documentation."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.sm.register_views()


class StaffSecurity(SecurityManager):
    """FAB's users, roles and permissions, with our account class, our sessions and one query of rights a request."""

    user_model = Staff

    def register_views(self) -> None:
        """Sign-in, sign-out, one's own password and the one-time link; no list of FAB's, no API, no token."""
        self.auth_view = sign_in.SignInView()
        for view in (self.auth_view, PasswordView(), LinkView()):
            self.appbuilder.add_view_no_menu(view)

    def create_limiter(self, app: Flask) -> Limiter:
        return limits.limiter

    def create_jwt_manager(self, app: Flask) -> None:
        """No tokens: a session that cannot be ended is no session of ours."""

    def create_login_manager(self, app: Flask) -> LoginManager:
        manager = LoginManager(app)
        manager.user_loader(self.load_user)
        manager.unauthorized_handler(gate.to_sign_in)
        return manager

    def load_user(self, pk: Any) -> Staff | None:
        """The account of this browser's session, asked at every request: it may have ended a moment ago."""
        row, session = sessions.current().row, db.session()
        if row is None or row.user_id != int(pk):
            return None
        user = session.scalars(_ACCOUNT, {"pk": row.user_id}).unique().one_or_none()
        if why := _ended(user, row.password_stamp, context(session).local().date()):
            session.rollback()  # before the short transaction below: SQLite has one writer
            sessions.drop(why)
            return None
        return user

    def auth_user_db(self, username: str, password: str) -> Staff | None:
        """FAB's own door, for whoever still knocks there: the same check, and nothing written."""
        found = sign_in.check(username, password)
        return db.session.get(Staff, found.user_id) if found.is_right else None

    def update_user_auth_stat(self, user: Any, success: bool = True) -> None:
        raise NotImplementedError("app.sign_in counts, in the request's transaction or with the log row")

    def reset_password(self, userid: int, password: str) -> None:
        """What FAB's command calls, which does not commit; sessions end with the old password's stamp."""
        db.session.get_one(Staff, userid).password = passwords.hashed(password)
        db.session.flush() if has_request_context() else db.session.commit()

    def add_user(self, *args: Any, password: str = "", hashed_password: str = "", **kwargs: Any) -> Any:
        stored = hashed_password or (passwords.hashed(password) if password else passwords.unusable())
        return super().add_user(*args, hashed_password=stored, **kwargs)

    def has_access(self, permission_name: str, view_name: str) -> bool:
        return (permission_name, view_name) in self.rights()

    def rights(self) -> frozenset[tuple[str, str]]:
        """Every (permission, view) of the signed-in person, read once a request, so that a change counts at once."""
        if "rights" not in g:
            g.rights = self._read_rights() if current_user.is_authenticated else frozenset()
        found: frozenset[tuple[str, str]] = g.rights
        return found

    def _read_rights(self) -> frozenset[tuple[str, str]]:
        held = [role.id for role in current_user.roles]
        return frozenset((right, view) for right, view in db.session.connection().execute(_RIGHTS, {"held": held}))


def _ended(user: Staff | None, stamp: str, today: date) -> str:
    if user is None or not user.is_current(today):
        return "アカウントが使えなくなった"
    return "" if passwords.stamp(user.password) == stamp else "パスワードが変わった"


def actor() -> Actor:
    """The signed-in person as a value: what scope and log need to know."""
    if not current_user.is_authenticated:
        return Actor(client=edge.client())
    far = accounts.reach([role.name for role in current_user.roles])
    own = frozenset(counter.id for counter in current_user.counters)
    return person(current_user, client=edge.client(), counters=None if far == "all" else own if far == "own" else frozenset())


def init(app: Flask) -> AppBuilder:
    """Puts FAB on the staff site, with the edge and the gate in front of every page."""
    config = app.config
    config.update(_closed(config["TRUSTED_HOSTS"], config["LIMIT_LOGIN"]))
    app.session_interface = StaffSessions(idle=config["SESSION_IDLE"], longest=config["PERMANENT_SESSION_LIFETIME"])
    appbuilder = Panel(app, db.session, security_manager_class=StaffSecurity, base_template="panel/base.html")
    edge.init(app, actor, sessions.keep)
    gate.init(app)
    return appbuilder
