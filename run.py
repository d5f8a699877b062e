"""`python run.py`: the whole product in one process, for trying out. `run.app` is the staff site, made when first asked for."""

from __future__ import annotations

import sys
import threading
from datetime import datetime
from typing import Any

import click
import waitress
from flask import Flask
from sqlalchemy import select
from waitress import wasyncore

from app import create_app, serving
from app.context import TOKYO
from app.demo_accounts import ACCOUNTS
from app.extensions import db
from app.installing import Outcome, install
from config import Settings, load
from models import Card, Reservation

TRIAL_SEED = 1


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = create_app("staff", load())
    return made


def main() -> None:
    settings = load()
    stop = threading.Event()
    serving.listen_for_stop(stop)
    staff, resident = create_app("staff", settings), create_app("resident", settings)
    serving.claim(resident, staff)
    outcome = install(staff)
    if settings.demo:
        _small_demo(staff)
    if not stop.is_set():
        serving.start_work(staff, stop)
        serving.settle()
        _serve({settings.port: resident, settings.staff_port: staff}, settings, outcome, stop)


def _small_demo(app: Flask) -> None:
    """Some days of work to look at, unless there is something already."""
    from app.cli import load_demo

    with app.app_context():
        with db.engine.connect() as connection:
            is_used = any(connection.scalar(select(model.id).limit(1)) for model in (Card, Reservation))
        if not is_used:
            load_demo(years=1, volume="small", seed=TRIAL_SEED, until=datetime.now(TOKYO).date())


def _serve(sites: dict[int, Flask], settings: Settings, outcome: Outcome, stop: threading.Event) -> None:
    """Both sites on one loop; each has threads of its own, so that a slow staff report keeps no resident waiting."""
    sockets: dict[int, Any] = {}
    servers = [_listen(app, settings, port, sockets) for port, app in sites.items()]
    _greet(settings, outcome)
    while not stop.is_set():
        wasyncore.loop(timeout=0.5, map=sockets, use_poll=True, count=1)
    for server in servers:
        server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        server.close()
    click.echo("終了しました。")


def _listen(app: Flask, settings: Settings, port: int, sockets: dict[int, Any]) -> Any:
    try:
        return waitress.create_server(
            app,
            map=sockets,
            host=settings.host,
            port=port,
            threads=settings.threads,
            ident=None,
            clear_untrusted_proxy_headers=False,  # the application reads X-Forwarded-For itself, from TRUSTED_PROXIES only
            max_request_body_size=serving.body_limit(app),
        )
    except OSError as error:
        sys.exit(
            f"{settings.host} のポート {port} で待ち受けできません（{error.strerror}）。PORT と STAFF_PORT で別の番号を指定してください。"
        )


def _greet(settings: Settings, outcome: Outcome) -> None:
    click.echo(
        f"\n住民サイト  http://{settings.host}:{settings.port}/\n職員サイト  http://{settings.host}:{settings.staff_port}/"
    )
    if settings.demo:
        names = "  ".join(f"{account.username}（{account.role_label}）" for account in ACCOUNTS)
        known = outcome.demo_password or "以前に決めたもの（DEMO_PASSWORD を付けて起動すると決め直せます）"
        click.echo(f"デモアカウント  {names}\nパスワード（共通）  {known}")
    click.echo("止めるには Ctrl+C を押してください。\n")


if __name__ == "__main__":
    main()
