"""Spec in, form out: one form class per table and purpose, used by both panels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session
from wtforms import Form
from wtforms.fields.core import UnboundField

from app.parts import Part
from app.schema import Spec
from views import fields, relations

FIELDS: dict[str, Any] = {
    "text": fields.PartText,
    "memo": fields.PartText,
    "date": fields.PartDate,
    "time": fields.PartTime,
    "number": fields.PartNumber,
    "flag": fields.PartFlag,
    "code": fields.PartChoice,
    "codes": fields.PartChoice,
    "relation": relations.PartRow,
    "many": relations.PartRows,
}


class SpecForm(Form):
    """A form whose fields are the typed parts of a table."""

    spec: Spec
    parts: list[Part]
    general_error = ""

    def __init__(self, formdata: Any = None, obj: Any = None, prefix: str = "", data: Any = None) -> None:
        super().__init__(formdata, obj=obj, prefix=prefix, data=data)
        for field in self:
            field.of = obj

    def bind(self, session: Session) -> SpecForm:
        """Fills in what must be asked for at each request: code lists, rows to choose from, today."""
        for field in self:
            field.bind(session, self.spec)
        return self

    @property
    def sections(self) -> list[tuple[str, list[Any]]]:
        """The fields under the headings of the table."""
        return [(heading, [self[part.key] for part in parts]) for heading, parts in self.spec.sections(self.parts)]

    def fill(self, row: Any) -> None:
        """Puts what was entered into a row."""
        for key, value in self.values().items():
            if self.spec.parts[key].is_many and inspect(row).persistent and set(value) != set(getattr(row, key)):
                row.row_stamp += 1  # links alone change no column, so SQLAlchemy would not count a new version
            setattr(row, key, value)

    def values(self) -> dict[str, Any]:
        """What a row would hold after this form, by column or relation: rows for relations, "" for text that may not be absent."""
        found = {field.part.key: _entered(field) for field in self}
        return {key: value for key, value in found.items() if value is not None or self.spec.parts[key].nullable}


def _entered(field: Any) -> Any:
    if isinstance(field, relations.PartRows):
        return field.chosen
    part, value = field.part, field.data
    return "" if value is None and not part.nullable and part.shape in ("text", "memo", "codes") else value


def form_class(spec: Spec, parts: Iterable[Part]) -> type[SpecForm]:
    """A form over these parts of a table."""
    chosen = [p for p in parts if p.shape in FIELDS]
    members: dict[str, Any] = {p.key: _unbound(p) for p in chosen}
    return type(f"{spec.model.__name__}Form", (SpecForm,), {**members, "spec": spec, "parts": chosen})


def _unbound(part: Part) -> UnboundField[Any]:
    default = (
        part.column.default.arg
        if part.column is not None and part.column.default is not None and part.column.default.is_scalar
        else None
    )
    return UnboundField(FIELDS[part.shape], part, default=default)


def raw(part: Part, value: Any) -> str:
    """A value as its form box holds it: what travels as 元の値 and what two versions are compared by."""
    if value is None:
        return ""
    if part.shape == "many":
        return ",".join(sorted(str(getattr(row, "id", row)) for row in value))
    if part.shape == "relation":
        return str(value.id)
    if isinstance(value, bool):
        return "1" if value else ""
    if part.shape == "time":
        return f"{value:%H:%M}"
    return str(getattr(value, "value", value))
