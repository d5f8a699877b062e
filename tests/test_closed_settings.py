"""What the staff site closes of FAB, Flask and Flask-Limiter, written out: a line that is lost opens something, and nothing else tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

CLOSED: dict[str, Any] = {
    "AUTH_TYPE": 1,
    "AUTH_USER_REGISTRATION": False,
    "AUTH_USERNAME_CI": True,
    "AUTH_RATE_LIMITED": True,
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
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Strict",
    "PERMANENT_SESSION_LIFETIME": timedelta(hours=8),
    "SESSION_IDLE": timedelta(minutes=15),
}
NOBODYS = ("AUTH_ROLE_ADMIN", "AUTH_ROLE_PUBLIC")
"""Roles that FAB would give all rights, or to everybody: names that no role bears."""


@pytest.mark.parametrize(("name", "value"), CLOSED.items(), ids=list(CLOSED))
def test_what_is_open_by_default_is_closed(staff_app: Flask, name: str, value: Any) -> None:
    assert staff_app.config[name] == value


def test_redirects_stay_on_our_hosts(staff_app: Flask) -> None:
    hosts = staff_app.config["TRUSTED_HOSTS"]
    assert hosts and set(hosts) <= set(staff_app.config["FAB_SAFE_REDIRECT_HOSTS"])


def test_fabs_own_roles_are_nobodys(staff_app: Flask) -> None:
    from app.rules.accounts import ROLES

    assert not {staff_app.config[name] for name in NOBODYS} & set(ROLES)
