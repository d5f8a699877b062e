"""What would keep new rows from being saved, found by reading alone.

Saving them and taking them back would tell too, but would hold SQLite's one writer for as long as a file takes, and everybody else
would wait. What changes between this and the saving, the database itself refuses then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    TextClause,
    UniqueConstraint,
    cast,
    column,
    null,
    select,
    text,
    tuple_,
    values,
)
from sqlalchemy.orm import Session

from app import constraints, scope
from app.constraints import Refusal
from app.errors import AppError
from app.schema import Spec
from models.base import table_of

_AT_ONCE = 200  # keys or lines in one question

Objection = tuple[int, Refusal]
"""Which of the rows, and why not."""


def objections(session: Session, spec: Spec, rows: Sequence[Any]) -> list[Objection]:
    """Every reason why one of these rows, which no session knows yet, could not be saved together with the others."""
    with session.no_autoflush:
        found = [*_outside(session, spec, rows), *_doubles(session, spec, rows), *_unfit(session, spec, rows)]
    return sorted(found, key=lambda objection: objection[0])


def _outside(session: Session, spec: Spec, rows: Sequence[Any]) -> Iterator[Objection]:
    for place, row in enumerate(rows):
        try:
            scope.must_hold_new(session, spec, row)
        except AppError as error:
            yield place, Refusal(error.message, (error.field,) if error.field else ())


def _doubles(session: Session, spec: Spec, rows: Sequence[Any]) -> Iterator[Objection]:
    """Rows of which another, stored or before them, already has what may be there once."""
    for columns in _unique(spec):
        keys = [_values(spec, row, columns) for row in rows]
        taken = _stored(session, columns, {key for key in keys if None not in key})
        for place, key in enumerate(keys):
            if key in taken:
                yield place, constraints.taken(spec, [c.name for c in columns])
            elif None not in key:
                taken.add(key)


def _unique(spec: Spec) -> Iterator[list[Column[Any]]]:
    """The columns of each rule that something is there once; of rules for some rows only, the database speaks at the end."""
    table = table_of(spec.model)
    rules = [c for c in table.constraints if isinstance(c, UniqueConstraint)] + [i for i in table.indexes if i.unique]
    for once in rules:
        if not (isinstance(once, Index) and any(kind["where"] is not None for kind in once.dialect_options.values())):
            yield list(once.columns)


def _stored(session: Session, columns: list[Column[Any]], keys: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Which of the keys some row has, in anybody's scope."""
    return {tuple(row) for some in _batches(keys) for row in session.execute(select(*columns).where(tuple_(*columns).in_(some)))}


def _unfit(session: Session, spec: Spec, rows: Sequence[Any]) -> Iterator[Objection]:
    """Rows that break a condition of the table: asked of the database itself, each different combination of values once.
    (That a code is one of its values, which is a condition too, the form has seen.)"""
    table = table_of(spec.model)
    for check in (c for c in table.constraints if isinstance(c, CheckConstraint) and isinstance(c.sqltext, TextClause)):
        named = set(re.findall(r"\w+", str(check.sqltext)))
        columns = [c for c in table.columns if c.name in named]
        lines = [_values(spec, row, columns) for row in rows]
        broken = _broken(session, check, columns, list(dict.fromkeys(lines)))
        for place, line in enumerate(lines):
            if line in broken:
                yield place, constraints.broken(spec, check)


def _broken(
    session: Session, check: CheckConstraint, columns: list[Column[Any]], lines: list[tuple[Any, ...]]
) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    number: Column[int] = column("line", Integer)  # type: ignore[assignment]
    for some in _batches(lines):
        typed = [[cast(null(), c.type) if v is None else v for c, v in zip(columns, line, strict=True)] for line in some]
        given = values(number, *(column(c.name, c.type) for c in columns), name="given").data(
            [(place, *line) for place, line in enumerate(typed)]
        )
        asked = select(given.cte("given").c.line).where(text(f"NOT ({check.sqltext})"))
        found |= {some[place] for place in session.scalars(asked)}
    return found


def _values(spec: Spec, row: Any, columns: Iterable[Column[Any]]) -> tuple[Any, ...]:
    """What a new row would hold in these columns: keys of its relations, and the defaults that are plain values."""
    relations = {part.fk: part for part in spec.parts.values() if part.is_relation and not part.is_many}
    found = []
    for col in columns:
        value = relations[col.name].key_in(row) if col.name in relations else getattr(row, col.name)
        default: Any = col.default
        found.append(default.arg if value is None and default is not None and default.is_scalar else value)
    return tuple(found)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
