"""The low-code promise: one class in one new file under `models/`, `flask db migrate`, and nothing else.

Held in a copy of the project, where README's own example is written into a file and the commands are run as a developer would.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT

HEAD = """from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, column


"""
PLACE = '''class LostPlace(Base):
    """忘れ物の置き場: the same for a table that says it is a master."""

    __tablename__, __label__, __group__, __area__, __master__ = "lost_place", "忘れ物置き場", "マスタ", "masters", True
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str] = column(String(60), label="置き場名", listed=True, search=True)
'''
PYTEST = "-q -p no:randomly -p no:cacheprovider -p no:xdist --override-ini=norecursedirs=.* --override-ini=addopts="


@pytest.mark.timeout(300)
def test_one_class_and_one_migration_give_everything(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", "var", ".git", "node_modules", "__pycache__", ".*_cache"))
    (copy / "models" / "lost_item.py").write_text(_example(), encoding="utf-8")
    (copy / "models" / "lost_place.py").write_text(HEAD + PLACE, encoding="utf-8")
    flask = str(Path(sys.executable).parent / "flask")
    for command in (["db", "upgrade", "0001"], ["db", "upgrade"], ["db", "migrate", "-m", "lost items"], ["db", "upgrade"]):
        said = _run(copy, flask, *command)
    assert "lost items" in said, "the revision is written by itself"
    assert "passed" in _run(copy, sys.executable, "-m", "pytest", "tests/promise", *PYTEST.split())


def _example() -> str:
    """The file that README shows."""
    found = re.search(
        r"```python\n(from datetime.*?class LostItem\(Base\):.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S
    )
    assert found, "README shows no class"
    return found.group(1)


def _run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/trial.db", "FLASK_APP": "run"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout
