"""The low-code promise, held in a process of its own (a class defined here would be everybody's)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config import ROOT


@pytest.mark.timeout(300)
def test_one_class_and_one_migration_give_everything() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/promise",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--override-ini=norecursedirs=.*",
        "--override-ini=addopts=",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
