"""What a list page shows, worked out before the template: cells in words, filters with their values, links that keep the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import flash, request
from sqlalchemy.orm import Session

from app import audit, codes
from app.errors import AppError
from app.listing import Criteria, Page, Range, fetch, order_of
from app.schema import Part, Spec, specs
from views import address
from views.access import may
from views.fields import short_list

LOST = "検索した言葉は、もう残っていません。もう一度入力してください。"


@dataclass(frozen=True)
class Cell:
    """A value in words, with the class of its cell and, for a code, the word its colour goes by."""

    words: str
    style: str = ""
    raw: str = ""


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
    rows: list[tuple[Any, list[Cell]]]
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
        page = fetch(session, spec, want, size=size, place=address.place(spec, request.args))
    except AppError as refused:
        page, error = Page(rows=[], count=0, has_previous=False, has_next=False), refused.message
    act.detail.update(件数=page.count_words, 申請書ID=[c for row in page.rows if (c := audit.card_of(row))])
    names = codes.names(session) if spec.code_lists else {}
    rows = [(row, [cell(part, row, names) for part in spec.listed]) for row in page.rows]
    return ListScreen(spec, want, page, rows, [_filter(session, p, want) for p in spec.filters], size, error)


def cell(part: Part, row: Any, names: codes.Lists, *, opened: bool = False) -> Cell:
    """A value in its cell; masked, unless the page is that of an opened record (whose reading is logged)."""
    value = getattr(row, part.key)
    words = (part.brief if opened else part.masked)(value, names) or part.field.absent
    return Cell(
        FLAGS.get(words, words) if part.shape == "flag" else words,
        STYLES.get(part.shape, ""),
        str(value.value) if part.enum and value is not None else "",
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


Related = tuple[Spec, str, Page, list[tuple[Any, list[Cell]]]]
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
                names = codes.names(session) if other.code_lists else {}
                shown = [p for p in other.listed if p is not part]
                found.append((other, part.key, page, [(r, [cell(p, r, names, opened=True) for p in shown]) for r in page.rows]))
    return found
