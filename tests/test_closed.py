"""What FAB, Flask-Login and Flask leave open by default and the staff site closes, setting by setting, written by hand.

Some of these are what the framework would do anyway. They are said all the same, so that a new version cannot open them, and held
here in both places: as we say them, and as the finished application has them after every framework has had its turn.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import _flask_settings
from app.security import _closed
from config import Settings
from tests.conftest import FIELD_KEYS, House
from tests.sites import site

HOST, LIMIT = "staff.example.lg.jp", "7 per minute; 70 per hour"
CLOSED: dict[str, Any] = {
    "AUTH_TYPE": 1,  # accounts of our own
    "AUTH_USER_REGISTRATION": False,
    "AUTH_USERNAME_CI": True,
    "AUTH_RATE_LIMITED": True,
    "AUTH_RATE_LIMIT": LIMIT,
    "AUTH_ROLE_ADMIN": "fab_admin",  # may do everything, and nobody holds it
    "AUTH_ROLE_PUBLIC": "fab_public",
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
    "FAB_SAFE_REDIRECT_HOSTS": [HOST, f"{HOST}:*"],
    "FAB_BASE_TEMPLATE": "panel/base.html",
    "ERROR_TEMPLATE": "panel/error.html",
    "SESSION_PROTECTION": None,  # the row of the session is the guard
}
FLASK: dict[str, Any] = {
    "TRUSTED_HOSTS": (HOST,),
    "MAX_CONTENT_LENGTH": 20 * 1024 * 1024,
    "SESSION_COOKIE_NAME": "staff",
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Strict",
    "SESSION_IDLE": timedelta(minutes=15),
    "PERMANENT_SESSION_LIFETIME": timedelta(hours=8),
    "WTF_CSRF_TIME_LIMIT": None,
}
PRODUCTION: dict[str, Any] = {"SESSION_COOKIE_NAME": "__Host-staff", "SESSION_COOKIE_SECURE": True}
UNTOUCHED: dict[str, Any] = {
    "AUTH_ROLES_SYNC_AT_LOGIN": False,
    "AUTH_ROLES_MAPPING": {},
    "AUTH_AUTO_CREATE_GROUPS": False,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 1000,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "WTF_CSRF_ENABLED": True,
    "WTF_CSRF_CHECK_DEFAULT": True,
    "WTF_CSRF_SSL_STRICT": True,
    "WTF_CSRF_METHODS": {"POST", "PUT", "PATCH", "DELETE"},
    "RATELIMIT_ENABLED": True,  # FAB switches limiting off
    "SQLALCHEMY_ECHO": False,
    "DEBUG": False,
}
"""Safe as the frameworks have them, and left so; but for limiting, which has a module of its own."""


def in_words(config: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """These settings as they are; a setting that is gone says so."""
    return {name: config.get(name, "not said") for name in wanted}


@pytest.mark.parametrize("production", [False, True], ids=["development", "production"])
def test_the_staff_site_has_every_setting_that_closes_it(database: House, production: bool) -> None:
    wanted = CLOSED | FLASK | UNTOUCHED | (PRODUCTION if production else {})
    app_env = "production" if production else "development"
    with site(database, app_env=app_env, trusted_hosts=(HOST,), limit_login=LIMIT, redis_url="") as app:
        assert in_words(app.config, wanted) == wanted
        assert app.config["SQLALCHEMY_ENGINE_OPTIONS"]["hide_parameters"], "values in the words of an error"


@pytest.mark.parametrize("production", [False, True], ids=["development", "production"])
def test_each_is_said_by_us_and_not_left_to_a_default(production: bool) -> None:
    wanted = CLOSED | FLASK | (PRODUCTION if production else {})
    settings = Settings(
        _env_file=None, app_env="production" if production else "development", secret_key="k" * 32, field_keys=FIELD_KEYS
    )
    flask = _flask_settings("staff", settings.model_copy(update={"trusted_hosts": (HOST,)}))
    assert in_words({**flask, **_closed((HOST,), LIMIT)}, wanted) == wanted


def test_the_table_is_complete() -> None:
    """What the code closes beyond it is written here too, so that it cannot be lost again."""
    assert set(_closed((HOST,), LIMIT)) == set(CLOSED)
