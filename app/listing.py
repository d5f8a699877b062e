"""Lists of any table: search, filters, order and keyset pages, fast however deep and however full the table is.

A page is found by the row it follows, not by counting rows to skip. Counts stop at `COUNT_CAP`. First the keys of the page are
found, then their rows are read; whether an index of the condition or the order of the list leads there faster is told by the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, load_only, selectinload

from app.criteria import Criteria, Order, conditions, order_columns, order_of, range_of
from app.schema import Spec
from app.searching import Search

COUNT_CAP = 10_000
SIZES = (20, 50, 100)
COMMON = 2_000
"""With more hits than this the rows are met in list order; with fewer they are gathered from the index and sorted."""


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
    count, hits = _counted(session, spec, want, search)
    backwards = place.end or place.before is not None
    statement = _keys(
        spec,
        want,
        search,
        beyond=_beyond(session, spec, want, place),
        hits=hits,
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
    spec: Spec,
    want: Criteria,
    search: Search,
    *,
    beyond: list[ColumnElement[bool]],
    hits: str | None,
    is_common: bool,
    reverse: bool,
    limit: int,
) -> Select[Any]:
    """The keys of a page. Where the question has branches, each gives a page of its own, and the page is the first of all of them.
    `hits`: the keys of all that fit, as JSON, if they are at hand."""
    branches = search.branches(walk=is_common) if hits is None else [[search.among(hits, walk=is_common)]]
    walk, order = is_common or bool(range_of(spec, want)), order_of(spec, want)
    columns = order_columns(spec, want)
    found = [select(*columns).where(*conditions(spec, want), *branch, *beyond) for branch in branches]
    if search.words and not is_common and search.dialect == "postgresql":
        found = [_gathered(branch) for branch in found]
    pages = [_sorted(branch, list(branch.selected_columns), order, reverse=reverse).limit(limit) for branch in found]
    if len(pages) == 1:
        statement = pages[0].with_only_columns(pages[0].selected_columns.id)
    else:
        merged = union_all(*(select(page.subquery()) for page in pages)).subquery()
        statement = _sorted(select(merged.c.id), [merged.c[column.key] for column in columns], order, reverse=reverse).limit(
            limit
        )
    return statement.execution_options(walk=walk, unscoped=search.is_scoped and (hits is not None or not is_common))


def _gathered(found: Select[Any]) -> Select[Any]:
    """The few rows of a search, fetched before they are put in order. PostgreSQL would rather walk the order of the list until it has
    met a page of them, which takes longer the rarer they are (seen: 15 ms for a thousand hits, 3 ms this way)."""
    return select(found.cte("found").prefix_with("MATERIALIZED"))


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
    return _counted(session, spec, want, Search.of(session, spec, want.search))[0]


def _counted(session: Session, spec: Spec, want: Criteria, search: Search) -> tuple[int, str | None]:
    """How many rows fit, and the keys of them all as JSON where the index of names tells both: going through it twice would cost as
    much again."""
    keys = search.keys() if not want.filters else None
    if keys is None:
        return _count(session, spec, want, search), None
    hit = keys.limit(COUNT_CAP + 1).subquery()
    count, hits = session.execute(select(func.count(), func.json_group_array(hit.c.rowid))).one()
    return count, hits if count <= COUNT_CAP else None


def _count(session: Session, spec: Spec, want: Criteria, search: Search) -> int:
    counted = [select(spec.model.id).where(*conditions(spec, want), *branch).limit(COUNT_CAP + 1) for branch in search.branches()]
    inner = counted[0] if len(counted) == 1 else union_all(*(select(part.subquery()) for part in counted)).limit(COUNT_CAP + 1)
    statement = select(func.count()).select_from(inner.subquery())
    return (
        session.scalar(
            statement.execution_options(walk=bool(range_of(spec, want)) and not want.search, unscoped=search.is_scoped)
        )
        or 0
    )


def matching(session: Session, spec: Spec, want: Criteria) -> Select[Any]:
    """Every row that fits, in list order, for exports."""
    search = Search.of(session, spec, want.search)
    statement = select(spec.model).where(*conditions(spec, want), *search.conditions())
    return _sorted(statement, order_columns(spec, want), order_of(spec, want), reverse=False)


def _sorted(statement: Select[Any], columns: list[Any], order: Order, *, reverse: bool) -> Select[Any]:
    down = (order[1] == "desc") != reverse
    return statement.order_by(*(c.desc() if down else c.asc() for c in columns))


def _beyond(session: Session, spec: Spec, want: Criteria, place: Place) -> list[ColumnElement[bool]]:
    """The rows on the far side of the one the page starts from. If that row has gone, the list starts anew."""
    anchor = place.after if place.after is not None else place.before
    if anchor is None:
        return []
    columns, direction = order_columns(spec, want), order_of(spec, want)[1]
    stands = session.execute(select(*columns).where(spec.model.id == anchor)).first()
    if stands is None:
        return []
    down = (direction == "desc") != (place.before is not None)
    here, there = tuple_(*columns), tuple_(*(literal(value, c.type) for value, c in zip(stands, columns, strict=True)))
    return [here < there if down else here > there]
