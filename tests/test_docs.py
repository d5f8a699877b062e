"""What README and docs/ say of settings, commands, files and tables is true."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from flask import Flask

from app import dictionary
from config import ROOT, described

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_OURS = {"db", "run", "shell", "routes"}
"""Flask's own commands; of `flask db` README says whose it is."""


def test_generated_pages_are_up_to_date() -> None:
    """After a change of models or settings: `flask schema docs`."""
    assert (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == dictionary.page()
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == dictionary.settings_page(described())


def test_every_setting_that_readme_names_exists() -> None:
    known = {name for name, _, _ in described()}
    table = README.partition("## 設定する")[2].partition("\n## ")[0]
    named = set(
        re.findall(r"`([A-Z][A-Z_]+)`", "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")))
    )
    assert named and named <= known


def test_every_command_is_in_readme_and_helps(staff_app: Flask) -> None:
    ours = [path for path in _commands(staff_app.cli) if path.split()[0] not in NOT_OURS]
    assert len(ours) > 4
    assert [path for path in ours if f"flask {path}" not in README] == []
    runner = staff_app.test_cli_runner()
    for path in ours:
        asked = runner.invoke(args=[*path.split(), "--help"])
        assert asked.exit_code == 0, path
        assert re.search(r"[ぁ-ん]", asked.output), path


def _commands(group: click.Group, above: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        path = f"{above}{name}"
        found += _commands(command, f"{path} ") if isinstance(command, click.Group) else [path]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:app|models|views|booking|tests|deploy|docs|bench|migrations)/[\w./-]*)`", words)
    named += [f"docs/{link}" if page != ROOT / "README.md" else link for link in re.findall(r"\]\(([\w./-]+)\)", words)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_make_target_helps() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("setup", "run", "test", "bench", "check", "browser", "help"):
        assert re.search(rf"^{target}:.*## ", makefile, re.M), target
