"""Which rows this person or job may touch: enforced in the session, below every screen, import, picker and action.

Reading: every ORM statement gets the actor's criteria for every scoped table in it. Writing: a new, changed or deleted row
outside the scope is refused at flush. Nobody allowed, nothing seen: a session without an actor has the empty scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, event, exists, false, inspect, or_, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from app import plans
from app.context import context
from app.errors import NotFound
from app.schema import Spec, spec_of, specs
from models import Counter

ELSEWHERE = "担当していない窓口の情報は、登録も変更もできません。窓口を選び直してください。"


def criteria(spec: Spec, counters: frozenset[int], source: Any = None, *, walk: bool = False) -> ColumnElement[bool]:
    """The rows of a table that belong to one of the counters, as one plain expression (a lambda would be cached wrongly).

    `source` is the alias whose columns are compared; by default the model itself, which SQLAlchemy adapts to each statement.
    `walk`: most rows belong to them, so that the scope is checked on the way instead of being looked up (`app.plans`). The rows of
    one counter by one relation are looked up all the same: their index has them in the order of the list.
    """
    columns = spec.model if source is None else source.c
    walk = walk and len(counters) * len(spec.scope) > 1
    return or_(false(), *(_belongs(spec, name, columns, counters, walk=walk) for name in spec.scope)) if counters else false()


def _belongs(spec: Spec, name: str, columns: Any, counters: frozenset[int], *, walk: bool) -> ColumnElement[bool]:
    part = spec.parts[name]
    if part.target is Counter:
        found: ColumnElement[bool] = plans.column(getattr(columns, part.fk), walk=walk).in_(sorted(counters))
        return found
    parent, above = specs()[part.target], part.target.__table__.alias()
    return exists(select(1).select_from(above).where(above.c.id == getattr(columns, part.fk), criteria(parent, counters, above)))


@lru_cache(maxsize=256)
def _options(counters: frozenset[int], *, walk: bool) -> tuple[Any, ...]:
    return tuple(
        with_loader_criteria(spec.model, criteria(spec, counters, walk=walk), include_aliases=True)
        for spec in specs().values()
        if spec.scope
    )


def _limit_reading(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete:
        if state.is_orm_statement and not state.execution_options.get("by_rule"):
            raise RuntimeError("bulk changes bypass scope and log; change rows, or name the rule with by_rule=")
        return
    counters = context(state.session).actor.counters
    if counters is None or not state.is_orm_statement or state.is_column_load or state.execution_options.get("unscoped"):
        return  # a row that is at hand stays readable, even after a transfer has moved it away
    state.statement = state.statement.options(*_options(counters, walk=bool(state.execution_options.get("walk"))))


def _limit_writing(session: Session, *_: Any) -> None:
    current = context(session)
    if current.actor.counters is None:
        return
    gone = set(session.deleted)
    for row in {*session.new, *session.dirty, *gone}:
        spec, is_gone = spec_of(type(row)), row in gone
        if (
            spec
            and spec.scope
            and not _within(session, spec, row, current.actor.counters, leaving=is_gone or bool(current.widened))
        ):
            raise NotFound if is_gone else NotFound(ELSEWHERE, field=spec.scope[0])


def must_hold_new(session: Session, spec: Spec, row: Any) -> None:
    """Raises when a row that is not saved yet would lie outside the actor's scope."""
    counters = context(session).actor.counters
    if spec.scope and counters is not None and not any(_holds(session, spec, row, n, counters, old=False) for n in spec.scope):
        raise NotFound(ELSEWHERE, field=spec.scope[0])


def _within(session: Session, spec: Spec, row: Any, counters: frozenset[int], *, leaving: bool) -> bool:
    """Whether the row lies in scope as it was stored and, unless it is deleted or a named transfer widens it, as it will be."""
    with session.no_autoflush:
        before = inspect(row).pending or any(_holds(session, spec, row, name, counters, old=True) for name in spec.scope)
        after = leaving or any(_holds(session, spec, row, name, counters, old=False) for name in spec.scope)
    return before and after


def _holds(session: Session, spec: Spec, row: Any, name: str, counters: frozenset[int], *, old: bool) -> bool:
    part = spec.parts[name]
    key = _old_key(row, part.fk, name) if old else part.key_in(row)
    if part.target is Counter:
        return key in counters
    if not old and getattr(row, name, None) is not None and inspect(getattr(row, name)).pending:
        return True  # the parent is new in this same flush and is checked itself
    return key is not None and session.get(part.target, key) is not None


def _old_key(row: Any, fk: str, name: str) -> Any:
    relation = inspect(row).attrs[name].history
    if relation.deleted and relation.deleted[0] is not None:
        return relation.deleted[0].id
    history = inspect(row).attrs[fk].history
    return (history.deleted or history.unchanged or [None])[0]


@contextmanager
def widened(session: Session, reason: str) -> Iterator[None]:
    """Lets one named act move a row out of the actor's scope (a transfer between counters); the log names the reason."""
    current = context(session)
    current.widened = reason
    try:
        yield
        session.flush()
    finally:
        current.widened = ""


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "do_orm_execute", _limit_reading)
    event.listen(session_class, "before_flush", _limit_writing)
