"""Hints to SQLite's planner, which has no statistics of ranges: PostgreSQL needs none and is given none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class walked(FunctionElement[Any]):  # noqa: N801 - reads like the SQL it stands for
    """A value that no index is to be chosen for: rows are met in the order of the list and checked one by one.

    Right where most rows fit, or where another index already gives the order. SQLite's unary plus says just that.
    """

    inherit_cache = True

    def __init__(self, value: ColumnElement[Any]) -> None:
        super().__init__(value)
        self.type = value.type


@compiles(walked)
def _plain(element: walked, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(walked, "sqlite")
def _with_plus(element: walked, compiler: Any, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


def column(value: ColumnElement[Any], *, walk: bool) -> Any:
    """The column itself, or the column that no index is chosen for."""
    return walked(value) if walk else value
