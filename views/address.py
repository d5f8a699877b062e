"""A list's question in its address: readable filters stay there; names, numbers and what else is personal become an opaque id."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import session as browser
from sqlalchemy.orm import Session

from app import codes
from app.context import context
from app.criteria import Criteria, Order, Range, parse, whole
from app.extensions import db
from app.listing import SIZES, Place
from app.parts import Part
from app.schema import Spec, spec_of
from app.searching import must_be_searchable
from app.text import has_personal_number
from views.access import may
from views.relations import short_list

KEPT = 10  # private searches a person may go back to, for each table


def home_of(spec: Spec) -> str:
    """Where a table's screens begin, whichever panel it is on."""
    return f"/masters/{spec.name}" if spec.is_master else f"/{spec.name}"


def list_of(spec: Spec) -> str:
    return f"{home_of(spec)}/" if spec.is_master else f"{home_of(spec)}/list/"


def add_of(spec: Spec) -> str:
    """Where a new row of a table is entered."""
    return f"{home_of(spec)}/new/" if spec.is_master else f"{home_of(spec)}/add"


def opening(spec: Spec) -> str:
    """What a list is opened with from the menu: of rows that lie ahead, those from today on."""
    return query({f"{spec.order[0]}_from": str(context(db.session()).local().date())}) if spec.looks_ahead else ""


def page_of(row: Any) -> str:
    """The record page of a row; nowhere for who may not open it, and for child rows that have no page of their own."""
    spec = spec_of(type(row))
    if spec is None or spec.inline_of or not may("can_show", spec.permission):
        return ""
    return f"{home_of(spec)}/show/{row.id}"


def question(spec: Spec, args: Mapping[str, str]) -> Criteria:
    """The criteria that an address asks for. What it cannot mean is left out, never an error."""
    words = {**{k: v for k, v in args.items() if not is_private(spec, k)}, **_private(spec, args)}
    return Criteria(search=str(words.get("q", "")), filters=_filters(spec, words), order=_order(spec, args.get("order", "")))


def _private(spec: Spec, args: Mapping[str, str]) -> dict[str, str]:
    return recalled(spec.name, args.get("s", ""))


def recalled(where: str, token: str) -> dict[str, str]:
    """The private words kept under an id by this session."""
    found: dict[str, str] = browser.get("searches", {}).get(where, {}).get(token, {})
    return found


def keep(where: str, private: dict[str, str]) -> str:
    """Keeps private words in the session; returns the id that may stand in an address. The same words keep their id."""
    kept = browser.setdefault("searches", {}).setdefault(where, {})
    token: str = next((t for t, words in kept.items() if words == private), None) or secrets.token_urlsafe(9)
    kept[token] = private
    for old in list(kept)[:-KEPT]:
        del kept[old]
    browser.modified = True
    return token


def is_lost(spec: Spec, args: Mapping[str, str]) -> bool:
    """The address names a search that this session does not keep: somebody else's, or one from before signing in again."""
    return bool(args.get("s")) and not _private(spec, args)


def holds_personal_number(words: Mapping[str, str]) -> bool:
    """Whether somebody put a 個人番号 into any box of a search, or into an address."""
    return any(has_personal_number(word) for name, word in words.items() if name != "csrf_token")


def _filters(spec: Spec, words: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in spec.filters:
        if is_range(part):
            start, end = (parse(spec, part.key, words.get(f"{part.key}_{side}")) for side in ("from", "to"))
            if start is not None or end is not None:
                found[part.key] = Range(start, end)
        elif (value := parse(spec, part.key, words.get(part.key))) is not None:
            found[part.key] = value
    return found


def is_range(part: Part) -> bool:
    return part.shape in ("date", "moment", "number")


def is_private(spec: Spec, key: str) -> bool:
    """The search box, and filters on personal columns."""
    if key == "q":
        return True
    part = spec.parts.get(key.removesuffix("_from").removesuffix("_to"))
    return bool(part and part.field.pii)


def _order(spec: Spec, word: str) -> Order | None:
    key, _, direction = word.partition(".")
    if key not in {"id", *(p.key for p in spec.sortable)}:
        return None
    return (key, "asc") if direction == "asc" else (key, "desc") if direction == "desc" else None


def remember(spec: Spec, form: Mapping[str, str]) -> dict[str, str]:
    """Splits a posted search: returns what may stand in the address, with the id under which the rest is kept. Kept is only what
    a search box or a filter can hold, because it stays in the session for hours."""
    must_be_searchable(form.get("q", ""))
    private = {k: v.strip() for k, v in form.items() if v.strip() and is_private(spec, k) and (k == "q" or _means(spec, k, v))}
    readable = meant(spec, form)
    if private:
        readable["s"] = keep(spec.name, private)
    return readable


def meant(spec: Spec, words: Mapping[str, str]) -> dict[str, str]:
    """The words that may stand in an address: filters with a value the column could have, page size and order; nothing else."""
    return {k: v for k, v in words.items() if not is_private(spec, k) and _means(spec, k, v)}


def _means(spec: Spec, key: str, word: str) -> bool:
    if key == "size":
        return word in {str(s) for s in SIZES}
    if key == "order":
        return _order(spec, word) is not None
    ranged = {f"{p.key}_{side}": p.key for p in spec.filters if is_range(p) for side in ("from", "to")}
    plain = {p.key: p.key for p in spec.filters if not is_range(p)}
    return parse(spec, ranged.get(key) or plain.get(key, ""), word) is not None


def query(words: Mapping[str, str]) -> str:
    return "?" + urlencode(words) if words else ""


def size(args: Mapping[str, str]) -> int:
    """Rows a page; anything else than the offered sizes is the middle one."""
    wanted = args.get("size", "")
    return int(wanted) if wanted in {str(s) for s in SIZES} else 50


def place(spec: Spec, args: Mapping[str, str]) -> Place:
    after, before = (whole(args.get(side, ""), spec.model.__table__.c.id.type) for side in ("after", "before"))
    return Place(after=after, before=before, end=args.get("end") == "1")


def in_words(session: Session, spec: Spec, want: Criteria) -> dict[str, str]:
    """The criteria for people and for the operation log: Japanese words; of what is personal only that it was asked for."""
    told = {"検索語": f"{len(want.search)}文字"} if want.search else {}
    for key, value in want.filters.items():
        part = spec.parts[key]
        if isinstance(value, Range):
            told[part.label] = f"{part.logged(value.start)}〜{part.logged(value.end)}"
        else:
            told[part.label] = _named(session, part, value)
    if want.order:
        key, direction = want.order
        label = spec.parts[key].label if key in spec.parts else "登録"
        told["並び"] = f"{label}の{'昇順' if direction == 'asc' else '降順'}"
    return told


def _named(session: Session, part: Part, value: Any) -> str:
    if part.field.pii or not (part.is_relation or part.shape == "codes"):
        return part.logged(value)
    if part.shape == "codes":
        return part.shown(value, codes.names(session))
    known = dict(short_list(session, part))
    return known.get(str(value)) or str(session.get(part.target, value) or value)
