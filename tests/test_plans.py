"""What the databases do for a list: no filter, order or search that a list offers makes them read a table from end to end, and no
page of it makes them read those before it.

The tables hold few rows here, so PostgreSQL is told to avoid reading them whole and sorting them; where it still does, no index
would serve a full table either. SQLite, without statistics, plans the same for few rows as for millions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app import listing
from app.context import Actor, acting
from app.criteria import Criteria, Order, Range
from app.listing import Place, fetch
from app.parts import Part
from app.rules import calendar
from app.schema import Spec, specs
from models import Channel, ReservationState, metadata
from tests.rows import fill

LARGE = [spec for spec in specs().values() if not spec.is_master and not spec.inline_of and spec.name != "operator_account"]
CLERK = Actor(user_id="staff", counters=frozenset({1}))
SMALL = {"counter", "booking_category", "code_item", "desk_pool", "ab_user", "operator_account"}
"""Tables that stay small; reading one whole costs nothing."""
_FULL = {"sqlite": re.compile(r"^SCAN (\w+)$"), "postgresql": re.compile(r"Seq Scan on (\w+)")}
_RANGE = {"sqlite": re.compile(r"^SEARCH (\w+) USING .*[<>]\(?\?"), "postgresql": re.compile(r"^Index Cond: .* [<>] ")}
"""A part of an index, from one value on: on SQLite with the table that it belongs to."""
_CHECKED = re.compile(r"Filter: .* [<>] ")
_SORTED = {"sqlite": re.compile(r"USE TEMP B-TREE FOR (?:LAST \w+ TERMS? OF )?ORDER BY"), "postgresql": re.compile(r"\bSort\b")}
Sent = list[tuple[str, Any]]
Ask = Callable[[Spec, Criteria], list[str]]


@pytest.fixture
def sent(session: Session) -> Iterator[Sent]:
    """Every statement from here on."""
    engine, found = session.get_bind(), []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def ask(session: Session, sent: Sent) -> Ask:
    """The plans of every statement that a clerk's list sends for what is asked."""
    fill(session, "sannomiya")
    session.commit()

    def plans(spec: Spec, want: Criteria) -> list[str]:
        sent.clear()
        narrowed = bool(want.filters or want.search)  # otherwise the first 10,001 rows are counted, wherever they stand
        with acting(session, CLERK):
            fetch(session, spec, want)
            key = session.scalar(text(f"SELECT max(id) FROM {spec.model.__tablename__}"))
            fetch(session, spec, want, place=Place(after=key))
        asked = [(words, values) for words, values in sent if "max(id)" not in words and words.startswith(("SELECT", "WITH"))]
        return [line for words, values in asked for line in _explained(session, words, values) if "ORDER BY" in words or narrowed]

    return plans


def _explained(session: Session, statement: str, parameters: Any) -> list[str]:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    connection.exec_driver_sql("SET LOCAL enable_sort = off")
    return [row[0].strip() for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


def full_scans(session: Session, plan: list[str]) -> list[str]:
    found = _FULL[session.get_bind().dialect.name]
    hits = [hit for line in plan if (hit := found.search(line))]
    return [hit.group() for hit in hits if hit.group(1) in metadata.tables and hit.group(1) not in SMALL]


def orders(spec: Spec) -> list[Order | None]:
    """Every order that a list offers, its own first."""
    return [None, *((part.key, way) for part in spec.sortable for way in ("asc", "desc"))]


def deep_pages(session: Session, sent: Sent, spec: Spec, order: Order | None) -> Iterator[list[str]]:
    """The plans of the pages after and before the row that stands in the middle of all that the clerk sees."""
    want = Criteria(order=order)
    rows = fetch(session, spec, want).rows
    for place in (Place(after=rows[len(rows) // 2].id), Place(before=rows[len(rows) // 2].id)):
        sent.clear()
        assert fetch(session, spec, want, place=place).rows, (spec.name, order, place)
        ((words, values),) = [(words, values) for words, values in sent if "ORDER BY" in words]
        yield _explained(session, words, values)


def is_range(session: Session, spec: Spec, plan: list[str]) -> bool:
    """Whether the rows beyond the one that a page follows are the end of an index, and not looked for one by one."""
    hits = [hit for line in plan if (hit := _RANGE[session.get_bind().dialect.name].search(line))]
    belong = [hit for hit in hits if not hit.groups() or hit.group(1) == spec.model.__tablename__]
    return bool(belong) and not any(_CHECKED.search(line) for line in plan)


def value_of(part: Part) -> Any:
    """Something to ask for in a filter."""
    if part.enum:
        return next(iter(part.enum))
    if part.shape in ("date", "moment"):
        return Range(date(2026, 4, 1), date(2026, 4, 30))
    return {"flag": True, "number": Range(1, 2)}.get(part.shape, 1 if part.is_relation else "x")


@pytest.mark.parametrize("spec", LARGE, ids=lambda spec: spec.name)
def test_no_filter_reads_a_table_whole(ask: Ask, session: Session, spec: Spec) -> None:
    for part in spec.filters:
        assert full_scans(session, ask(spec, Criteria(filters={part.key: value_of(part)}))) == [], part.key


@pytest.mark.parametrize("spec", LARGE, ids=lambda spec: spec.name)
def test_every_order_is_read_from_an_index(ask: Ask, session: Session, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a page of a long list ends where the page ends. (A short list may be gathered and sorted.)"""
    monkeypatch.setattr(listing, "COMMON", -1)
    for order in orders(spec):
        plan = ask(spec, Criteria(order=order))
        assert not any(_SORTED[session.get_bind().dialect.name].search(line) for line in plan), (order, plan)


@pytest.mark.parametrize("counters", [{1}, {1, 2}], ids=["one counter", "two counters"])
@pytest.mark.parametrize("spec", LARGE, ids=lambda spec: spec.name)
def test_a_deep_page_begins_where_the_one_before_it_ended(
    sent: Sent, session: Session, spec: Spec, counters: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However deep it lies: whoever walked to it from the top of the list would read every row before it."""
    monkeypatch.setattr(listing, "COMMON", -1)
    for _ in range(3):
        fill(session, "sannomiya")
        fill(session, "shin-nagata")
        session.commit()  # each time a row of the log
    with acting(session, Actor(user_id="staff", counters=frozenset(counters))):
        for order in orders(spec):
            for plan in deep_pages(session, sent, spec, order):
                assert is_range(session, spec, plan), (order, plan)


@pytest.mark.parametrize(
    "spec",
    [spec for spec in LARGE if spec.has_search_key or spec.few_searched or spec.exact_searched],
    ids=lambda spec: spec.name,
)
def test_no_search_reads_a_table_whole(ask: Ask, session: Session, spec: Spec) -> None:
    for typed in ("山田", "山田 太郎", "龘龘", "A1234"):
        assert full_scans(session, ask(spec, Criteria(search=typed))) == [], typed


@pytest.mark.parametrize(
    "counters", [frozenset({1}), frozenset({1, 2}), None], ids=["one counter", "two counters", "every counter"]
)
def test_the_calendar_reads_its_own_days_only(sent: Sent, session: Session, counters: frozenset[int] | None) -> None:
    """Whatever it is narrowed to, the days are a part of an index."""
    fill(session, "sannomiya")
    session.commit()
    first, last, at = date(2026, 12, 1), date(2026, 12, 31), sorted(counters or (1, 2, 3, 4))
    questions: list[dict[str, Any]] = [
        {},
        {"counter": 1},
        {"channel": Channel.WEB},
        {"category": 1},
        {"state": ReservationState.BOOKED},
    ]
    with acting(session, Actor(user_id="staff", counters=counters)):
        for want in [*(Criteria(filters=filters) for filters in questions), Criteria(search="山田")]:
            sent.clear()
            calendar.day(session, at, want, first)
            calendar.days(session, at, want, first, last)
            calendar.visits(session, want, first)
            calendar.counted(session, want, first, last)
            plans = {words: _explained(session, words, values) for words, values in list(sent)}
            assert len(plans) == 4
            for words, plan in plans.items():
                table = "slot" if "FROM slot" in words else "reservation"
                assert full_scans(session, plan) == [] and _is_of_days(session, table, plan), (want, plan)


def _is_of_days(session: Session, table: str, plan: list[str]) -> bool:
    """Whether the days lead to the rows."""
    column = "slot_date" if table == "slot" else "booking_date"
    if session.get_bind().dialect.name == "sqlite":
        return any(re.match(rf"SEARCH {table} USING .*\b{column}[=<>]", line) for line in plan)
    return any(line.startswith("Index Cond:") and column in line for line in plan)
