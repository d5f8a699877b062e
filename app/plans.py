"""Hints to the planners.

SQLite has no statistics of ranges and is told when to walk. PostgreSQL is told which statements it may plan once: those that find
their rows by a key, whatever the values are. All others are planned anew each time, because a plan for all values would ignore
the index that is selective for these.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

PREPARED = {"prepared": True}
"""Execution option of a statement whose plan does not depend on its values. Rows that are inserted, and rows that are changed or
deleted by their key, need not say so."""


def is_prepared(context: Any) -> bool:
    """Whether PostgreSQL keeps the plan of this execution's statement (`context` is SQLAlchemy's)."""
    if context.executemany:
        return False
    if context.isinsert or context.isupdate or context.isdelete:
        return "by_rule" not in context.execution_options
    return bool(context.execution_options.get("prepared"))


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
