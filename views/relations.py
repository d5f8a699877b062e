"""Form fields for rows of other tables: chosen from a list, found by typing, or ticked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Field
from wtforms.validators import ValidationError

from app import text
from app.context import context
from app.criteria import Criteria, whole
from app.errors import AppError
from app.listing import matching
from app.parts import Part
from app.plans import PREPARED
from app.schema import Spec, spec_of
from models import Counter
from views.fields import OfPart

MOST_CHOICES = 200  # rows of a master table in one list of choices; a longer one is searched by typing


def short_list(session: Session, part: Part) -> list[tuple[str, str]]:
    """The rows of a master table as choices, read once a request; nothing for larger tables, which have a searching picker."""
    spec, cache = spec_of(part.target), context(session).cache
    if spec is None or not spec.is_master:
        return []
    if part.target not in cache:
        key, direction = spec.order
        column = getattr(part.target, key)
        order = column.desc() if direction == "desc" else column
        wanted = select(part.target).order_by(order, part.target.id).limit(MOST_CHOICES + 1)
        rows = session.scalars(wanted.execution_options(unscoped=True, **PREPARED)).all()  # a master has no scope
        cache[part.target] = [(str(row.id), str(row)) for row in rows] if len(rows) <= MOST_CHOICES else []
    found: list[tuple[str, str]] = cache[part.target]
    return found


def keep_short_list(session: Session, model: Any, rows: Sequence[Any]) -> None:
    """Rows of a master table that a page has read for itself, every one of them in order, are its choices too."""
    if len(rows) <= MOST_CHOICES:
        context(session).cache[model] = [(str(row.id), str(row)) for row in rows]


class PartRow(OfPart, Field):
    """A row of another table: chosen from a short list, or found by typing (a number, a name) and picking."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part, **kw)
        self.words = ""
        self.session: Session | None = None
        self.choices: list[tuple[str, str]] = []

    def bind(self, session: Session, spec: Spec) -> None:
        """The session in whose scope the field looks, and a master's rows to choose from: where they decide who sees the row,
        only the person's own."""
        self.session, self.choices = session, short_list(session, self.part)
        mine = context(session).actor.counters
        if self.part.key in spec.scope and self.part.target is Counter and mine is not None:
            self.choices = [(key, name) for key, name in self.choices if int(key) in mine or key == self.value]

    @property
    def value(self) -> str:
        return str(self.data.id) if self.data is not None else ""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.data = data if data is None or hasattr(data, "id") else None
        self.words = str(self.data) if self.data is not None else ""
        self.typed = None
        if formdata is not None and (self.name in formdata or f"{self.name}__words" in formdata):
            self.typed = (formdata.get(self.name, ""), text.tidy(formdata.get(f"{self.name}__words", "")))
            self.words = "" if text.has_personal_number(self.typed[1]) else self.typed[1]

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        self.errors = []
        try:
            if self.typed is not None:
                self.data = self._found(*self.typed)
            if self.data is None and self.part.required:
                raise ValidationError(f"「{self.part.label}」を選んでください。")
        except (ValidationError, AppError) as error:
            self.errors = [str(error)]
        return not self.errors

    def _found(self, key: str, words: str) -> Any:
        """The row with the posted key, looked up within the person's own scope; else the only one the words name."""
        assert self.session is not None
        if text.has_personal_number(f"{key} {words}"):
            self.refuse_personal_number()
        if key:
            number = whole(key, self.part.target.__table__.c.id.type)
            row = self.session.get(self.part.target, number) if number is not None else None
            if row is None:
                raise ValidationError(f"「{self.part.label}」を選び直してください。")
            return row
        return self._named(self.session, words) if words else None

    def _named(self, session: Session, words: str) -> Any:
        spec = spec_of(self.part.target)
        assert spec is not None
        if key := next((key for key, name in short_list(session, self.part) if name == words), ""):
            return session.get(self.part.target, int(key))
        rows = session.scalars(matching(session, spec, Criteria(search=words)).limit(2)).all()
        if len(rows) != 1:
            none = "ありません" if not rows else "複数あります。候補から選んでください"
            raise ValidationError(f"「{words}」に当てはまる{spec.label}が{none}。")
        return rows[0]


class PartRows(OfPart, Field):
    """Several rows of a small table, as check boxes."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part, **kw)
        self.rows: dict[str, Any] = {}
        self.choices: list[tuple[str, str]] = []

    def bind(self, session: Session, spec: Spec) -> None:
        self.rows = {str(r.id): r for r in session.scalars(select(self.part.target).order_by(self.part.target.id))}
        self.choices = [(key, str(row)) for key, row in self.rows.items()]

    def process_data(self, value: Any) -> None:
        self.data = [str(row.id) for row in value or ()]

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:  # a hidden empty value goes before the boxes
            self.data = list(dict.fromkeys(filter(None, valuelist)))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if any(key not in self.rows for key in self.data or ()):
            raise ValidationError(f"「{self.part.label}」を選び直してください。")

    @property
    def chosen(self) -> list[Any]:
        return [self.rows[key] for key in self.data or ()]
