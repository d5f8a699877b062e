"""What a form for a new row begins with, so that nobody types what is known: the row it is added below, today, one's own counter."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.context import context
from app.extensions import db
from app.parts import Part
from app.schema import Spec
from models import Counter
from views import records
from views.address import page_of

PARENT = "below"
"""The field that carries, through the form, which relation of the new row the person came from."""


def beginnings(session: Session, spec: Spec) -> dict[str, Any]:
    """Values of the typed parts of a new row. A relation named in the address counts if its row lies in scope."""
    typed = spec.typed(adding=True)
    found = {p.key: _row(session, p) for p in typed if p.shape == "relation"}
    return found | {p.key: value for p in typed if p.field.begins and (value := _begun(session, p, found)) is not None}


def _row(session: Session, part: Part) -> Any:
    counters = context(session).actor.counters
    own = next(iter(counters)) if part.target is Counter and part.required and counters and len(counters) == 1 else ""
    return records.get(session, part.target, request.args.get(part.key, str(own)))


def _begun(session: Session, part: Part, rows: dict[str, Any]) -> Any:
    today = context(session).local().date()
    relation, _, column = part.field.begins.partition(".")
    if column:
        return getattr(rows.get(relation), column, None)
    return {"today": today, "year": today.year, "fiscal_year": fiscal_year(today), "yes": True}[part.field.begins]


def fiscal_year(day: date) -> int:
    """年度: from April to the March after."""
    return day.year if day.month >= 4 else day.year - 1


def below_key(spec: Spec) -> str:
    """The relation by which a new row is being added below another, if it is."""
    key = request.form.get(PARENT, "") or next((k for k in request.args if k in spec.parts), "")
    return key if key in spec.parts and spec.parts[key].shape == "relation" else ""


def begun_below(spec: Spec, row: Any) -> str:
    """The page of the row that a new one is added below, while its form is filled in (`row` None) and once it is saved."""
    key = below_key(spec)
    if not key:
        return ""
    parent = getattr(row, key) if row is not None else _row(db.session(), spec.parts[key])
    return page_of(parent) if parent is not None else ""
