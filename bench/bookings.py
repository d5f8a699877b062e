"""Bookings per second over HTTP: 16 residents at once, a popular slot and spread ones, and how many places were oversold.

A real gunicorn (4 sync workers) serves the resident site on a PostgreSQL database of its own. Every limit stays on; the
residents come from many addresses, named in X-Forwarded-For by the one trusted proxy that the bench plays.
    .venv/bin/python -m bench.bookings [--seconds 8]
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from typing import Any, LiteralString
from urllib.parse import urlencode

import psycopg
from flask import Flask
from sqlalchemy import create_engine, text

from booking import notice, seals
from config import ROOT, Settings

RESIDENTS, WORKERS, CLIENT_PROCESSES = 16, 4, 2
KEY = "bench-" * 8
FORK = get_context("fork")
Row = tuple[str, ...]
Act = Callable[[int], tuple[str, float]]
"""What a resident does over and over, given a number of theirs: how it ended, and how many seconds it took."""
HEAD: Row = ("場面", "件数", "予約/秒", "中央値 ms", "p95 ms", "p99 ms", "断られた数", "定員超過")


@dataclass
class Outcome:
    """What the residents of one process saw."""

    booked: int = 0
    refused: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)


def run(seconds: float = 8.0) -> list[Row]:
    """The rows of the table, heading first."""
    with _database() as url:
        _fill(url)
        slots = _prepare(url)
        rows = [HEAD]
        with _serving(url, "bench.bare:app") as port:
            rows.append(_measure(url, port, "（参考）素の Flask、人気の1枠", slots[:1], seconds, _bare))
            rows.append(_measure(url, port, "（参考）素の Flask、分散", slots, seconds, _bare))
        with _serving(url, "app:create_app('resident')") as port:
            rows.append(_measure(url, port, "人気の1枠（予約の送信）", slots[:1], seconds, _sender))
            rows.append(_measure(url, port, f"{len(slots)}枠に分散（予約の送信）", slots, seconds, _sender))
            rows.append(_measure(url, port, f"{len(slots)}枠に分散（全画面を通す）", slots, seconds, _walker))
            _shrink(url, slots[0], places=50)
            rows.append(_measure(url, port, "残り50の1枠に殺到", slots[:1], seconds / 2, _sender))
        return rows


@contextmanager
def _database() -> Iterator[str]:
    server = Settings(_env_file=None).test_postgres_url.replace("postgresql+psycopg://", "postgresql://")
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield server.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _environment(url: str) -> dict[str, str]:
    redis = Settings(_env_file=None).test_redis_url
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "SECRET_KEY": KEY,
        "DEMO": "1",
        "DEMO_PASSWORD": "bench-password-1",
        "TRUSTED_PROXIES": "127.0.0.1",
        "REDIS_URL": redis,
        "WEB_CONCURRENCY": str(WORKERS),
        "PYTHONPATH": str(ROOT),
    }


def _fill(url: str) -> None:
    flask = [sys.executable, "-m", "flask", "--app", "app:create_app('resident')"]
    for command in (["setup"], ["slots", "open"]):
        subprocess.run(
            [*flask, *command], cwd=ROOT, env=_environment(url), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextmanager
def _serving(url: str, application: str) -> Iterator[int]:
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-w", str(WORKERS), "-b", f"127.0.0.1:{port}", "--log-level", "warning", application],
        cwd=ROOT,
        env=_environment(url),
    )
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(150):
        try:
            if _ask(port, "GET", "/", "10.0.0.1", "")[0] == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the site did not start")


@dataclass(frozen=True)
class Place:
    """A slot as the address of its form."""

    id: int
    path: str


def _prepare(url: str) -> list[Place]:
    """Five hundred free times with room for every booking of the bench."""
    with create_engine(url.replace("postgresql://", "postgresql+psycopg://")).begin() as connection:
        connection.execute(text("UPDATE slot SET capacity = 1000000, wanted = 1000000 WHERE channel = 'web'"))
        connection.execute(text("ANALYZE"))
        rows = connection.execute(
            text("""
            SELECT slot.id, counter.code, slot.slot_date FROM slot JOIN counter ON counter.id = slot.counter_id
            JOIN desk_pool_category served ON served.desk_pool_id = slot.desk_pool_id
            JOIN booking_category category ON category.id = served.booking_category_id AND category.code = 'pickup'
            WHERE channel = 'web' AND slot_date BETWEEN :first AND :last ORDER BY slot.id LIMIT 500"""),
            _window(),
        ).all()
    return [Place(row[0], f"/book/pickup/{row[1]}/{row[2].isoformat()}/{row[0]}/") for row in rows]


def _window() -> dict[str, Any]:
    from datetime import datetime

    from app.context import TOKYO

    today = datetime.now(TOKYO).date()
    return {"first": today + timedelta(days=4), "last": today + timedelta(days=40)}


def _shrink(url: str, place: Place, places: int) -> None:
    with create_engine(url.replace("postgresql://", "postgresql+psycopg://")).begin() as connection:
        connection.execute(
            text("UPDATE slot SET wanted = used + :n, capacity = used + :n WHERE id = :id"), {"n": places, "id": place.id}
        )


def _ask(
    port: int, method: str, path: str, address: str, cookie: str, form: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """One request on a connection of its own, as gunicorn's sync workers serve them: status, headers, body."""
    body = urlencode(form).encode() if form else b""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Forwarded-For: {address}\r\nCookie: {cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), 30) as wire:
        wire.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    headers, _, page = answer.partition(b"\r\n\r\n")
    return int(answer[9:12]), headers.decode(), page.decode()


def _open(port: int, path: str, address: str, cookie: str = "") -> tuple[str, str, str]:
    """A page as a browser gets it, sent on from one address to the next: where it was found, the page, the cookie."""
    status, headers, page = _ask(port, "GET", path, address, cookie)
    cookie = _cookie(headers) or cookie
    if status == 303:
        return _open(port, _location(headers), address, cookie)
    if status != 200:
        raise RuntimeError(f"{path} answered {status}")
    return path, page, cookie


def _cookie(headers: str) -> str:
    found = re.search(r"Set-Cookie: (resident=[^;]+)", headers)
    return found.group(1) if found else ""


def _location(headers: str) -> str:
    found = re.search(r"Location: (\S+)", headers)
    return found.group(1) if found else ""


def _ended(status: int, headers: str) -> str:
    """Booked, refused (the way leads back to a page that offers other times), or what went wrong."""
    if status == 303:
        return "booked" if _location(headers).startswith("/booked/") else "refused"
    return "refused" if status == 409 else f"answered {status}"


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    if found is None:
        raise RuntimeError(f"no field {name} in {page[:300]}")
    return found.group(1)


def _person(number: int) -> dict[str, str]:
    return {
        "name": f"神戸 花子{number}",
        "name_kana": "コウベ ハナコ",
        "birth_year": "昭和35",
        "birth_month": "4",
        "birth_day": "1",
        "sex": "",
        "postal_code": "650-0001",
        "address": "神戸市中央区加納町6丁目5番1号",
        "building": "",
        "phone": f"080{number % 10**8:08}",
        "email": "hanako@example.jp",
        "message": "",
    }


def _address() -> str:
    number = secrets.randbits(24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _bare(port: int, places: list[Place]) -> Act:
    """Sends the same entry to the bare view."""

    def send(number: int) -> tuple[str, float]:
        place, entry = places[number % len(places)], {**_person(number), "form_token": secrets.token_urlsafe(32)}
        begun = time.perf_counter()
        status, headers, _ = _ask(port, "POST", f"/book/{place.id}/confirm", _address(), "", entry)
        return _ended(status, headers), time.perf_counter() - begun

    return send


def _sender(port: int, places: list[Place]) -> Act:
    """Sends finished check pages, one after the other: only the request that books is timed."""
    signer = Flask(__name__)
    signer.secret_key = KEY
    _, page, cookie = _open(port, places[0].path, _address())
    csrf = _hidden(page, "csrf_token")

    def send(number: int) -> tuple[str, float]:
        place, entry = places[number % len(places)], {**_person(number), "form_token": seals.new_form_token()}
        with signer.app_context():
            mark = seals.seal(entry.items(), place.id, notice.VERSION)
        begun = time.perf_counter()
        sealed = {**entry, "csrf_token": csrf, "seal": mark, "consent": "y"}
        status, headers, _ = _ask(port, "POST", f"{place.path}confirm", _address(), cookie, sealed)
        return _ended(status, headers), time.perf_counter() - begun

    return send


def _walker(port: int, places: list[Place]) -> Act:
    """Walks like a person: procedures, counters, month, times, form, check page, booking, done page. The whole walk is timed."""

    def walk(number: int) -> tuple[str, float]:
        place, address, begun = places[number % len(places)], _address(), time.perf_counter()
        times = place.path.rsplit("/", 2)[0] + "/"
        counter = times.rsplit("/", 2)[0] + "/"
        for path in ("/book/", "/book/pickup/", counter, times):
            _open(port, path, address)
        form, page, cookie = _open(port, place.path, address)
        entry = {**_person(number), "form_token": _hidden(page, "form_token"), "csrf_token": _hidden(page, "csrf_token")}
        _, headers, _ = _ask(port, "POST", form, address, cookie, entry)
        check, page, cookie = _open(port, _location(headers), address, cookie)
        sealed = {**entry, **_normal(page), "seal": _hidden(page, "seal"), "consent": "y"}
        status, headers, _ = _ask(port, "POST", check.replace("/check", "/confirm"), address, cookie, sealed)
        if status == 303:
            _open(port, _location(headers), address, cookie)
        return _ended(status, headers), time.perf_counter() - begun

    return walk


def _normal(page: str) -> dict[str, str]:
    """The entry as the check page carries it."""
    return {name: _hidden(page, name) for name in (*_person(0), "form_token")}


def _measure(url: str, port: int, scene: str, places: list[Place], seconds: float, make: Any) -> Row:
    before, act = _stored(url), make(port, places)
    results = FORK.SimpleQueue()
    groups = [FORK.Process(target=lambda: results.put(_residents(act, seconds))) for _ in range(CLIENT_PROCESSES)]
    for group in groups:
        group.start()
    found = [results.get() for _ in groups]
    for group in groups:
        group.join()
    waits = sorted(wait for one in found for wait in one.waits)
    booked, refused = sum(one.booked for one in found), sum(one.refused for one in found)
    failed = {status: count for one in found for status, count in one.failed.items()}
    after, over = _stored(url), _oversold(url)
    if failed or not booked or after - before != booked:
        raise RuntimeError(f"{scene}: booked {booked}, stored {after - before}, failed {failed}")
    cuts = statistics.quantiles(waits, n=100) if len(waits) > 1 else [0.0] * 99
    return (
        scene,
        str(booked),
        f"{booked / seconds:.0f}",
        *(f"{cuts[p - 1] * 1000:.0f}" for p in (50, 95, 99)),
        str(refused),
        str(over),
    )


def _residents(act: Act, seconds: float) -> Outcome:
    """The residents of one process, each in a thread, until the time is over."""
    outcome, until = Outcome(), time.perf_counter() + seconds

    def resident() -> None:
        number = secrets.randbits(20) * 1000
        while time.perf_counter() < until:
            number += 1
            _note(outcome, *act(number))

    threads = [threading.Thread(target=resident) for _ in range(RESIDENTS // CLIENT_PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def _note(outcome: Outcome, ended: str, wait: float) -> None:
    if ended == "booked":
        outcome.booked += 1
        outcome.waits.append(wait)
    elif ended == "refused":
        outcome.refused += 1
    else:
        outcome.failed[ended] = outcome.failed.get(ended, 0) + 1


def _stored(url: str) -> int:
    return _count(url, "SELECT count(*) FROM reservation")


def _oversold(url: str) -> int:
    """Slots whose places do not agree with their reservations, or that hold more than they may."""
    return _count(
        url,
        """
        SELECT count(*) FROM slot LEFT JOIN (SELECT slot_id, sum(units) AS n FROM reservation
          WHERE state IN ('held', 'booked', 'arrived', 'no_show') GROUP BY slot_id) taken ON taken.slot_id = slot.id
        WHERE slot.used <> coalesce(taken.n, 0) OR slot.used > slot.capacity""",
    )


def _count(url: str, statement: LiteralString) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    assert row
    return int(row[0])


def show(rows: list[Row]) -> str:
    widths = [max(sum(2 if ord(c) > 255 else 1 for c in row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell + " " * (w - sum(2 if ord(c) > 255 else 1 for c in cell)) for cell, w in zip(row, widths, strict=True))
        for row in rows
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each scene lasts")
    print(show(run(parser.parse_args().seconds)))
