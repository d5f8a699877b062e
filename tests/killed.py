"""Real servers that die at a marked point and are started again at once, as the service manager of a host does; and people who book
there meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from bench.browsing import Browser, Fields
from bench.walking import Place, Walk, address, somebody
from config import ROOT
from tests.test_run import free_port

PATIENCE = 90.0  # seconds until a person gives up who finds nobody answering
T = TypeVar("T")


class Keeper:
    """Keeps a server running: starts it again whenever it dies of SIGKILL."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.command, self.env, self.deaths = command, env, 0
        self._stopping = threading.Event()
        self._process = self._started()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *self.command], cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            if self._process.wait() == -signal.SIGKILL:
                self.deaths += 1
                self._process = self._started()
            else:
                return

    def stop(self) -> None:
        self._stopping.set()
        self._process.terminate()
        self._process.wait(30)
        self._thread.join()


class Gunicorn(Keeper):
    """Here the master starts its workers again, and says in its log how they died."""

    def __init__(self, command: list[str], env: dict[str, str], log: str) -> None:
        self._log = log
        super().__init__([*command, "--error-logfile", log], env)

    @property
    def killed(self) -> int:
        with open(self._log) as lines:  # noqa: PTH123
            return sum("SIGKILL" in line for line in lines)


def environment(url: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DATABASE_URL": url,
        "SECRET_KEY": "killed " * 8,
        "TRUSTED_PROXIES": "127.0.0.1",
        "FORM_SECONDS": "0",  # these people type faster than any
        "WEB_CONCURRENCY": "1" if url.startswith("sqlite") else "2",
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def resident_site(url: str, point: str, folder: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """The port of the residents' site, and how often it has died. PostgreSQL: gunicorn as in `deploy/`; SQLite: `run.py`, whole."""
    port, env = free_port(), {**environment(url), "FAULT_POINT": point}
    keeper: Keeper
    if url.startswith("sqlite"):
        keeper = Keeper(["run.py"], {**env, "PORT": f"{port}", "STAFF_PORT": f"{free_port()}"})
    else:
        command = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "deploy.wsgi:resident"]
        keeper = Gunicorn(command, env, f"{folder}/gunicorn.log")
    try:
        yield port, lambda: keeper.killed if isinstance(keeper, Gunicorn) else keeper.deaths
    finally:
        keeper.stop()


@dataclass
class Client:
    """Somebody who books, tries again while nobody answers, and remembers what they were told. Whoever has no patience does not
    send the last page twice."""

    port: int
    place: Place
    is_patient: bool = True
    person: Fields = field(default_factory=somebody)
    answered: str = ""
    """The address of the page of the booking, when there was an answer."""
    code: str = ""
    lost: int = 0

    def book(self) -> None:
        walk = Walk(Browser(self.port, address()), self.place, self.person)
        self._again(walk.times)
        answer = self._again(walk.hold)
        while answer.status == 303 and not answer.location.startswith("/booked/"):
            self._again(partial(walk.form, answer.location))
            step = walk.confirm if walk.is_checked else walk.send
            answer = step() if walk.is_checked and not self.is_patient else self._again(step)
        if answer.status != 303:
            raise RuntimeError(f"{answer.path} answered {answer.status}")
        self.answered = answer.location
        self.code = self._again(lambda: walk.done(self.answered))

    def _again(self, step: Callable[[], T]) -> T:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return step()
            except OSError:
                self.lost += 1
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def run(self) -> None:
        try:
            self.book()
        except OSError:
            assert not self.is_patient


def all_at_once(clients: list[Client]) -> None:
    """Each in a thread; what went wrong with one of them goes wrong here."""
    faults: list[Exception] = []

    def run(client: Client) -> None:
        try:
            client.run()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
