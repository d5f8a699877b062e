"""What a model class says about itself: the one place where a table's words are declared.

A class below `Base` names its table, its Japanese label, its menu group and its scope; `column()` and
`relation()` put the words of each column beside the column. Everything generated (screens, forms, files,
rights, log, documentation) reads them from here through `app.schema.Spec`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from flask_appbuilder import Model
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    Time,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column, relationship
from sqlalchemy.types import JSON, TypeEngine

metadata = Model.metadata
# FAB leaves its own tables unnamed; ours need names, because SQLite can only alter what has one.
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

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
Kind = Literal["text", "memo", "name", "kana", "digits", "phone", "postal", "email", "code", "alnum"]
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
    sort    the list can be ordered by it (needs an index; never personal data)
    edit    may be typed into a form: always, never, or only when the row is added
    few     searched text with few different values (who signed the log): looked for among the values, not in a search key
    kind    how text is checked and normalised
    codes   name of the code list (区分コード) whose values are allowed
    pattern a regular expression the whole text must match; the hint says it in words
    section heading that begins above this column on record and form pages
    auto    value set below the forms: at insert ("today", "clock", "now", "actor_*") or at every save ("touched*")
    """

    label: str
    hint: str = ""
    pii: Pii = False
    listed: bool = False
    search: bool = False
    sort: bool = False
    few: bool = False
    edit: Edit = True
    kind: Kind = "text"
    codes: str = ""
    pattern: str = ""
    section: str = ""
    auto: Auto = ""


META = frozenset(Field.__dataclass_fields__)
PERSONAL_NUMBER_EXEMPT: tuple[Kind, ...] = ("digits", "phone", "postal")
"""Typed number fields with a format of their own: only these may hold twelve digits in a row."""


def column(type_: TypeEngine[Any] | type[TypeEngine[Any]], *args: Any, **kw: Any) -> MappedColumn[Any]:
    """A mapped column with its words. `kw` takes every attribute of `Field` besides SQLAlchemy's own."""
    meta = {key: kw.pop(key) for key in META & kw.keys()}
    field = Field(**meta)
    if field.auto:
        field = Field(**{**meta, "edit": False})
    return mapped_column(type_, *args, info={"field": field}, active_history=True, **kw)


def coded(kind: type[Code], **kw: Any) -> MappedColumn[Any]:
    """A column of one of our codes, stored as its English word and guarded by a CHECK."""
    return column(
        Enum(
            kind,
            native_enum=False,
            create_constraint=True,
            name=_snake(kind.__name__),
            length=30,
            values_callable=lambda members: [m.value for m in members],
        ),
        **kw,
    )


@dataclass(frozen=True)
class _Relation:
    """A promise of a foreign key and its relationship, kept when the class is mapped."""

    target: str | None
    meta: dict[str, Any]
    options: dict[str, Any]


def relation(target: str | None = None, **kw: Any) -> Any:
    """A foreign key `<name>_id` and the relationship `<name>`, from one annotated line.

    `Mapped[Counter]` makes it required, `Mapped[Counter | None]` optional. The words live on the relationship.
    """
    meta = {key: kw.pop(key) for key in META & kw.keys()}
    return _Relation(target, meta, kw)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Base(DeclarativeBase):
    """The base of every table of ours.

    `__label__` the table's name · `__group__` its menu · `__scope__` the relation(s) or path that decide who sees a row
    (None: everybody with the right) · `__area__` its row in the table of rights · `__master__` kept in the masters' room
    · `__append_only__` rows are written once · `__history__` name of the table that receives one row per change
    · `__writable__` False: rows come from rules, no form adds or changes them · `__addable__`, `__deletable__` False: rows begin
    or end by a rule of their own · `__inline_of__` the relation whose page edits
    these rows inline · `__internal__` no screen at all.
    """

    metadata = metadata
    __label__: ClassVar[str] = ""
    __group__: ClassVar[str] = ""
    __scope__: ClassVar[str | tuple[str, ...] | None] = None
    __area__: ClassVar[str] = "counter_work"
    __master__: ClassVar[bool] = False
    __append_only__: ClassVar[bool] = False
    __history__: ClassVar[str | None] = None
    __internal__: ClassVar[bool] = False
    __order__: ClassVar[tuple[str, str]] = ("id", "desc")
    __writable__: ClassVar[bool] = True
    __addable__: ClassVar[bool] = True
    __deletable__: ClassVar[bool] = True
    __inline_of__: ClassVar[str] = ""
    __indexed__: ClassVar[tuple[tuple[str, ...], ...]] = ()

    if TYPE_CHECKING:  # given to the classes that need them, see below
        row_stamp: Mapped[int]
        search_key: Mapped[str]

    def __init_subclass__(cls, **kw: Any) -> None:
        if not cls.__dict__.get("__abstract__"):
            indexed = [*_make_relations(cls), *_searchable(cls), *cls.__indexed__]
            _version_rows(cls)
            _keep_search_key(cls)
            cls.__table_args__ = (
                *cls.__dict__.get("__table_args__", ()),
                *(Index(None, *names) for names in dict.fromkeys(indexed)),
            )
        super().__init_subclass__(**kw)


def _annotation(cls: type, name: str) -> str:
    return str(cls.__annotations__.get(name, ""))


def _make_relations(cls: type[Base]) -> list[tuple[str, ...]]:
    """Turns each `relation()` of the class into its foreign key column and its relationship."""
    indexed: list[tuple[str, ...]] = []
    for name, promise in list(cls.__dict__.items()):
        if not isinstance(promise, _Relation):
            continue
        words = _annotation(cls, name)
        found = re.search(r"Mapped\[\W*(?:Optional\[)?\W*(?:[\w.]*\.)?(\w+)", words)
        target = promise.target or (found.group(1) if found else "")
        optional = "None" in words or "Optional" in words
        model = _model_named(cls, target)
        fk = f"{name}_id"
        setattr(
            cls, fk, mapped_column(ForeignKey(next(iter(model.__table__.primary_key))), nullable=optional, active_history=True)
        )
        cls.__annotations__[fk] = Mapped[int | None] if optional else Mapped[int]
        setattr(
            cls,
            name,
            relationship(
                model,
                foreign_keys=[cls.__dict__[fk]],
                info={"field": Field(**promise.meta)},
                active_history=True,
                **promise.options,
            ),
        )
        cls.__annotations__[name] = Mapped[model | None] if optional else Mapped[model]  # type: ignore[valid-type]
        if not any(names[0] == fk for names in cls.__indexed__):
            indexed.append(_in_order(cls, fk))
    return indexed


def _in_order(cls: type[Base], name: str) -> tuple[str, ...]:
    """The index that gives the rows of one value in the order of the list."""
    return tuple(dict.fromkeys((name, cls.__order__[0], "id")))


def _model_named(cls: type[Base], name: str) -> Any:
    for mapper in Base.registry.mappers:
        if mapper.class_.__name__ == name:
            return mapper.class_
    raise TypeError(f"{cls.__name__}: relation to {name!r}, which is not a table defined before it")


def _searchable(cls: type[Base]) -> list[tuple[str, ...]]:
    """An index for each filter, sort and searched value, so that a narrowed list is read in its order."""
    return [
        _in_order(cls, name)
        for name, part in cls.__dict__.items()
        if isinstance(part, MappedColumn)
        and "field" in part.column.info
        and not part.column.unique
        and (part.column.info["field"].sort or is_filter(part.column) or is_exact_search(part.column) or is_few(part.column))
    ]


def _version_rows(cls: type[Base]) -> None:
    """RowStamp: every row that can be changed carries the version its reader saw."""
    if cls.__append_only__ or cls.__internal__ or "row_stamp" in cls.__dict__:
        return
    cls.row_stamp = column(Integer, label="RowStamp", edit=False, default=1, nullable=False)
    cls.__annotations__["row_stamp"] = Mapped[int]
    cls.__mapper_args__ = {**cls.__dict__.get("__mapper_args__", {}), "version_id_col": cls.row_stamp}


def _keep_search_key(cls: type[Base]) -> None:
    """A hidden column with the two-character pieces of every searched text (see `app.schema.search_key`)."""
    searched = [
        part
        for part in cls.__dict__.values()
        if isinstance(part, MappedColumn) and "field" in part.column.info and is_name_search(part.column)
    ]
    if searched and not cls.__internal__:
        cls.search_key = mapped_column(Text, nullable=False, default="", server_default="", deferred=True)
        cls.__annotations__["search_key"] = Mapped[str]


def is_name_search(col: Any, field: Field | None = None) -> bool:
    """Text searched by its pieces (names, descriptions); numbers and codes are searched as a whole."""
    field = field or col.info.get("field")
    return bool(
        field
        and field.search
        and not field.codes
        and _is_plain_text(col)
        and not field.few
        and field.kind in ("text", "memo", "name", "kana")
    )


def is_few(col: Any, field: Field | None = None) -> bool:
    """Searched text with few different values."""
    field = field or col.info.get("field")
    return bool(field and field.search and field.few and _is_plain_text(col))


def is_filter(col: Any, field: Field | None = None) -> bool:
    """A searched column that is not text: offered as a filter."""
    field = field or col.info.get("field")
    return bool(field and field.search and (field.codes or not _is_plain_text(col)))


def is_exact_search(col: Any, field: Field | None = None) -> bool:
    """Text that the search box compares as a whole: numbers, codes, telephone numbers."""
    field = field or col.info.get("field")
    return bool(
        field and field.search and not field.codes and _is_plain_text(col) and not field.few and not is_name_search(col, field)
    )


def _is_plain_text(col: Any) -> bool:
    return isinstance(col.type, String | Text) and not isinstance(col.type, Enum)


__all__ = [
    "JSON",
    "Base",
    "BigId",
    "Boolean",
    "CheckConstraint",
    "Code",
    "Date",
    "Enum",
    "Field",
    "Index",
    "Integer",
    "Mapped",
    "PERSONAL_NUMBER_EXEMPT",
    "String",
    "Text",
    "Time",
    "UtcDateTime",
    "coded",
    "column",
    "date",
    "datetime",
    "is_exact_search",
    "is_few",
    "is_filter",
    "is_name_search",
    "metadata",
    "relation",
    "time",
]
