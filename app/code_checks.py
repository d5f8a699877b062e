"""Codes and the CHECKs that guard them: a value added to a `Code` has to reach the database too, and Alembic does not look by itself.

Imported by migrations/env.py; from then on `flask db migrate` writes the change and `flask db check` misses it.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateCheckConstraintOp, DropConstraintOp, ModifyTableOps
from alembic.util import DispatchPriority
from sqlalchemy import Enum, Table
from sqlalchemy.sql.elements import conv

_LITERAL = re.compile(r"'((?:[^']|'')*)'")


def guarded(table: Table) -> dict[str, tuple[str, list[str]]]:
    """CHECK → (column, values) of every column of codes."""
    return {
        conv(f"ck_{table.name}_{column.type.name}"): (column.name, list(column.type.enums))
        for column in table.columns
        if isinstance(column.type, Enum) and column.type.create_constraint
    }


@comparators.dispatch_for("table", priority=DispatchPriority.LAST)
def compare(
    context: AutogenContext, changes: ModifyTableOps, schema: str | None, name: str, there: Table | None, wanted: Table | None
) -> None:
    """Replaces each CHECK whose values are no longer those of its code."""
    if there is None or wanted is None or context.inspector is None:
        return
    stored: dict[Any, str] = {c["name"]: c["sqltext"] for c in context.inspector.get_check_constraints(name, schema=schema)}
    for check, (column, values) in guarded(wanted).items():
        if check in stored and set(_LITERAL.findall(stored[check])) != set(values):
            before = CreateCheckConstraintOp(check, name, stored[check])
            words = ", ".join(f"'{value}'" for value in values)
            changes.ops += [
                DropConstraintOp(check, name, type_="check", _reverse=before),
                CreateCheckConstraintOp(check, name, f"{column} IN ({words})"),
            ]


__all__ = ["compare", "guarded"]
