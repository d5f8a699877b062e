"""`Part`: one column or relation of a model, its words, its type and how its values are shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Literal

from sqlalchemy import JSON, Boolean, Date, DateTime, Integer, String, Text, Time, inspect
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import RelationshipProperty

from app import days, telling, text
from app.context import TOKYO
from models import Code, Field
from models.base import PERSONAL_NUMBER_EXEMPT, UtcDateTime
from models.bookings import grouped_code
from models.making import SearchedAs, searched_as

_GROUPED = {"phone": text.phone, "postal": text.postal, "visit": grouped_code}
Shape = Literal["many", "relation", "code", "codes", "flag", "moment", "date", "time", "json", "memo", "text", "number"]


class Part:
    """One column or relation of a model: its words, its type and how its values are shown."""

    def __init__(self, key: str, field: Field, prop: Any) -> None:
        self.key, self.field, self.prop = key, field, prop
        self.is_relation = isinstance(prop, RelationshipProperty)
        self.is_many = self.is_relation and bool(prop.uselist)
        own = prop.local_columns if self.is_relation else prop.columns
        self.column: Any = None if self.is_many else next(iter(own))
        self.type: Any = None if self.is_relation else prop.columns[0].type
        self.enum: type[Code] | None = getattr(self.type, "enum_class", None) if isinstance(self.type, EnumType) else None
        self.target: Any = prop.mapper.class_ if self.is_relation else None
        self.nullable = bool(self.column is not None and self.column.nullable)
        self.length: int | None = getattr(self.type, "length", None) if isinstance(self.type, String) else None
        self.searched_as: SearchedAs = "" if self.is_relation else searched_as(self.type, field)
        self.shape: Shape = self._shape()

    def _shape(self) -> Shape:
        """One word for what the value is: what forms, filters and cells choose their widget by."""
        if self.is_many:
            return "many"
        if self.is_relation:
            return "relation"
        if self.enum:
            return "code"
        if self.field.codes:
            return "codes"
        kinds: tuple[tuple[Any, Shape], ...] = (
            (Boolean, "flag"),
            ((UtcDateTime, DateTime), "moment"),
            (Date, "date"),
            (Time, "time"),
            (JSON, "json"),
            (Text, "memo"),
            (String, "memo" if self.field.kind == "memo" else "text"),
            (Integer, "number"),
        )
        return next((word for kind, word in kinds if isinstance(self.type, kind)), "text")

    @property
    def label(self) -> str:
        return self.field.label

    @property
    def fk(self) -> str:
        """The key attribute of a relation (`counter` → `counter_id`); the key itself otherwise."""
        return f"{self.key}_id" if self.is_relation and not self.is_many else self.key

    def key_in(self, row: Any) -> Any:
        """The key that a relation of a row leads to once it is flushed: until then a new object says more than the key."""
        new = inspect(row).attrs[self.key].history.added
        return getattr(new[0], "id", None) if new else getattr(row, self.fk)

    def is_new_in(self, row: Any) -> bool:
        """Whether a row refers to an object that is not stored yet and has no key."""
        new = inspect(row).attrs[self.key].history.added
        return bool(new) and new[0] is not None and new[0].id is None

    @property
    def is_free_text(self) -> bool:
        return self.shape in ("text", "memo", "json") and self.field.kind not in PERSONAL_NUMBER_EXEMPT

    @property
    def required(self) -> bool:
        if self.shape in ("flag", "many"):
            return False
        has_default = self.column is not None and self.column.default is not None
        return not self.nullable and not has_default

    def shown(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value in words, in full. `names` holds the office's code lists: list → value → name."""
        if value is None or value == "":
            return ""
        if self.field.codes and names:
            return names.get(self.field.codes, {}).get(value, str(value))
        if isinstance(value, bool):
            return "はい" if value else "いいえ"
        if isinstance(value, Code):
            return value.label
        if isinstance(value, datetime):
            return f"{value.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}" if value.tzinfo else f"{value:%Y-%m-%d %H:%M:%S}"
        if isinstance(value, date) and self.field.kind == "birth":
            return days.birth_day(value)
        if isinstance(value, date):
            return f"{value:%Y-%m-%d} ({text.WEEKDAYS[value.weekday()]})"
        if isinstance(value, time):
            return f"{value:%H:%M}"
        if isinstance(value, list):
            return "、".join(str(v) for v in value)
        if isinstance(value, str) and self.field.kind in _GROUPED:
            return _GROUPED[self.field.kind](value)
        return str(value)

    def brief(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """In full, but of a recorded event only what happened; the rest is read on its own page."""
        if self.shape == "json" and isinstance(value, dict):
            return telling.headline(value)
        return self.shown(value, names)

    def masked(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value as a list shows it: of personal data only the last part, enough to tell two rows apart."""
        words = self.shown(value, names)
        if self.field.pii is not True or not words:
            return words
        if self.shape == "json":
            return self.brief(value)
        if self.field.kind == "memo":
            return text.HIDDEN
        if self.shape == "date":
            return f"＊-{value:%d}"
        return f"＊{words[-4:]}" if len(words) > 4 else text.HIDDEN

    def logged(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value as the operation log may keep it: no personal data at all."""
        return text.HIDDEN if self.field.pii and value not in (None, "") else self.shown(value, names)
