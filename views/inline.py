"""Child rows edited inside their parent's form: the opening hours of a counter, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.schema import Spec, specs
from models.base import Base
from views.forms import SpecForm, form_class

SPARE = 2  # empty lines offered below the existing ones


@dataclass
class Line:
    prefix: str
    form: SpecForm
    row: Any = None
    gone: bool = False

    @property
    def is_empty(self) -> bool:
        """A spare line in which nothing was typed."""
        return self.row is None and not any(f.raw_data and f.raw_data[0] for f in self.form if f.part.shape not in ("code", "flag"))


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
        return not self.clash and all([line.form.validate() for line in kept])

    def apply(self, parent: Any) -> None:
        rows = getattr(parent, self.collection)
        for line in self.lines:
            if line.row is not None and line.gone:
                rows.remove(line.row)
            elif line.row is not None:
                line.form.fill(line.row)
            elif not line.gone and not line.is_empty:
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
        form = kind(posted, obj=row, prefix=prefix).bind(session)  # type: ignore[arg-type]
        found.lines.append(Line(prefix, form, row, gone=bool(posted and posted.get(f"{prefix}gone"))))
        found.clash |= bool(posted and posted.get(f"{prefix}row_stamp") != str(row.row_stamp))
    count = int(posted.get(f"{collection}-new", SPARE)) if posted and posted.get(f"{collection}-new", "").isdigit() else SPARE
    for number in range(min(count, 31)):
        prefix = f"{collection}-new{number}-"
        found.lines.append(Line(prefix, kind(posted, prefix=prefix).bind(session)))  # type: ignore[arg-type]
    return found
