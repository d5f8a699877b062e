"""Child rows edited inside their parent's form: the opening hours of a counter, line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.schema import Spec, specs
from models.base import Base
from views.forms import SpecForm, form_class, raw

SPARE = 2  # empty lines offered below the existing ones
MOST_NEW = 31  # new lines read from one form


@dataclass
class Line:
    """One line of a form: a stored child row, or a spare line for a new one (`row` None)."""

    prefix: str
    form: SpecForm
    row: Any = None
    gone: bool = False
    sent_stamp: str | None = None
    """The version of the row that the sent form was opened with; None when the form did not hold the line."""

    @property
    def stamp(self) -> str:
        """The version that the form goes on with: that it was opened with, or for a fresh form that of the row."""
        return str(self.row.row_stamp) if self.sent_stamp is None else self.sent_stamp

    @property
    def is_empty(self) -> bool:
        """A spare line that stands as it was offered."""
        return self.row is None and not any(
            f.raw_data and f.raw_data[-1] not in ("", raw(f.part, f.object_data)) for f in self.form
        )

    @property
    def is_kept(self) -> bool:
        return not self.gone and not self.is_empty

    @property
    def is_stale(self) -> bool:
        """Somebody has saved the row since the form was opened."""
        return self.sent_stamp is not None and self.sent_stamp != str(self.row.row_stamp)


@dataclass
class Lines:
    """Every child line of one kind below a parent. `lost`: lines of the sent form whose rows somebody has removed since."""

    spec: Spec
    collection: str
    lines: list[Line]
    lost: int = 0

    @property
    def kept(self) -> list[Line]:
        return [line for line in self.lines if line.is_kept]

    @property
    def is_stale(self) -> bool:
        return bool(self.lost) or any(line.is_stale for line in self.lines if line.row is not None)

    def drop(self, parent: Any) -> bool:
        """Takes out the lines that are marked so. They are flushed before others take their place: a weekday stands only once."""
        gone = [line for line in self.lines if line.row is not None and line.gone]
        for line in gone:
            getattr(parent, self.collection).remove(line.row)
        return bool(gone)

    def put(self, line: Line, parent: Any) -> None:
        if line.row is None:
            line.row = self.spec.model()
            getattr(parent, self.collection).append(line.row)
        line.form.fill(line.row)


def children(spec: Spec) -> list[Spec]:
    return [s for s in specs().values() if s.inline_of and s.parts[s.inline_of].target is spec.model]


def stored(spec: Spec, row: Any) -> list[tuple[Spec, list[Any]]]:
    """The child rows of a row, by table."""
    return [(child, list(getattr(row, child.parts[child.inline_of].prop.back_populates))) for child in children(spec)]


def read(session: Session, child: Spec, parent: Base | None) -> Lines:
    """The lines as stored, or as posted when the request carries them."""
    collection = child.parts[child.inline_of].prop.back_populates
    kind = form_class(child, [p for p in child.typed(adding=True) if p.key != child.inline_of])
    posted = request.form if request.method == "POST" else None
    found, stored = Lines(child, collection, []), list(getattr(parent, collection)) if parent is not None else []
    for row in stored:
        prefix = f"{collection}-{row.id}-"
        form = kind(posted, obj=row, prefix=prefix).bind(session)
        gone = bool(posted and posted.get(f"{prefix}gone"))
        found.lines.append(Line(prefix, form, row, gone=gone, sent_stamp=_stamp(posted or {}, prefix)))
    found.lost = len(_keys(posted or {}, collection) - {str(row.id) for row in stored})
    for number in range(_spare(posted.get(f"{collection}-new", "") if posted else "")):
        prefix = f"{collection}-new{number}-"
        found.lines.append(Line(prefix, kind(posted, prefix=prefix).bind(session)))
    return found


def _stamp(posted: Mapping[str, str], prefix: str) -> str | None:
    """The version of a line that a form was opened with; none for a line it does not hold. A line without its version is no version."""
    holds = any(name.startswith(prefix) for name in posted)
    return posted.get(f"{prefix}row_stamp", "") if holds else None


def _spare(offered: str) -> int:
    return min(int(offered), MOST_NEW) if offered.isascii() and offered.isdecimal() else SPARE


def _keys(posted: Mapping[str, str], collection: str) -> set[str]:
    """Keys of the lines that a form was opened with; one that is no longer stored was removed by somebody else."""
    return {match.group(1) for name in posted if (match := re.fullmatch(rf"{collection}-(\d+)-row_stamp", name))}
