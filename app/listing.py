"""Lists of any table: search, filters, order and keyset pages, fast however deep and however full the table is.

A page is found by the row it follows, not by counting rows to skip. Counts stop at `COUNT_CAP`. First the keys of the page are
found, then their rows are read; whether an index of the condition or the order of the list leads there faster is told by the count.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal, cast

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, load_only, selectinload

from app import plans
from app.context import TOKYO
from app.schema import Part, Spec
from app.searching import Search, TooShort
from app.text import has_personal_number

COUNT_CAP = 10_000
SIZES = (20, 50, 100)
COMMON = 2_000
"""With more hits than this the rows are met in list order; with fewer they are gathered from the index and sorted."""

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


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the list: after or before the row with this key, or at its end."""

    after: int | None = None
    before: int | None = None
    end: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    rows: Sequence[Any]
    count: int
    has_previous: bool
    has_next: bool

    @property
    def count_words(self) -> str:
        return f"{COUNT_CAP:,}件以上" if self.count > COUNT_CAP else f"{self.count:,}件"


def fetch(session: Session, spec: Spec, want: Criteria, *, size: int = 50, place: Place | None = None) -> Page:
    """One page: a capped count, the keys of the page, its rows, and one statement for each listed relation."""
    place, size = place or Place(), min(max(size, 1), SIZES[-1])
    search = Search.of(session, spec, want.search)
    count = _count(session, spec, want, search)
    backwards = place.end or place.before is not None
    statement = _keys(
        spec,
        want,
        search,
        beyond=_beyond(session, spec, want, place),
        is_common=count > COMMON,
        reverse=backwards,
        limit=size + 1,
    )
    keys = list(session.scalars(statement))
    more, keys = len(keys) > size, keys[:size]
    if not keys and place != Place():  # the row it should have followed has gone, or nothing lies beyond it
        return fetch(session, spec, want, size=size, place=None if backwards else Place(end=True))
    if backwards:
        keys.reverse()
        return Page(rows=_rows(session, spec, keys), count=count, has_previous=more, has_next=not place.end)
    return Page(rows=_rows(session, spec, keys), count=count, has_previous=place.after is not None, has_next=more)


def _keys(
    spec: Spec, want: Criteria, search: Search, *, beyond: list[ColumnElement[bool]], is_common: bool, reverse: bool, limit: int
) -> Select[Any]:
    """The keys of a page. Where the question has branches, each gives a page of its own, and the page is the first of all of them."""
    walk, order = is_common or bool(_range(spec, want)), order_of(spec, want)
    columns = _order_columns(spec, want)
    pages = [
        _sorted(select(*columns).where(*conditions(spec, want), *branch, *beyond), columns, order, reverse=reverse).limit(limit)
        for branch in search.branches(walk=is_common)
    ]
    if len(pages) == 1:
        statement = pages[0].with_only_columns(spec.model.id)
    else:
        merged = union_all(*(select(page.subquery()) for page in pages)).subquery()
        statement = _sorted(select(merged.c.id), [merged.c[column.key] for column in columns], order, reverse=reverse).limit(
            limit
        )
    return statement.execution_options(walk=walk, unscoped=search.is_scoped and not is_common)


def _rows(session: Session, spec: Spec, keys: list[int]) -> list[Any]:
    """The rows of these keys, with what the list shows of them."""
    if not keys:
        return []
    statement = select(spec.model).where(spec.model.id.in_(keys)).options(*shown(spec))
    found = {row.id: row for row in session.scalars(statement)}
    return [found[key] for key in keys if key in found]


@cache
def shown(spec: Spec) -> tuple[Any, ...]:
    """Loads the listed columns and relations, each relation in one statement for the whole page, and nothing else."""
    model = spec.model
    columns = [getattr(model, p.fk) for p in spec.listed if not p.is_many]
    relations = [selectinload(getattr(model, p.key)) for p in spec.listed if p.is_relation]
    return load_only(model.id, *columns, *([spec.version] if spec.version is not None else [])), *relations


def capped_count(session: Session, spec: Spec, want: Criteria) -> int:
    """How many rows fit, but never more than one past the cap is looked at."""
    return _count(session, spec, want, Search.of(session, spec, want.search))


def _count(session: Session, spec: Spec, want: Criteria, search: Search) -> int:
    counted = [select(spec.model.id).where(*conditions(spec, want), *branch).limit(COUNT_CAP + 1) for branch in search.branches()]
    inner = counted[0] if len(counted) == 1 else union_all(*(select(part.subquery()) for part in counted)).limit(COUNT_CAP + 1)
    statement = select(func.count()).select_from(inner.subquery())
    return (
        session.scalar(statement.execution_options(walk=bool(_range(spec, want)) and not want.search, unscoped=search.is_scoped))
        or 0
    )


def matching(session: Session, spec: Spec, want: Criteria) -> Select[Any]:
    """Every row that fits, in list order, for exports."""
    search = Search.of(session, spec, want.search)
    statement = select(spec.model).where(*conditions(spec, want), *search.conditions())
    return _sorted(statement, _order_columns(spec, want), order_of(spec, want), reverse=False)


def order_of(spec: Spec, want: Criteria) -> Order:
    """The order asked for, if the table offers it; that of the days asked for, if some are; otherwise the table's own.

    A list narrowed to days is read in their order because their index then gives the rows and the order at once.
    """
    if want.order and want.order[0] in {"id", *(p.key for p in spec.sortable)} and want.order[1] in ("asc", "desc"):
        return want.order
    if (part := _range(spec, want)) and part.key != spec.order[0]:
        return part.key, "desc"
    return cast(Order, spec.order)


def _range(spec: Spec, want: Criteria) -> Part | None:
    """The first filter from–to, unless another order was asked for."""
    if want.order:
        return None
    return next((p for p in spec.filters if isinstance(want.filters.get(p.key), Range)), None)


def _order_columns(spec: Spec, want: Criteria) -> list[Any]:
    """What the list is ordered by; the key comes last, so that every order is stable."""
    first = order_of(spec, want)[0]
    then = spec.parts[first].field.then if first in spec.parts else ()
    return [getattr(spec.model, name) for name in dict.fromkeys((first, *then, "id"))]


def _sorted(statement: Select[Any], columns: list[Any], order: Order, *, reverse: bool) -> Select[Any]:
    down = (order[1] == "desc") != reverse
    return statement.order_by(*(c.desc() if down else c.asc() for c in columns))


def _beyond(session: Session, spec: Spec, want: Criteria, place: Place) -> list[ColumnElement[bool]]:
    """The rows on the far side of the one the page starts from. If that row has gone, the list starts anew."""
    anchor = place.after if place.after is not None else place.before
    if anchor is None:
        return []
    columns, direction = _order_columns(spec, want), order_of(spec, want)[1]
    stands = session.execute(select(*columns).where(spec.model.id == anchor)).first()
    if stands is None:
        return []
    down = (direction == "desc") != (place.before is not None)
    here, there = tuple_(*columns), tuple_(*(literal(value, c.type) for value, c in zip(stands, columns, strict=True)))
    return [here < there if down else here > there]


def conditions(spec: Spec, want: Criteria) -> list[ColumnElement[bool]]:
    """The filters as SQL. Where days are asked for, SQLite is led to their index and checks the other columns on the way."""
    leading = _range(spec, want)
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


__all__ = [
    "COUNT_CAP",
    "SIZES",
    "Criteria",
    "Order",
    "Page",
    "Place",
    "Range",
    "TooShort",
    "capped_count",
    "conditions",
    "fetch",
    "matching",
    "order_of",
    "parse",
    "shown",
    "whole",
]
