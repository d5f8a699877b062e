"""What a run of the tests says of what this machine does not have: a line to a developer, and no run at all where all is required."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from config import ROOT

NOTHING = {
    "TEST_POSTGRES_URL": "postgresql://postgres@127.0.0.1:1/postgres",
    "TEST_REDIS_URL": "redis://127.0.0.1:1/0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def collect(nowhere: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Collects tests on a machine with neither server nor browser: the path has no program on it."""
    command = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", "tests/test_text.py"]
    environment = {**NOTHING, "PATH": str(nowhere), **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)


def test_what_is_left_out_is_said_in_one_line(tmp_path: Path) -> None:
    done = collect(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if "省いたテスト" in line] == [
        "省いたテスト: PostgreSQL（TEST_POSTGRES_URL に接続できません）、Redis（TEST_REDIS_URL に接続できません）、"
        "chromium（ありません。make browser で入ります）"
    ]


def test_where_all_is_required_nothing_is_left_out(tmp_path: Path) -> None:
    done = collect(tmp_path, CI="1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "足りないもの: PostgreSQL、Redis、chromium" in done.stderr
    assert "test_text" not in done.stdout
