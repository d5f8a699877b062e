"""Settings: typed, with a sentence for what they refuse; production takes no chances."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from flask import Flask
from pydantic import ValidationError

from app import _flask_settings, serving
from app.locks import take
from config import ROOT, Settings, load

KEY = "k" * 32
FIELD_KEY = f"a:{base64.b64encode(b'f' * 32).decode()}"
FIT = {"app_env": "production", "secret_key": KEY, "field_keys": FIELD_KEY}
"""What production needs."""


@pytest.fixture(autouse=True)
def _let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process keeps its locks for life; a test only until its end."""
    held: list[IO[str]] = []
    monkeypatch.setattr(serving, "_held", held)
    yield
    for lock in held:
        lock.close()


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def site(name: Any, found: Settings, **config: Any) -> Flask:
    """As much of a site as has settings."""
    app = Flask(__name__)
    app.config.update(_flask_settings(name, found), **config)
    return app


def test_nothing_has_to_be_set_for_trying_out() -> None:
    found = settings()
    assert (found.app_env, found.is_sqlite, found.port, found.staff_port, found.demo) == ("development", True, 8000, 8001, False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"secret_key": ""}, "SECRET_KEY"),
        ({"secret_key": "short"}, "32文字以上"),
        ({"field_keys": ""}, "FIELD_KEYS"),
        ({"demo": True}, "DEMO"),
        ({"fault_point": "confirm.filled"}, "FAULT_POINT"),
        ({"web_concurrency": 2}, "REDIS_URL"),
    ],
)
def test_production_refuses(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings(**{**FIT, **values})


def test_production_starts_with_what_it_needs() -> None:
    assert settings(**FIT).is_production
    assert settings(**FIT, web_concurrency=4, redis_url="redis://127.0.0.1/0").web_concurrency == 4


def test_keys_come_named_the_current_one_first() -> None:
    second = base64.b64encode(b"g" * 40).decode()
    found = settings(field_keys=f"{FIELD_KEY}, 2025-b:{second}")
    assert found.field_keys == (("a", b"f" * 32), ("2025-b", b"g" * 40))
    assert "ffff" not in repr(found)


@pytest.mark.parametrize(
    "wrong", ["a", "a:", "a:c2hvcnQ=", "a:%%%%", f":{FIELD_KEY[2:]}", f"{'n' * 17}:{FIELD_KEY[2:]}", f"{FIELD_KEY},{FIELD_KEY}"]
)
def test_a_key_that_is_none_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FIELD_KEYS", wrong)
    with pytest.raises(SystemExit, match="FIELD_KEYS") as refused:
        load()
    assert FIELD_KEY[2:] not in f"{refused.value}{capsys.readouterr()}", "a key must not stand in a terminal"


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgres://u@h/d", "postgresql+psycopg://u@h/d"])
def test_every_spelling_of_postgresql_is_taken(url: str) -> None:
    assert settings(database_url=url).database_url == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    "wrong",
    [
        {"database_url": "mysql://u@h/d"},
        {"app_env": "staging"},
        {"session_idle_minutes": 0},
        {"trusted_proxies": "10.0.0.0/40"},
        {"port": "eighty"},
        {"fault_point": "hold.taken:0"},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_lists_come_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
    monkeypatch.setenv("TRUSTED_HOSTS", "staff.example.jp")
    assert (settings().trusted_proxies, settings().trusted_hosts) == (("127.0.0.1", "10.0.0.0/8"), ("staff.example.jp",))


def test_a_process_that_cannot_live_with_its_settings_says_why() -> None:
    done = run_python("import run; run.main()", APP_ENV="production")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "設定を確認してください。",
        "SECRET_KEY を32文字以上で設定してください（production では必須です）",
    ]


def test_in_production_a_second_process_on_one_sqlite_file_refuses(tmp_path: Path) -> None:
    production = settings(**FIT, database_url=f"sqlite:///{tmp_path}/app.db", redis_url="redis://127.0.0.1/0")
    with held(tmp_path / "app.db.serving.lock"), pytest.raises(SystemExit, match="SQLite で動かせるのは1プロセス"):
        serving.claim(site("staff", production))
    serving.claim(site("staff", production))


def test_in_development_a_second_process_only_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held(tmp_path / "app.db.serving.lock"):
        serving.claim(site("staff", settings(database_url=f"sqlite:///{tmp_path}/app.db", secret_key=KEY)))
    assert capsys.readouterr().err.startswith("注意: データベース app.db は、別のプロセスが使っています")


def test_in_production_two_processes_of_a_site_share_their_limits(tmp_path: Path) -> None:
    production = settings(**FIT, database_url="postgresql://u@h/d")
    with held(tmp_path / "var" / "staff.limits.lock"):
        serving.claim(site("resident", production, VAR=tmp_path / "var"))
        with pytest.raises(SystemExit, match="REDIS_URL"):
            serving.claim(site("staff", production, VAR=tmp_path / "var"))


def held(path: Path) -> Any:
    """A lock that somebody else has: flock counts by open file, so one of our own will do."""
    lock = take(path)
    assert lock
    return lock


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )
