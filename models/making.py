"""What a model class is given for its words: types, foreign keys, indexes, RowStamp and the search key."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time
from typing import Any, Literal

from sqlalchemy import Boolean, Date, Enum, ForeignKey, Index, Integer, String, Text, Time
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, relationship
from sqlalchemy.types import NullType

from models.words import Code, Field, Promise, UtcDateTime, code_type, column

SearchedAs = Literal["", "name", "few", "exact", "sealed", "filter"]
_PLAIN = {date: Date, time: Time, bool: Boolean, int: Integer, str: Text}


def make(cls: Any) -> None:
    """Keeps the promises of a class before SQLAlchemy maps it."""
    _infer_types(cls)
    indexed = [*_make_relations(cls), *_searchable(cls), *cls.__indexed__]
    _version_rows(cls)
    _keep_search_key(cls)
    indexes = [Index(None, *names) for names in dict.fromkeys(indexed)]
    cls.__table_args__ = (*cls.__dict__.get("__table_args__", ()), *indexes)


def searched_as(type_: Any, field: Any) -> SearchedAs:
    """How a column is searched: names and descriptions by their pieces, few different values by looking through them, numbers
    and codes as a whole, a keyed hash by what it was made of, and what is not text by a filter."""
    if field is None or not field.search:
        return ""
    if field.codes or not isinstance(type_, String | Text) or isinstance(type_, Enum):
        return "filter"
    if field.kind == "sealed":
        return "sealed"
    if field.few:
        return "few"
    return "name" if field.kind in ("text", "memo", "name", "kana") else "exact"


def _columns(cls: Any) -> list[tuple[str, Any, Any]]:
    """(name, column, its words) of every column with words, in the order of the class."""
    return [
        (name, part.column, part.column.info["field"])
        for name, part in cls.__dict__.items()
        if isinstance(part, MappedColumn) and "field" in part.column.info
    ]


def _annotation(cls: Any, name: str) -> str:
    return str(cls.__annotations__.get(name, ""))


def _named(words: str) -> str:
    """The class named in `Mapped[...]`, whatever stands round it."""
    found = re.search(r"Mapped\[\W*(?:Optional\[)?\W*(?:[\w.]*\.)?(\w+)", words)
    return found.group(1) if found else ""


def _infer_types(cls: Any) -> None:
    for name, col, _field in _columns(cls):
        if isinstance(col.type, NullType):
            col.type = _type_of(cls, _named(_annotation(cls, name)), name)


def _type_of(cls: Any, named: str, name: str) -> Any:
    known = {kind.__name__: type_ for kind, type_ in _PLAIN.items()} | {datetime.__name__: UtcDateTime}
    kind = vars(sys.modules[cls.__module__]).get(named)
    if isinstance(kind, type) and issubclass(kind, Code):
        return code_type(kind)
    if named not in known:
        raise TypeError(f"{cls.__name__}.{name}: column() needs a type, since Mapped[{named}] does not say one")
    return known[named]()


def _make_relations(cls: Any) -> list[tuple[str, ...]]:
    """Turns each `relation()` of the class into its foreign key column and its relationship."""
    indexed: list[tuple[str, ...]] = []
    for name, promise in list(cls.__dict__.items()):
        if not isinstance(promise, Promise):
            continue
        words, fk = _annotation(cls, name), f"{name}_id"
        optional = "None" in words or "Optional" in words
        model = _model_named(cls, promise.target or _named(words))
        key = ForeignKey(next(iter(model.__table__.primary_key)))
        setattr(cls, fk, mapped_column(key, nullable=optional, active_history=True))
        cls.__annotations__[fk] = Mapped[int | None] if optional else Mapped[int]
        info = {"field": Field(**promise.meta)}
        linked = relationship(model, foreign_keys=[cls.__dict__[fk]], info=info, active_history=True, **promise.options)
        setattr(cls, name, linked)
        cls.__annotations__[name] = Mapped[model | None] if optional else Mapped[model]  # type: ignore[valid-type]  # made, not written
        if not any(names[0] == fk for names in cls.__indexed__):
            indexed.append((fk, *_ordered(cls)))
    return indexed


def _model_named(cls: Any, name: str) -> Any:
    for mapper in cls.registry.mappers:
        if mapper.class_.__name__ == name:
            return mapper.class_
    raise TypeError(f"{cls.__name__}: relation to {name!r}, which is not a table defined before it")


def _ordered(cls: Any, name: str = "") -> tuple[str, ...]:
    """The columns by which the list of a class is ordered: by `name`, or as it is by default. The key comes last."""
    first = name or cls.__order__[0]
    then = next((field.then for known, _column, field in _columns(cls) if known == first), ())
    return tuple(dict.fromkeys((first, *then, "id")))


def _searchable(cls: Any) -> list[tuple[str, ...]]:
    """An index for each filter, sort and searched value, so that a narrowed list is read in its order."""
    found = []
    for name, col, field in _columns(cls):
        if field.sort:
            found.append(_ordered(cls, name))
        elif not col.unique and searched_as(col.type, field) in ("filter", "exact", "few"):
            found.append(tuple(dict.fromkeys((name, *_ordered(cls)))))
    return found


def _version_rows(cls: Any) -> None:
    """RowStamp: every row that can be changed carries the version its reader saw."""
    if cls.__append_only__ or cls.__internal__ or "row_stamp" in cls.__dict__:
        return
    cls.row_stamp = column(Integer, label="RowStamp", edit=False, default=1, nullable=False)
    cls.__annotations__["row_stamp"] = Mapped[int]
    cls.__mapper_args__ = {**cls.__dict__.get("__mapper_args__", {}), "version_id_col": cls.row_stamp}


def _keep_search_key(cls: Any) -> None:
    """A hidden column with the two-character pieces of every searched text (see `app.text.search_key`)."""
    if cls.__internal__ or not any(searched_as(col.type, field) == "name" for _name, col, field in _columns(cls)):
        return
    cls.search_key = mapped_column(Text, nullable=False, default="", server_default="", deferred=True)
    cls.__annotations__["search_key"] = Mapped[str]
