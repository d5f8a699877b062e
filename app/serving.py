"""What only a serving process needs: the locks that keep a second one out, and the work that nobody asks for."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app import jobs, operators
from app.context import acting, system
from app.extensions import db
from app.jobs import mail
from app.letters.mail import Sender
from app.locks import take

STOPPING = (signal.SIGINT, signal.SIGTERM)
EVERY_MINUTE, EVERY_HOUR = 60.0, 3600.0  # seconds between rounds of each kind of work
BEAT = 3.0  # seconds between looks at the outbox
MAILS = "mails"
"""The folder of a trial's mails."""
log = logging.getLogger(__name__)
_held: list[IO[str]] = []
"""Locks last as long as the process."""


def claim(*apps: Flask) -> None:
    """Keeps a second serving process off what only one may use. In production it refuses to start, otherwise it warns."""
    config = apps[0].config
    url = make_url(config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite" and not _take(Path(f"{url.database}.serving.lock")):
        _object(
            f"データベース {Path(str(url.database)).name} は、別のプロセスが使っています。SQLite で動かせるのは1プロセスだけです。"
            "もう一方を止めるか、PostgreSQL を使ってください。",
            fatal=config["PRODUCTION"],
        )
    if config["PRODUCTION"] and not config["REDIS_URL"]:
        for site in (app.config["SITE"] for app in apps):
            if not _take(config["VAR"] / f"{site}.limits.lock"):
                _object(
                    f"{site} サイトは、別のプロセスで動いています。回数制限をプロセスどうしで共有するため、REDIS_URL を設定してください。",
                    fatal=True,
                )


def settle() -> None:
    """Called once everything is made that lasts as long as the process: the collector of garbage need not look through all of it
    again and again, while somebody waits (seen: 95 ms, about once in thirty requests)."""
    gc.collect()
    gc.freeze()


def _take(path: Path) -> bool:
    held = take(path)
    if held:
        _held.append(held)
    return held is not None


def _object(sentence: str, *, fatal: bool) -> None:
    if fatal:
        sys.exit(sentence)
    print(f"注意: {sentence}", file=sys.stderr)  # noqa: T201 - to the person at the terminal


def body_limit(app: Flask) -> int:
    """The longest request body that a server may take in at all, on its way to a disk or to nowhere. Wider than what the
    application accepts, so that who sends a little too much reads our sentence and not the server's."""
    return max(2 * int(app.config["MAX_CONTENT_LENGTH"]), 1024 * 1024)


def listen_for_stop(stop: threading.Event) -> None:
    """Sets the event at the first signal. Told twice (make passes its signal on), a second handler that ran inside the first
    would wait for the event's own lock for ever: from the first on, signals are heard and nothing is done about them."""

    def told(*_: Any) -> None:
        _hear(lambda *_: None)  # not SIG_IGN, which Python complains of when a signal is already on its way
        stop.set()

    _hear(told)


def _hear(handler: Callable[..., Any]) -> None:
    for number in STOPPING:
        signal.signal(number, handler)


def start_work(app: Flask, stop: threading.Event) -> threading.Thread:
    """The work that nobody asks for, in a thread of its own, the first round at once. Who hears the signals must not be the one
    who waits: a handler cannot set an event whose lock its own thread holds."""

    def rounds() -> None:
        due = dict.fromkeys((EVERY_MINUTE, EVERY_HOUR), 0.0)
        while True:
            for pace in due:
                if time.monotonic() >= due[pace]:
                    due[pace] = time.monotonic() + pace
                    _round(app, pace)
            send_mails(app, stop)
            if stop.wait(BEAT):
                return

    thread = threading.Thread(target=rounds, name="work", daemon=True)
    thread.start()
    return thread


def work_once(app: Flask) -> list[str]:
    """One round of everything; the names of the tasks that failed."""
    failed = [*_round(app, EVERY_MINUTE), *_round(app, EVERY_HOUR)]
    return failed if send_mails(app) else [*failed, mail.NAME]


def _round(app: Flask, pace: float) -> list[str]:
    return jobs.do(lambda name: _session(app, name), datetime.now(UTC), _tasks(app)[pace])


def _tasks(app: Flask) -> Mapping[float, Mapping[str, jobs.Task]]:
    door: Any = app.session_interface
    ended: dict[str, jobs.Task] = {
        "期限切れサインインの終了": lambda session, _now: door.sweep(session.connection()),
        "終わった予約代行のサインインの整理": operators.forget,
    }
    return {EVERY_MINUTE: jobs.EVERY_MINUTE, EVERY_HOUR: {**jobs.EVERY_HOUR, **ended}}


def send_mails(app: Flask, stop: threading.Event | None = None) -> bool:
    """Sends what is due until nothing is; False when that broke off. Without a mail server mails wait, and nothing is lost."""
    post = postman(app)
    try:
        while post and not (stop and stop.is_set()):
            sender = Sender(address=app.config["MAIL_FROM"], site=app.config["PUBLIC_URL"])
            if not mail.deliver(lambda name: _session(app, name), post, sender, lambda: datetime.now(UTC)):
                break
    except Exception:
        log.exception("%s が失敗しました", mail.NAME)
        return False
    return True


def postman(app: Flask) -> mail.Post | None:
    """Who takes mails: the mail server, in a trial without one a folder, otherwise nobody."""
    if app.config["MAIL_URL"]:
        return mail.by_smtp(app.config["MAIL_URL"])
    return mail.into_folder(app.config["VAR"] / MAILS) if app.config["DEMO"] else None


@contextmanager
def _session(app: Flask, name: str) -> Iterator[Session]:
    with app.app_context(), acting(db.session(), system(name)):
        yield db.session()
        db.session.commit()
