"""What somebody asks of a list, as plain values, and what it means: conditions and an order in SQL."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, cast

from sqlalchemy import BigInteger, ColumnElement

from app import plans
from app.context import TOKYO
from app.errors import AppError
from app.parts import Part
from app.schema import Spec
from app.text import has_personal_number

_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,30}")  # what a value of a code list can be

Order = tuple[str, Literal["asc", "desc"]]


@dataclass(frozen=True)
class Range:
    """From one day (or number) to another, both included; an open end is None."""

    start: Any = None
    end: Any = None


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What somebody asks of a list: plain values, from an address, a form or a job."""

    search: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
    order: Order | None = None


class Backwards(AppError):
    """A from–to that ends before it begins."""


def must_run_forwards(spec: Spec, want: Criteria) -> None:
    """Says which filter can hold for no row, instead of showing none."""
    for part in spec.filters:
        value = want.filters.get(part.key)
        if isinstance(value, Range) and value.start is not None and value.end is not None and value.start > value.end:
            raise Backwards(f"「{part.label}」の終わりが始まりより前です。入れ替えて、もう一度絞り込んでください。")


def order_of(spec: Spec, want: Criteria) -> Order:
    """The order asked for, if the table offers it; that of the days asked for, if some are; otherwise the table's own.

    A list narrowed to days is read in their order because their index then gives the rows and the order at once.
    """
    if want.order and want.order[0] in {"id", *(p.key for p in spec.sortable)} and want.order[1] in ("asc", "desc"):
        return want.order
    if (part := range_of(spec, want)) and part.key != spec.order[0]:
        return part.key, "desc"
    return cast(Order, spec.order)


def range_of(spec: Spec, want: Criteria) -> Part | None:
    """The first filter from–to, unless another order was asked for."""
    if want.order:
        return None
    return next((p for p in spec.filters if isinstance(want.filters.get(p.key), Range)), None)


def order_columns(spec: Spec, want: Criteria) -> list[Any]:
    """What the list is ordered by; the key comes last, so that every order is stable."""
    first = order_of(spec, want)[0]
    then = spec.parts[first].field.then if first in spec.parts else ()
    return [getattr(spec.model, name) for name in dict.fromkeys((first, *then, "id"))]


def conditions(spec: Spec, want: Criteria) -> list[ColumnElement[bool]]:
    """The filters as SQL. Where days are asked for, SQLite is led to their index and checks the other columns on the way."""
    leading = range_of(spec, want)
    return [
        c
        for part in spec.filters
        if (value := want.filters.get(part.key)) is not None
        for c in _condition(
            spec, part, value, walk=leading is not None and part is not leading and not _indexed_with(spec, part, leading)
        )
    ]


def _indexed_with(spec: Spec, part: Part, leading: Part) -> bool:
    """Whether an index holds this column together with the days, in that order."""
    return any([c.name for c in index.columns][:2] == [part.fk, leading.key] for index in spec.model.__table__.indexes)


def _condition(spec: Spec, part: Part, value: Any, *, walk: bool) -> list[ColumnElement[bool]]:
    column = plans.column(getattr(spec.model, part.fk), walk=walk)
    if isinstance(value, Range):
        start, end = _ends(part, value)
        until = operator.lt if part.shape == "moment" else operator.le
        return [*([column >= start] if start is not None else []), *([until(column, end)] if end is not None else [])]
    return [column.in_(value)] if isinstance(value, list | tuple) else [column == value]


def _ends(part: Part, value: Range) -> tuple[Any, Any]:
    """The ends as stored: days of a moment are the office's days, midnight to midnight."""
    if part.shape != "moment":
        return value.start, value.end
    return (
        datetime.combine(value.start, time.min, TOKYO) if value.start else None,
        datetime.combine(value.end + timedelta(days=1), time.min, TOKYO) if value.end else None,
    )


def parse(spec: Spec, key: str, raw: Any) -> Any:
    """A filter's typed text as a value of its column; None when it means nothing (and is then left out), as a 個人番号 never does."""
    part = {p.key: p for p in spec.filters}.get(key)
    if part is None or raw in (None, "") or has_personal_number(str(raw)):
        return None
    try:
        if part.enum:
            return part.enum(raw)
        if part.shape == "flag":
            return {"1": True, "0": False}[raw]
        if part.is_relation or part.shape == "number":
            return whole(raw, part.column.type)
        if part.shape in ("date", "moment"):
            day = date.fromisoformat(raw)
            return day if 1900 <= day.year <= 2200 else None
    except (ValueError, KeyError):
        return None
    return raw if _CODE.fullmatch(raw) else None


def whole(words: str, type_: Any) -> int | None:
    """Typed digits as a number that a column of this type can hold; None when it cannot be one, or is a 個人番号."""
    is_number = words.isascii() and words.isdecimal() and len(words) < 20 and int(words) <= largest(type_)
    return int(words) if is_number and not has_personal_number(words) else None


def largest(type_: Any) -> int:
    """The largest number that a column of this type holds."""
    return 2**63 - 1 if isinstance(type_, BigInteger) else 2**31 - 1
