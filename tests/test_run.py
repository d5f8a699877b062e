"""`python run.py` and the WSGI entry: they start, say where, and stop cleanly."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app import serving
from app.serving import STOPPING
from config import ROOT

ENVIRONMENT = {"PATH": os.environ["PATH"], "SECRET_KEY": "test " * 10, "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(*command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**ENVIRONMENT, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def get(port: int, path: str, process: subprocess.Popen[str]) -> str:
    """The page, as soon as somebody serves it."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.1)
    raise AssertionError("nobody answers")


def announce(port: int, length: int, sent: bytes, *, ending: bytes = b"") -> tuple[bytes, bool]:
    """Says that so long a form follows and sends only the beginning: the answer, and whether the server then hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(
            b"POST /lookup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n%b\r\n" % (length, ending) + sent
        )
        answer = line.recv(65536)
        while True:
            try:
                more = line.recv(65536)
            except (TimeoutError, ConnectionResetError) as error:
                return answer, isinstance(error, ConnectionResetError)
            if not more:
                return answer, True
            answer += more


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_command_serves_both_sites_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    resident, staff = free_port(), free_port()
    demo = {"DEMO": "1", "DEMO_PASSWORD": "correct-horse-7"} if number is signal.SIGTERM else {}
    with started(
        "run.py", DATABASE_URL=f"sqlite:///{tmp_path}/app.db", PORT=str(resident), STAFF_PORT=str(staff), **demo
    ) as process:
        assert get(resident, "/readyz", process) == get(staff, "/readyz", process) == "ok"
        if demo:
            for port in (resident, staff):
                answer, is_over = announce(port, 2**29, b"code=x")
                assert answer.startswith(b"HTTP/1.1 413 ") and is_over, answer
            assert (
                "送られたデータが大きすぎます"
                in announce(resident, 100_000, b"x" * 100_000, ending=b"Connection: close\r\n")[0].decode()
            )
        assert "Server" not in urllib.request.urlopen(f"http://127.0.0.1:{resident}/healthz", timeout=5).headers
        for told in (number, *STOPPING):  # a group's signal, and make's that follows it
            process.send_signal(told)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"住民サイト  http://127.0.0.1:{resident}/" in said
    assert f"職員サイト  http://127.0.0.1:{staff}/" in said
    assert ("admin（システム管理者）" in said, "correct-horse-7" in said) == (bool(demo), bool(demo))
    assert "Traceback" not in said
    with closing(sqlite3.connect(tmp_path / "app.db")) as stored:
        made = {name: stored.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("card", "reservation")}
        told_of = stored.execute("SELECT count(*) FROM operation_log").fetchone()[0]
    assert {name: many > 0 for name, many in made.items()} == {"card": bool(demo), "reservation": bool(demo)}
    assert (told_of >= 100) is bool(demo), told_of


def test_told_to_stop_in_the_middle_of_stopping_it_does_not_begin_to_stop_again() -> None:
    """The signal lands where the event holds its own lock: a second handler would wait for that lock for ever."""

    class Interrupted(threading.Event):
        times = 0

        def set(self) -> None:
            self.times += 1
            if self.times == 1:
                for number in STOPPING:
                    os.kill(os.getpid(), number)
            super().set()

    before, stop = [signal.getsignal(number) for number in STOPPING], Interrupted()
    try:
        serving.listen_for_stop(stop)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    finally:
        for number, handler in zip(STOPPING, before, strict=True):
            signal.signal(number, handler)
    assert stop.times == 1


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        with started("run.py", DATABASE_URL=f"sqlite:///{tmp_path}/app.db", PORT=port, STAFF_PORT=str(free_port())) as process:
            said, _ = process.communicate(timeout=60)
    assert (process.returncode, f"ポート {port} で待ち受けできません" in said, "Traceback" in said) == (1, True, False)


def test_gunicorn_serves_a_site_and_a_second_process_on_sqlite_refuses(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    subprocess.run(
        [Path(sys.executable).parent / "flask", "setup"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
        env={**ENVIRONMENT, "DATABASE_URL": url},
    )
    production = {
        "DATABASE_URL": url,
        "APP_ENV": "production",
        "REDIS_URL": "redis://127.0.0.1:6379/15",
        "SECRET_KEY": "k" * 40,
        "FIELD_KEYS": f"a:{'a' * 43}=",
    }
    command = ("-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "deploy.wsgi:resident")
    port = free_port()
    with started(*command, "--bind", f"127.0.0.1:{port}", **production) as first:
        assert get(port, "/healthz", first) == "ok"
        answer, is_over = announce(port, 2**29, b"code=x")
        assert answer.startswith(b"HTTP/1.1 413 ") and is_over, answer
        with started(*command, "--bind", f"127.0.0.1:{free_port()}", **production) as second:
            said, _ = second.communicate(timeout=60)
        assert second.returncode != 0
        assert "SQLite で動かせるのは1プロセスだけです" in said
        first.terminate()
        assert first.wait(timeout=30) == 0
