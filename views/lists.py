"""What a list page shows, worked out before the template: cells in words, filters with their values, links that keep the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import flash, request
from sqlalchemy.orm import Session

from app import audit, codes
from app.criteria import Criteria, Range, must_run_forwards, order_of
from app.errors import AppError
from app.listing import Page, fetch
from app.parts import Part
from app.schema import Spec, spec_of, specs
from views import address
from views.access import may
from views.relations import short_list

LOST = "検索した言葉は、もう残っていません。もう一度入力してください。"


class Cell(NamedTuple):
    """A value in words under its column, with the class of its cell, for a code the word its colour goes by, and where it leads.

    A tuple, so that the template of a list takes four hundred of them apart at once instead of asking each for five attributes.
    """

    part: Part
    words: str
    style: str = ""
    raw: str = ""
    href: str = ""


Rows = list[tuple[Any, list[Cell]]]
"""Rows, each with its cells."""
STYLES = {"number": "number", "flag": "mark"}
FLAGS = {"はい": "○", "いいえ": "—"}


@dataclass(frozen=True)
class Filter:
    """One filter of the bar: its part, its widget and what is chosen."""

    part: Part
    kind: str
    value: str = ""
    start: str = ""
    end: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    words: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.value or self.start or self.end)

    @property
    def is_offered(self) -> bool:
        """A relation to a large table narrows the list only when a link brings it along."""
        return self.kind != "fixed" or self.is_set


@dataclass(frozen=True)
class ListScreen:
    spec: Spec
    want: Criteria
    page: Page
    rows: Rows
    filters: list[Filter]
    size: int
    error: str = ""

    def link(self, **changes: Any) -> str:
        """The address of the same question with some words changed; paging starts anew unless it is what changes."""
        kept = address.meant(self.spec, request.args)
        if (search := request.args.get("s")) and not address.is_lost(self.spec, request.args):
            kept["s"] = search
        return "?" + urlencode(kept | {k: str(v) for k, v in changes.items()})

    @property
    def first(self) -> Any:
        return self.page.rows[0].id if self.page.rows else None

    @property
    def last(self) -> Any:
        return self.page.rows[-1].id if self.page.rows else None

    def sorting(self, part: Part) -> str:
        key, direction = order_of(self.spec, self.want)
        return {"asc": "ascending", "desc": "descending"}[direction] if key == part.key else ""

    def sort_link(self, part: Part) -> str:
        return self.link(order=f"{part.key}.{'asc' if self.sorting(part) == 'descending' else 'desc'}")

    @property
    def is_narrowed(self) -> bool:
        return bool(self.want.search or self.want.filters)


def asked(session: Session, spec: Spec) -> str:
    """Takes a posted question, which may have personal words in it, and gives the end of an address that has none."""
    if address.holds_personal_number(request.form):
        audit.declare(session, spec.name, "list", spec.label, 結果="個人番号のため拒否").personal_number = True
        flash("個人番号（マイナンバー）では検索できません。番号や氏名で検索してください。", "danger")
        return ""
    try:
        return address.query(address.remember(spec, request.form))
    except AppError as refused:
        flash(refused.message, "danger")
        return ""


def read(session: Session, spec: Spec) -> ListScreen:
    """Answers the address of a list, and logs who asked what and which cards were shown."""
    want, size = address.question(spec, request.args), address.size(request.args)
    error = LOST if address.is_lost(spec, request.args) else ""
    act = audit.declare(session, spec.name, "list", spec.label, 条件=address.in_words(session, spec, want))
    act.personal_number = address.holds_personal_number(request.args)
    try:
        must_run_forwards(spec, want)
        page = fetch(session, spec, want, size=size, place=address.place(spec, request.args))
    except AppError as refused:
        page, error = Page(rows=[], count=0, has_previous=False, has_next=False), refused.message
    act.detail.update({"件数": page.count_words} | audit.keys_of(page.rows))
    rows = rows_of(session, spec, page.rows)
    return ListScreen(spec, want, page, rows, [_filter(session, p, want) for p in spec.filters], size, error)


@dataclass(frozen=True, slots=True)
class Column:
    """A listed part, and where its cells lead: the one that names the row to the row, a relation to the record it stands for."""

    part: Part
    names_row: bool = False
    home: str = ""


def columns_of(spec: Spec) -> list[Column]:
    """The columns of a list. What they lead to is asked once, not for every row."""
    naming = next((p for p in spec.listed if not p.is_relation), spec.listed[0])
    led = {p.key: spec.model if p is naming else None if p.is_many else p.target for p in spec.listed}
    return [Column(p, p is naming, _leads(led[p.key])) for p in spec.listed]


def _leads(model: Any) -> str:
    """Where the records of a model stand, for who may open them."""
    spec = spec_of(model) if model else None
    return address.home_of(spec) if spec and not spec.inline_of and may("can_show", spec.permission) else ""


def cell(column: Column, row: Any, names: codes.Lists, *, opened: bool = False) -> Cell:
    """A value in its cell; masked, unless the page is that of an opened record (whose reading is logged)."""
    part = column.part
    value = getattr(row, part.key)
    words = (part.brief if opened else part.masked)(value, names) or part.field.absent
    style, key = STYLES.get(part.shape, ""), None
    if column.names_row:
        words, style, key = words or str(row), f"name {style}".strip(), row.id
    elif column.home and value is not None:
        key = getattr(row, part.fk)
    return Cell(
        part,
        FLAGS.get(words, words) if part.shape == "flag" else words,
        style,
        str(value.value) if part.enum and value is not None else "",
        f"{column.home}/show/{key}" if column.home and key is not None else "",
    )


def _filter(session: Session, part: Part, want: Criteria) -> Filter:
    value = want.filters.get(part.key)
    if address.is_range(part):
        value = value or Range()
        return Filter(part, "range", start=str(value.start or ""), end=str(value.end or ""))
    chosen = "" if value is None else "1" if value is True else "0" if value is False else str(getattr(value, "value", value))
    if part.enum:
        return Filter(part, "choice", chosen, choices=tuple((m.value, m.label) for m in part.enum))
    if part.shape == "flag":
        return Filter(part, "choice", chosen, choices=(("1", "はい"), ("0", "いいえ")))
    if part.shape == "codes":
        return Filter(part, "choice", chosen, choices=tuple(codes.names(session).get(part.field.codes, {}).items()))
    if choices := short_list(session, part):
        return Filter(part, "choice", chosen, choices=tuple(choices))
    row = session.get(part.target, value) if value else None
    return Filter(part, "fixed", chosen, words=str(row) if row is not None else "")


Related = tuple[Spec, str, Page, Rows]
"""A table, the relation by which its rows belong here, the newest of them, and their cells."""


def related(session: Session, spec: Spec, row: Any) -> list[Related]:
    """The newest rows of every table that refers to this one and that the person may list, for the record page."""
    found = []
    for other in specs().values():
        if other.inline_of or other.is_master != spec.is_master or not may("can_list", other.permission):
            continue
        for part in other.filters:
            if part.target is spec.model:
                page = fetch(session, other, Criteria(filters={part.key: row.id}), size=5)
                found.append((other, part.key, page, rows_of(session, other, page.rows, but=part, opened=True)))
    return found


def rows_of(session: Session, spec: Spec, rows: Sequence[Any], *, but: Part | None = None, opened: bool = False) -> Rows:
    """Rows with their cells, without the column that would say the same in every row."""
    columns = [c for c in columns_of(spec) if c.part is not but]
    names = codes.names(session) if any(c.part.field.codes for c in columns) else {}
    return [(row, [cell(c, row, names, opened=opened) for c in columns]) for row in rows]
