"""What a column says about itself: its words, how it is checked, who may see it; and our own column types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Self

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Enum, Index, Integer, TypeDecorator, text
from sqlalchemy.orm import MappedColumn, mapped_column

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only in an INTEGER key


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC in Python; SQLite, which has no zones, stores it as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Code(StrEnum):
    """A code: an English word in the database, a Japanese label on screens, the office's number in files."""

    label: str
    number: str

    def __new__(cls, value: str, label: str = "", number: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_, member.label, member.number = value, label, number
        return member


Pii = Literal[False, True, "name"]
Edit = Literal[True, False, "add"]
Kind = Literal[
    "text", "memo", "name", "kana", "digits", "phone", "postal", "tracking", "birth", "email", "code", "alnum", "visit", "sealed"
]
Auto = Literal[
    "",
    "today",
    "clock",
    "now",
    "actor_id",
    "actor_name",
    "touched_today",
    "touched_clock",
    "touched",
    "touched_by_id",
    "touched_by_name",
]


@dataclass(frozen=True, kw_only=True)
class Field:
    """What one column or relation means to people.

    label   the Japanese word, unique within the model
    pii     personal data: True shows only the last part on lists, "name" is shown to who may open the row;
            the operation log masks both
    listed  a column of the list
    search  text joins the search box, anything else becomes a filter (and gets its index)
    past    a day that has come: not after today
    sort    the list can be ordered by it (needs an index; never personal data)
    then    columns that order rows which are equal in this one
    edit    may be typed into a form: always, never, or only when the row is added
    few     searched text with few different values (who signed the log): looked for among the values, not in a search key
    kind    how text is checked and normalised; "sealed": a keyed hash, which is searched by what it was made of and shown nowhere
    codes   name of the code list (区分コード) whose values are allowed
    pattern a regular expression the whole text must match; the hint says it in words. Of a keyed hash: what it is made of
    begins  what the form of a new row starts with: "today", "year", "fiscal_year", "yes", or a column of the row it is added below
            ("card.name")
    absent  what an empty value means, in words ("すべての窓口")
    section heading that begins above this column on record and form pages
    auto    value set below the forms: at insert ("today", "clock", "now", "actor_*") or at every save ("touched*")
    """

    label: str
    hint: str = ""
    pii: Pii = False
    listed: bool = False
    search: bool = False
    past: bool = False
    sort: bool = False
    then: tuple[str, ...] = ()
    few: bool = False
    edit: Edit = True
    kind: Kind = "text"
    codes: str = ""
    pattern: str = ""
    begins: str = ""
    absent: str = ""
    section: str = ""
    auto: Auto = ""


META = frozenset(Field.__dataclass_fields__)
PERSONAL_NUMBER_EXEMPT: tuple[Kind, ...] = ("digits", "phone", "postal", "tracking")
"""Typed number fields with a format of their own: only these may hold twelve digits in a row."""


def column(*args: Any, **kw: Any) -> MappedColumn[Any]:
    """A mapped column with its words. `kw` takes every attribute of `Field` besides SQLAlchemy's own. The type may be left to
    the annotation: `Mapped[date]` is a date, a `Code` its code, `Mapped[str]` text of any length."""
    meta = {key: kw.pop(key) for key in META & kw.keys()}
    field = Field(**meta)
    if field.auto:
        field = Field(**{**meta, "edit": False})
    return mapped_column(*args, info={"field": field}, active_history=True, **kw)


def code_type(kind: type[Code]) -> Enum:
    """One of our codes, stored as its English word and guarded by a CHECK."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        name=_snake(kind.__name__),
        length=30,
        values_callable=lambda members: [m.value for m in members],
    )


def coded(kind: type[Code], **kw: Any) -> MappedColumn[Any]:
    """A column of one of our codes."""
    return column(code_type(kind), **kw)


@dataclass(frozen=True)
class Promise:
    """A promise of a foreign key and its relationship, kept when the class is mapped."""

    target: str | None
    meta: dict[str, Any]
    options: dict[str, Any]


def relation(target: str | None = None, **kw: Any) -> Any:
    """A foreign key `<name>_id` and the relationship `<name>`, from one annotated line.

    `Mapped[Counter]` makes it required, `Mapped[Counter | None]` optional. The words live on the relationship.
    """
    meta = {key: kw.pop(key) for key in META & kw.keys()}
    return Promise(target, meta, kw)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


DIGITS, CAPITALS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def rule(sql: str, name: str, words: str = "") -> CheckConstraint:
    """A condition that the database keeps; `words` is the sentence for who breaks it."""
    return CheckConstraint(sql, name=name, info={"words": words} if words else {})


def index_of(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over those rows only of which a condition is true: as small as they are few."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def only(column_name: str, letters: str) -> str:
    """SQL: the text consists of these characters. (Neither a pattern nor a regular expression is the same on both databases.)"""
    return f"rtrim({column_name}, '{letters}') = ''"
