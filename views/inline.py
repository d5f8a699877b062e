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


@dataclass
class Line:
    prefix: str
    form: SpecForm
    row: Any = None
    gone: bool = False
    stamp: str = ""

    @property
    def is_empty(self) -> bool:
        """A spare line that stands as it was offered."""
        return self.row is None and not any(
            f.raw_data and f.raw_data[-1] not in ("", raw(f.part, f.object_data)) for f in self.form
        )


@dataclass
class Lines:
    """Every child line of one kind below a parent."""

    spec: Spec
    collection: str
    lines: list[Line]
    clash: bool = False

    def validate(self) -> bool:
        """Checks each line that holds something (all of them, so that every error shows at once)."""
        kept = [line for line in self.lines if not line.gone and not line.is_empty]
        wrong = [line for line in kept if not line.form.validate()]
        return not self.clash and not wrong

    @property
    def wrong(self) -> list[Any]:
        """The fields with errors, for the summary above the form."""
        return [field for line in self.lines for field in line.form if field.errors]

    def drop(self, session: Session, parent: Any) -> None:
        """Deletes the lines that are marked so, before others take their place (a weekday, for one, stands only once)."""
        gone = [line for line in self.lines if line.row is not None and line.gone]
        for line in gone:
            getattr(parent, self.collection).remove(line.row)
        if gone:
            session.flush()

    def apply(self, parent: Any) -> None:
        rows = getattr(parent, self.collection)
        for line in self.lines:
            if line.row is not None and not line.gone:
                line.form.fill(line.row)
            elif line.row is None and not line.is_empty:
                row = self.spec.model()
                line.form.fill(row)
                rows.append(row)


def children(spec: Spec) -> list[Spec]:
    return [s for s in specs().values() if s.inline_of and s.parts[s.inline_of].target is spec.model]


def read(session: Session, child: Spec, parent: Base | None) -> Lines:
    """The lines as stored, or as posted when the request carries them."""
    collection = child.parts[child.inline_of].prop.back_populates
    kind = form_class(child, [p for p in child.typed(adding=True) if p.key != child.inline_of])
    posted = request.form if request.method == "POST" else None
    rows = list(getattr(parent, collection)) if parent is not None else []
    found = Lines(child, collection, [])
    for row in rows:
        prefix = f"{collection}-{row.id}-"
        form = kind(posted, obj=row, prefix=prefix).bind(session)
        stamp = posted.get(f"{prefix}row_stamp", "") if posted else str(row.row_stamp)
        found.lines.append(Line(prefix, form, row, gone=bool(posted and posted.get(f"{prefix}gone")), stamp=stamp))
        found.clash |= stamp != str(row.row_stamp)
    found.clash |= bool(posted and _keys(posted, collection) - {str(row.id) for row in rows})
    offered = posted.get(f"{collection}-new", "") if posted else ""
    for number in range(min(int(offered), 31) if offered.isascii() and offered.isdecimal() else SPARE):
        prefix = f"{collection}-new{number}-"
        found.lines.append(Line(prefix, kind(posted, prefix=prefix).bind(session)))
    return found


def _keys(posted: Mapping[str, str], collection: str) -> set[str]:
    """Keys of the lines that a form was opened with; one that is no longer stored was removed by somebody else."""
    return {match.group(1) for name in posted if (match := re.fullmatch(rf"{collection}-(\d+)-row_stamp", name))}
