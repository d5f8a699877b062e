"""`create_app(site)`: the one place that sees everything and puts it together."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from flask import Flask

from app import cli, edge, faults, headers, health, i18n, limits, private, soundness
from app.extensions import db, engine_options, tune
from app.keys import Keys
from config import ROOT, VAR, Settings

Site = Literal["resident", "staff"]
HANDED_DOWN = (
    "trusted_hosts",
    "trusted_proxies",
    "staff_site",
    "public_url",
    "mail_url",
    "mail_from",
    "callcenter_networks",
    "redis_url",
    "limit_login",
    "limit_booking",
    "limit_hold",
    "limit_burst",
    "limit_lookup",
    "form_seconds",
    "demo",
    "demo_password",
)


def create_app(site: Site, settings: Settings | None = None) -> Flask:
    """One site of the product. `resident` faces the Internet, `staff` the office network."""
    settings = settings or Settings()
    soundness.must_be_sound()
    faults.arm(settings.fault_point)
    app = Flask("app", root_path=str(ROOT / "app"))
    app.config.update(_flask_settings(site, settings))
    app.extensions["keys"] = Keys(settings.field_keys or _trial_key())
    db.init_app(app)
    cli.init(app)
    health.init(app)
    with app.app_context():
        tune(db.engine)
        headers.init(app)
        limits.init(app)
        if site == "staff":
            _staff(app)
        else:
            _resident(app)
    return app


def _flask_settings(site: Site, settings: Settings) -> dict[str, object]:
    """The settings as every module below finds them: in Flask's `config`, never by asking for `Settings`."""
    production = settings.is_production
    return {
        **{name.upper(): getattr(settings, name) for name in HANDED_DOWN},
        "SITE": site,
        "PRODUCTION": production,
        "VAR": VAR,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "SECRET_KEY": settings.secret_key or private.secret(VAR / "secret_key", 48),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "MAX_CONTENT_LENGTH": 20 * 1024 * 1024,
        "SESSION_COOKIE_NAME": f"__Host-{site}" if production else site,
        "SESSION_COOKIE_SECURE": production,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict" if site == "staff" else "Lax",
        "SESSION_IDLE": timedelta(minutes=settings.session_idle_minutes),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.session_hours),
        "WTF_CSRF_TIME_LIMIT": None,
        "FAB_INDEX_VIEW": "views.home.HomeView",
    }


def _trial_key() -> tuple[tuple[str, bytes], ...]:
    """Outside production: a key of this machine, made once."""
    return (("trial", private.secret(VAR / "field_key", 48).encode()),)


def _staff(app: Flask) -> None:
    import views
    from app import security
    from booking import Desk, blueprint

    i18n.init(app)
    views.register(app, security.init(app))
    app.register_blueprint(blueprint("operator", Desk(views.must_book, views.channels)), url_prefix="/operator")
    i18n.always_japanese(app)


def _resident(app: Flask) -> None:
    from booking import Desk, blueprint, door, visitor
    from models import Channel

    # Nothing that a resident sends is longer than a page of a form.
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, ERROR_TEMPLATE="booking/error.html")
    edge.init(app, visitor)
    app.register_blueprint(blueprint("resident"))
    office = Desk(door.admit, lambda: (Channel.CALLCENTER, Channel.WEB), door=True)
    app.register_blueprint(blueprint("operator", office), url_prefix="/operator")
