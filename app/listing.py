"""Lists of any table: search, filters, order and keyset pages, fast however deep and however full the table is.

A page is found by the row it follows, not by counting rows to skip. Counts stop at `COUNT_CAP`. Names are found by their
two-character pieces (PostgreSQL: a GIN index over them; SQLite: an FTS5 table), see `app.text.search_key`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import ARRAY, ColumnElement, Select, Text, cast, func, literal, literal_column, or_, select, text, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from app.context import TOKYO
from app.errors import AppError, PersonalNumberFound
from app.schema import Part, Spec
from app.text import alnum, fold, has_personal_number, pieces

COUNT_CAP = 10_000
SIZES = (20, 50, 100)
COMMON = 2_000
"""A PostgreSQL name search with more hits than this is read in list order instead of from the index of pieces."""


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
    order: tuple[str, Literal["asc", "desc"]] | None = None


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


class TooShort(AppError):
    def __init__(self) -> None:
        super().__init__("検索する言葉は2文字以上で入力してください。", field="q")


def fetch(session: Session, spec: Spec, want: Criteria, *, size: int = 50, place: Place | None = None) -> Page:
    """One page of a list: one statement for its rows, one for the capped count, one per listed relation."""
    place, size = place or Place(), min(max(size, 1), SIZES[-1])
    search = _Search.of(session, spec, want.search)
    where = conditions(spec, want)
    count = capped_count(session, spec, [*where, *search.conditions(by_index=True)])
    where += search.conditions(by_index=count <= COMMON)
    backwards = place.end or place.before is not None
    statement = select(spec.model).where(*where, *_beyond(session, spec, want, place)).options(*eager(spec))
    rows = list(session.scalars(_ordered(statement, spec, want, reverse=backwards).limit(size + 1)).unique())
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
        return Page(rows=rows, count=count, has_previous=more, has_next=not place.end)
    return Page(rows=rows, count=count, has_previous=place.after is not None, has_next=more)


def capped_count(session: Session, spec: Spec, where: list[ColumnElement[bool]]) -> int:
    """How many rows, but never more than one past the cap is looked at."""
    inner = select(spec.model.id).where(*where).limit(COUNT_CAP + 1).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def matching(session: Session, spec: Spec, want: Criteria) -> Select[Any]:
    """Every row that fits, in list order, for exports."""
    search = _Search.of(session, spec, want.search)
    statement = select(spec.model).where(*conditions(spec, want), *search.conditions(by_index=True))
    return _ordered(statement, spec, want, reverse=False)


def eager(spec: Spec) -> list[Any]:
    """Loads the relations that the list shows with it: one statement each for the whole page, never one a row."""
    options = []
    for part in spec.listed:
        if part.is_many:
            options.append(selectinload(getattr(spec.model, part.key)))
        elif part.is_relation:
            options.append(joinedload(getattr(spec.model, part.key)) if part.nullable else
                           selectinload(getattr(spec.model, part.key)))
    return options


def order_of(spec: Spec, want: Criteria) -> tuple[str, str]:
    """The order asked for, if the table offers it; otherwise its own."""
    if want.order and want.order[0] in {"id", *(p.key for p in spec.sortable)} and want.order[1] in ("asc", "desc"):
        return want.order
    return spec.order


def _ordered(statement: Select[Any], spec: Spec, want: Criteria, *, reverse: bool) -> Select[Any]:
    key, direction = order_of(spec, want)
    down = (direction == "desc") != reverse
    columns = [getattr(spec.model, key)] if key == "id" else [getattr(spec.model, key), spec.model.id]
    return statement.order_by(*(c.desc() if down else c.asc() for c in columns))


def _beyond(session: Session, spec: Spec, want: Criteria, place: Place) -> list[ColumnElement[bool]]:
    """The rows on the far side of the one the page starts from. If that row has gone, the list starts anew."""
    anchor = place.after if place.after is not None else place.before
    if anchor is None:
        return []
    key, direction = order_of(spec, want)
    model = spec.model
    down = (direction == "desc") != (place.before is not None)
    if key == "id":
        return [model.id < anchor if down else model.id > anchor]
    value = session.scalar(select(getattr(model, key)).where(model.id == anchor))
    if value is None:
        return []
    here, there = tuple_(getattr(model, key), model.id), tuple_(literal(value, getattr(model, key).type), literal(anchor))
    return [here < there if down else here > there]


def conditions(spec: Spec, want: Criteria) -> list[ColumnElement[bool]]:
    offered = {p.key: p for p in spec.filters}
    return [c for key, value in want.filters.items() if key in offered for c in _condition(spec, offered[key], value)]


def _condition(spec: Spec, part: Part, value: Any) -> list[ColumnElement[bool]]:
    column = getattr(spec.model, part.fk)
    if isinstance(value, Range):
        start, end = value.start, value.end
        if part.shape == "moment":
            start = datetime.combine(start, time.min, TOKYO) if start else None
            end = datetime.combine(end + timedelta(days=1), time.min, TOKYO) if end else None
            return [c for c in ((column >= start) if start else None, (column < end) if end else None) if c is not None]
        return [c for c in ((column >= start) if start is not None else None,
                            (column <= end) if end is not None else None) if c is not None]
    if isinstance(value, list | tuple):
        return [column.in_(value)]
    return [column == value]


@dataclass(frozen=True)
class _Search:
    """What the search box asks, resolved against the table: rows with a number, rows with the words, or everything."""

    spec: Spec
    dialect: str
    exact: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, spec: Spec, typed: str) -> _Search:
        """A number is looked for as a whole first; anything else, or a number that is nowhere, among the words."""
        if has_personal_number(typed):
            raise PersonalNumberFound(field="q")
        dialect = session.get_bind().dialect.name
        typed = typed.strip()
        number = alnum(typed)
        if number and spec.exact_searched and number.isascii() and number.isalnum() and any(c.isdigit() for c in number):
            found = cls(spec, dialect, exact=number)
            if not spec.has_search_key or session.scalar(select(spec.model.id).where(*found.conditions(by_index=True)).limit(1)):
                return found
        words = tuple(w for w in (fold(word) for word in typed.split()) if w)
        if spec.exact_searched and not spec.has_search_key and typed:
            return cls(spec, dialect, exact=typed)
        if words and max(map(len, words)) < 2:
            raise TooShort
        return cls(spec, dialect, words=words)

    def conditions(self, *, by_index: bool) -> list[ColumnElement[bool]]:
        model = self.spec.model
        if self.exact:
            wanted = {self.exact, self.exact.lower()}
            return [or_(*(getattr(model, p.key).in_(wanted) for p in self.spec.exact_searched))]
        if not self.words:
            return []
        if self.dialect == "sqlite":
            return [self._by_fts()]
        phrases = [pieces(word) for word in self.words]
        column = model.search_key
        if not by_index:
            return [(column + "").contains(phrase, autoescape=True) for phrase in phrases]
        wanted = sorted({piece for phrase in phrases for piece in phrase.split() if len(piece) > 1})
        return [_holds_pieces(column, wanted), *(column.contains(p, autoescape=True) for p in phrases if p.count(" "))]

    def _by_fts(self) -> ColumnElement[bool]:
        table = self.spec.name
        query = " AND ".join(f'"{pieces(w)}"' if len(w) > 1 else f'"{w}"*' for w in self.words)
        hits = select(literal_column("rowid")).select_from(text(f"{table}_fts")).where(
            text(f"{table}_fts MATCH :pieces").bindparams(pieces=query))
        return self.spec.model.id.in_(hits)


def _holds_pieces(column: Any, wanted: list[str]) -> ColumnElement[bool]:
    return func.string_to_array(column, literal_column("' '"), type_=ARRAY(Text)).op("@>")(cast(wanted, ARRAY(Text)))


def parse(spec: Spec, key: str, raw: Any) -> Any:
    """A filter's typed text as a value of its column; None when it means nothing (and is then left out)."""
    part = {p.key: p for p in spec.filters}.get(key)
    if part is None or raw in (None, ""):
        return None
    try:
        if part.enum:
            return part.enum(raw)
        if part.shape == "flag":
            return {"1": True, "0": False}[raw]
        if part.is_relation or part.shape == "number":
            return int(raw)
        if part.shape in ("date", "moment"):
            return date.fromisoformat(raw)
    except (ValueError, KeyError):
        return None
    return raw

