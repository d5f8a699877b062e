"""What every saved row receives and may not hold, wherever it comes from: stamps, search key, no 個人番号; and which rows have to stay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from app import codes, text
from app.context import Context, context
from app.errors import PersonalNumberFound
from app.parts import Part
from app.schema import Spec, spec_of
from models import OperationLog


def _prepare(session: Session, *_: Any) -> None:
    current = context(session)
    codes.keep_used(session)
    for row in [*session.new, *session.dirty]:
        spec = spec_of(type(row))
        if spec is None:
            continue
        is_new = inspect(row).pending
        changed = set(spec.parts) if is_new else _changed(row, spec)
        if not changed:
            continue
        if spec.append_only and not is_new:
            raise RuntimeError(f"{spec.label} is append-only")
        refuse_personal_numbers(current, (spec.parts[k] for k in changed), row)
        stamp(spec, row, current, is_new=is_new)
        if spec.has_search_key and changed & {p.key for p in (*spec.name_searched, *spec.placed_by)}:
            row.search_key = spec.key_of(row)
    for row in session.deleted:
        spec = spec_of(type(row))
        if spec and spec.append_only:
            raise RuntimeError(f"{spec.label} is append-only")


def _changed(row: Any, spec: Spec) -> set[str]:
    """The parts of a row that changed, a relation by its object or by its key. What was never set since it was read need not be
    asked for its history."""
    state = inspect(row)
    same = state.unmodified
    return {
        part.key
        for part in spec.parts.values()
        if any(state.attrs[key].history.has_changes() for key in {part.key, part.fk} if part.is_many or key not in same)
    }


def refuse_personal_numbers(current: Context, parts: Iterable[Part], row: Any) -> None:
    """Stops a 個人番号 on its way into any free text (番号法20条), whatever screen, file or job it came through."""
    for part in parts:
        if not part.is_free_text or isinstance(row, OperationLog):
            continue
        value = getattr(row, part.key)
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""
        if words and text.has_personal_number(words):
            if current.act:
                current.act.personal_number = True
            raise PersonalNumberFound(label=part.label, field=part.key)


def stamp(spec: Spec, row: Any, current: Context, *, is_new: bool) -> None:
    """Sets the automatic columns of a row: at insert all of them, later those that say when it was last touched."""
    for part in spec.parts.values():
        auto = part.field.auto
        if auto and (is_new or auto.startswith("touched")) and not (is_new and getattr(row, part.key) is not None):
            setattr(row, part.key, _now_as(auto.removeprefix("touched_"), current))


def _now_as(what: str, current: Context) -> Any:
    local = current.local()
    return {
        "today": lambda: local.date(),
        "clock": lambda: (local - timedelta(microseconds=local.microsecond)).time(),
        "actor_id": lambda: current.actor.user_id,
        "by_id": lambda: current.actor.user_id,
        "actor_name": lambda: current.actor.name,
        "by_name": lambda: current.actor.name,
    }.get(what, current.now)()


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "before_flush", _prepare)
