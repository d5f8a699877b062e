"""Who may import whom: the table of directions in the design, held against every file."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from config import ROOT

BELOW = [
    "addresses",
    "private",
    "keys",
    "sentences",
    "text",
    "days",
    "telling",
    "errors",
    "callcenter",
    "locks",
    "faults",
    "dialects",
    "beside",
    "search_index",
    "code_checks",
    "append_only",
    "translations_seed",
    "masters_seed",
    "context",
    "parts",
    "schema",
    "soundness",
    "constraints",
    "plans",
    "codes",
    "scope",
    "trial",
    "rows",
    "periods",
    "audit",
    "searching",
    "criteria",
    "listing",
    "rules",
    "dictionary",
    "letters",
    "xlsx_cells",
    "xlsx",
    "sheets",
    "tabular",
    "reports",
    "jobs",
    "demo",
]
"""What knows no HTTP, each allowed to import only what stands before it. Every other module of `app` is the edge."""
WEB = ("flask", "flask_login", "flask_wtf", "flask_limiter", "flask_admin", "flask_appbuilder", "werkzeug", "waitress", "wtforms")
OURS = ("app", "models", "views", "booking", "config", "run")
COMPOSERS = ("app", "app.cli", "app.staff_commands")
"""`app/__init__.py` and the commands see everything, and they alone of `app` the settings: the others are handed values."""
FILES = sorted(p for folder in ("app", "models", "views", "booking") for p in (ROOT / folder).rglob("*.py"))


def imported(source: str, module: str, *, is_package: bool) -> set[str]:
    """Dotted names of everything a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: len(module.split(".")) - node.level + is_package], *filter(None, [base])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def faults(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Imports that go the wrong way."""
    names = imported(source, module, is_package=is_package)
    return sorted(name for name in names if not _may(module, name))


def _may(module: str, name: str) -> bool:
    folder, top = module.split(".")[0], name.split(".")[0]
    if top in ("run", "tests", "bench", "deploy"):
        return False
    if folder == "models":
        return _models_may(name)
    if folder == "views":
        return top != "booking" and top != "config" and name not in ("app.cli", "app.create_app")
    if folder == "booking":
        return top not in ("views", "config", "flask_appbuilder", "flask_admin") and not _starts(
            name, "app.security", "app.cli", "app.create_app"
        )
    return module in COMPOSERS or _app_may(module, name)


def _models_may(name: str) -> bool:
    fab = name in ("flask_appbuilder.Model", "flask_appbuilder.security.sqla.models.User")
    top = name.split(".")[0]
    return fab or top in ("models", "sqlalchemy") or top in sys.stdlib_module_names


def _app_may(module: str, name: str) -> bool:
    """The edge may do all but reach into the screens; below it there is no web and no way back up."""
    if name.split(".")[0] in ("views", "booking"):
        return False
    part = module.split(".")[1]
    if name.split(".")[0] == "config":
        return False
    if part not in BELOW:
        return True
    if name.split(".")[0] in WEB:
        return False
    return name.split(".")[0] != "app" or (name.split(".")[1] in BELOW[: BELOW.index(part) + 1])


def _starts(name: str, *heads: str) -> bool:
    return any(name == head or name.startswith(f"{head}.") for head in heads)


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    assert faults(path.read_text(), dotted(path), is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models.cards", "from flask import g"),
        ("models.cards", "from app import text"),
        ("models.cards", "from flask_appbuilder import ModelView"),
        ("app.text", "from app import schema"),
        ("app.rules.slots", "def f():\n    from flask import request"),
        ("app.rules.slots", "from app.extensions import db"),
        ("app.rules.slots", "from app.tabular import rows"),
        ("app.jobs", "from . import x\nfrom ..edge import page"),
        ("app.scope", "import flask_appbuilder"),
        ("app.audit", "from config import Settings"),
        ("app.sessions", "from views import panel"),
        ("app.limits", "from config import Settings"),
        ("app.serving", "import config"),
        ("views.panel", "from booking import blueprint"),
        ("views.panel", "from app import cli"),
        ("booking.blueprint", "from views.panel import Panel"),
        ("booking.blueprint", "from app.security import actor"),
        ("booking.blueprint", "from flask_appbuilder import expose"),
        ("app.edge", "from tests import samples"),
    ],
)
def test_the_guard_notices(module: str, source: str) -> None:
    assert faults(source, module, is_package=module == "app.jobs")


def test_config_is_nobodys_but_the_edges() -> None:
    assert faults((ROOT / "config.py").read_text(), "models.config") == [
        name
        for name in sorted(imported((ROOT / "config.py").read_text(), "config", is_package=False))
        if name.startswith("pydantic")
    ]
