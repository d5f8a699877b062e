"""Rows that hold for a time, such as a fee: never two of the same kind at once, or nobody could say which of them holds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, or_, select
from sqlalchemy.orm import Session

from app.dialects import one_at_a_time
from app.errors import AppError
from app.schema import spec_of

OVERLAP = "「{}」と期間が重なります。先に、そちらの「{}」を決めるか直すか、日付をずらしてください。"


def _refuse(session: Session, *_: Any) -> None:
    """Asked once the rows are written, so that several changed together are seen as they will be."""
    for row in [*session.new, *session.dirty]:
        if names := getattr(type(row), "__periods__", ()):
            _refuse_overlap(session, row, *names)


def _refuse_overlap(session: Session, row: Any, start: str, end: str, *kind: str) -> None:
    model, begins, ends = type(row), getattr(row, start), getattr(row, end)
    same = [getattr(model, name) == getattr(row, name) for name in kind]
    meets = [
        or_(getattr(model, end).is_(None), getattr(model, end) >= begins),
        *([getattr(model, start) <= ends] if ends else []),
    ]
    one_at_a_time(session, model.__tablename__)  # of two entered at the same moment, the second sees the first
    with session.no_autoflush:
        other = session.scalars(select(model).where(model.id != row.id, *same, *meets).limit(1)).first()
    spec = spec_of(model)
    if other is not None and spec is not None:
        raise AppError(OVERLAP.format(other, spec.parts[end].label), field=start)


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "after_flush", _refuse)
