"""Is this process alive, and can it serve? Two addresses for the load balancer; nginx hides them from outside."""

from __future__ import annotations

from pathlib import Path

import redis
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db


def init(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", lambda: _answer("ok"))
    app.add_url_rule("/readyz", "readyz", readyz)
    app.extensions["schema_head"] = ScriptDirectory(str(Path(app.root_path).with_name("migrations"))).get_current_head()


def readyz() -> Response:
    """`ok`; `degraded` when only the shared rate limits are away; otherwise the name of the check that failed."""
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            head = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return _answer("database", 503)
    if head != current_app.extensions["schema_head"]:
        return _answer("schema", 503)
    return _answer("ok" if _redis_answers(current_app.config["REDIS_URL"]) else "degraded")


def _redis_answers(url: str) -> bool:
    if not url:
        return True
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5) as server:
            return bool(server.ping())
    except redis.RedisError:
        return False


def _answer(word: str, status: int = 200) -> Response:
    return Response(word, status=status, mimetype="text/plain", headers={"Cache-Control": "no-store"})
