"""Two people's versions of one row, field by field: what it was, what they saved, what I entered."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import codes
from app.context import TOKYO
from app.parts import Part
from app.schema import Spec
from models import OperationLog
from views.forms import raw

LATEST_EDITS = 50  # rows of the log that are looked through for who has just saved


@dataclass
class Clash:
    """One field of two people's versions. `base`, `theirs` and `mine` are words; the raw ones are what a form would post."""

    field: Any
    base: str
    theirs: str
    mine: str
    base_raw: str
    theirs_raw: str
    mine_raw: str

    @property
    def both(self) -> bool:
        """Both have changed it, so that only the person can say which to keep."""
        return self.mine_raw != self.base_raw and self.theirs_raw != self.base_raw

    @property
    def part(self) -> Part:
        part: Part = self.field.part
        return part

    @property
    def label(self) -> str:
        """The field's label; that of a child line says which line it is."""
        row = self.field.of
        return f"{row} {self.part.label}" if row is not None and self.field.name != self.part.key else self.part.label


def saved_by(session: Session, spec: Spec, row: Any) -> str:
    """Who saved the row last, and when, as the operation log has it: a colleague who can be asked."""
    edits = (
        select(OperationLog.user_name, OperationLog.ended_at, OperationLog.detail)
        .where(OperationLog.action_code == f"{spec.name}.edit")
        .order_by(OperationLog.started_at.desc(), OperationLog.id.desc())
        .limit(LATEST_EDITS)
    )
    for name, at, detail in session.execute(edits):
        if detail.get("番号") == row.id and "変更" in detail:
            return f"{name} さんが{at.astimezone(TOKYO):%H:%M}に保存しました。"
    return ""


def base_of(fields: list[Any]) -> str:
    """元の値 of every field that stands on a stored row, as it travels in the form."""
    return json.dumps({f.name: _stored(f) for f in fields if f.of is not None}, ensure_ascii=False)


def left_to_them() -> set[str]:
    """Names of the fields for which the person chose the other's value."""
    chosen = {name.removeprefix("choice-"): word for name, word in request.form.items() if name.startswith("choice-")}
    return {name for name, word in chosen.items() if word == "theirs"}


def between(session: Session, fields: list[Any]) -> list[Clash]:
    """Where the entry differs from what is stored now."""
    base, found = _base(), []
    for field in fields:
        if field.of is None:
            continue  # a new line has nobody else's version
        mine, theirs, before = raw(field.part, _mine(field)), _stored(field), str(base.get(field.name, ""))
        if mine != theirs:
            was, they, i = (_words(session, field, value) for value in (before, theirs, mine))
            found.append(Clash(field, was, they, i, before, theirs, mine))
    return found


def _stored(field: Any) -> str:
    return raw(field.part, getattr(field.of, field.part.key))


def _base() -> dict[str, Any]:
    try:
        found = json.loads(request.form.get("base", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _mine(field: Any) -> Any:
    return [field.rows[k] for k in field.data or () if k in field.rows] if field.part.is_many else field.data


def _words(session: Session, field: Any, value: str) -> str:
    """A raw value as people read it."""
    part, choices = field.part, dict(getattr(field, "choices", None) or ())
    if value == "" and part.shape != "flag":
        return str(part.field.absent)
    if part.shape == "flag":
        return str(part.shown(value == "1"))
    if part.shape == "many":
        return "、".join(str(choices.get(key, key)) for key in value.split(",") if key)
    if part.shape == "codes":
        return codes.names(session).get(part.field.codes, {}).get(value, value)
    if part.shape == "relation" and value not in choices and value.isdigit():
        row = session.get(part.target, int(value))
        return str(row) if row is not None else value
    if part.shape == "date":
        with suppress(ValueError):  # 元の値 comes with the form, and may hold anything
            return str(part.shown(date.fromisoformat(value)))
    if part.field.kind in ("phone", "postal"):
        return str(part.shown(value))
    return str(choices.get(value, value))
