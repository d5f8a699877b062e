"""How fast the panel answers at full size: median and p95 of 30 requests, one client, over HTTP.

A search is its POST and the list it leads to. Scope, rights and operation log are on, as always: cards and reservations are read
as サテライト職員 (one counter in scope) and the log as 監査.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from bench import figures
from bench.browsing import Browser, fields
from bench.facts import ABSENT, Facts, facts
from bench.figures import COMMON_NAME, FORM, LIST, NONE, SAVE, Figure
from bench.houses import PASSWORD, House
from bench.quiet import Machine
from bench.servers import serving
from models import Card, OperationLog, Reservation

RUNS, WARM = 30, 3
TABLES: dict[Any, tuple[str, str]] = {Card: ("staff", "memo"), Reservation: ("staff", "message"), OperationLog: ("auditor", "")}
"""Who reads each table, and which column they may change."""
CELLS = {
    "一覧の先頭": LIST,
    "9割まで下った頁": LIST,
    "よくある名前で検索": COMMON_NAME,
    "まれな名前で検索": LIST,
    "ない名前で検索": LIST,
    "日付と窓口で絞り込み": LIST,
    "参照": NONE,
    "編集画面": FORM,
    "保存": SAVE,
}
Act = Callable[[], float]
"""Does something, and says how many seconds of it count."""
Figures = dict[tuple[str, Any], Figure]
"""By cell and table."""


def run(house: House, machine: Machine) -> Figures:
    """Serves the staff site on this database and measures every cell of every table."""
    found: Figures = {}
    with serving("deploy.wsgi:staff", house.env) as port:
        for model, (user, column) in TABLES.items():
            with house.engine.connect() as connection:
                aims = facts(connection, model)
            acts = _acts(Browser(port).sign_in(user, PASSWORD), f"/{model.__tablename__}", aims, column)
            found |= {
                (cell, model): machine.at_a_quiet_moment(lambda act=act: measured(act))  # type: ignore[misc]
                for cell, act in zip(CELLS, acts, strict=False)
            }
    return found


def show(found: Figures, before: Figures | None = None) -> str:
    """The table of README; `before` are the figures of fewer years."""

    def words(cell: str, model: Any) -> str:
        figure = found.get((cell, model))
        return figure.words(CELLS[cell], (before or {}).get((cell, model))) if figure else "–"

    rows = [(cell, *(words(cell, model) for model in TABLES)) for cell in CELLS]
    return figures.table([("", *(model.__label__ for model in TABLES)), *rows])


def measured(act: Act) -> Figure:
    for _ in range(WARM):
        act()
    return Figure.of([act() for _ in range(RUNS)])


def _acts(browser: Browser, table: str, at: Facts, column: str) -> list[Act]:
    """What is done in each cell, in their order; a table that nobody may change has no last two."""
    _must_differ(browser, table, f"{table}/list/", f"{table}/list/?after={at.deep}")
    token = fields(browser.open(f"{table}/list/").page)["csrf_token"]
    searches = [_search(browser, table, token, words) for words in (at.common, at.rare, at.absent)]
    edit = f"{table}/edit/{at.row}"
    return [
        get(browser, f"{table}/list/"),
        get(browser, f"{table}/list/?after={at.deep}"),
        *searches,
        get(browser, f"{table}/list/?{at.narrowed}"),
        get(browser, f"{table}/show/{at.row}"),
        *([get(browser, edit), _save(browser, edit, column)] if column else []),
    ]


def _must_differ(browser: Browser, table: str, *paths: str) -> None:
    """A place that is not in the list would show its first page: fast, and no measurement."""
    first, deep = (set(re.findall(rf'href="{table}/show/(\d+)"', browser.open(path).page)) for path in paths)
    if not deep or first & deep:
        raise RuntimeError(f"{paths[1]} is not 90 % down")


def get(browser: Browser, path: str) -> Act:
    def act() -> float:
        begun = time.perf_counter()
        browser.open(path)
        return time.perf_counter() - begun

    return act


def _search(browser: Browser, table: str, token: str, words: str) -> Act:
    """Posts the words and opens the list it leads to, which holds rows exactly when there are some."""

    def act() -> float:
        begun = time.perf_counter()
        page = browser.open(browser.ask(f"{table}/search", {"csrf_token": token, "q": words}).location).page
        taken = time.perf_counter() - begun
        if ("<tbody>" in page) is (words == ABSENT):
            raise RuntimeError(f"{words}: the list holds what it should not, or does not hold what it should")
        return taken

    return act


def _save(browser: Browser, path: str, column: str) -> Act:
    """Changes one free column of a row by its form, each time to another value; fetching the form is no part of saving."""
    numbers = iter(range(10**6))

    def act() -> float:
        form = fields(browser.open(path).page, "record") | {column: f"計測{next(numbers)}"}
        begun = time.perf_counter()
        answer = browser.ask(path, form)
        taken = time.perf_counter() - begun
        if answer.status != 303:
            raise RuntimeError(f"{path} answered {answer.status}")
        return taken

    return act
