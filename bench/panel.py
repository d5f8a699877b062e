"""How fast the panel answers at full size: median and p95 of 30 requests, one client, over HTTP, on both databases.

A search is its POST and the list it leads to. Scope, rights and operation log are on, as always: cards and reservations are read
as サテライト職員 (one counter in scope) and the log as 監査.
"""

from __future__ import annotations

import http.client
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.houses import PASSWORD, House, serving

RUNS, WARM = 30, 3


@dataclass
class Browser:
    """One person's browser on one kept connection."""

    port: int
    cookies: str = ""

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        headers = {"Cookie": self.cookies, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            kept = dict(c.split("=", 1) for c in self.cookies.split("; ") if c) | {name: value}
            self.cookies = "; ".join(f"{k}={v}" for k, v in kept.items())
        return answer.status, answer.headers.get("Location", ""), body

    def sign_in(self, user: str) -> Browser:
        _, _, page = self.ask("GET", "/login/")
        status, _, _ = self.ask("POST", "/login/", {"username": user, "password": PASSWORD, "csrf_token": token(page)})
        assert status in (302, 303), f"{user} could not sign in: {status}"
        return self


def token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, "no form token on the page"
    return found.group(1)


def measured(act: Callable[[], None]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    for _ in range(WARM):
        act()
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), sorted(taken)[int(RUNS * 0.95)]


def get(browser: Browser, path: str) -> Callable[[], None]:
    def act() -> None:
        status, _, body = browser.ask("GET", path)
        assert status == 200, f"{path} answered {status}: {body[:300]}"

    return act


def search(browser: Browser, table: str, words: str, hits: bool) -> Callable[[], None]:
    """Posts the words and opens the list it leads to; the answer must hold rows exactly when there are some."""
    secret = token(browser.ask("GET", f"/{table}/list/")[2])

    def act() -> None:
        status, where, _ = browser.ask("POST", f"/{table}/search", {"csrf_token": secret, "q": words})
        assert status == 303, status
        status, _, body = browser.ask("GET", where)
        assert status == 200, f"{words}: {status}"
        assert ("<tbody>" in body) is hits, f"{words}: the list holds what it should not, or does not hold what it should"

    return act


def save(browser: Browser, path: str, key: str, column: str) -> Callable[[], None]:
    """Changes one free column of a row, as the form would; each time to another value."""
    count = iter(range(10**6))

    def act() -> None:
        _, _, page = browser.ask("GET", path)
        form = dict(fields(page)) | {column: f"計測{next(count)}"}
        start.append(time.perf_counter())
        status, _, body = browser.ask("POST", path, form)
        ends.append(time.perf_counter())
        assert status == 303, f"{path} answered {status}: {re.findall('class=.error.*?<', body)[:3]}"

    start: list[float] = []
    ends: list[float] = []
    act.taken = (start, ends)  # type: ignore[attr-defined]
    return act


def measured_save(act: Callable[[], None]) -> tuple[float, float]:
    """The POST alone: fetching the form before it is not part of saving."""
    for _ in range(WARM + RUNS):
        act()
    start, ends = act.taken  # type: ignore[attr-defined]
    taken = [(b - a) * 1000 for a, b in zip(start, ends, strict=True)][WARM:]
    return statistics.median(taken), sorted(taken)[int(RUNS * 0.95)]


def fields(page: str) -> list[tuple[str, str]]:
    """What a form page would send back unchanged."""
    from html import unescape

    body = page[page.index('class="record"') :]
    found = [
        (n, unescape(v)) for n, v in re.findall(r'<input[^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', body) if "__words" not in n
    ]
    found += [(n, unescape(v)) for n, v in re.findall(r'<textarea[^>]*?name="([^"]+)"[^>]*>([^<]*)</textarea>', body)]
    for name, options in re.findall(r'<select[^>]*?name="([^"]+)"[^>]*>(.*?)</select>', body, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found.append((name, unescape(chosen.group(1)) if chosen else ""))
    boxes = re.findall(r'<input type="checkbox"[^>]*name="([^"]+)"[^>]*value="([^"]*)"( checked)?', body)
    return [(n, v) for n, v in found if n not in {b[0] for b in boxes}] + [(n, v) for n, v, on in boxes if on]


def cells(house: House, port: int) -> list[tuple[str, str, Callable[[], None], Callable[..., tuple[float, float]]]]:
    """(table, cell, act, how it is timed) for every figure of the table."""
    clerk, auditor = Browser(port).sign_in("staff"), Browser(port).sign_in("auditor")
    found = []
    for table, who, key_column in (("card", clerk, "memo"), ("reservation", clerk, "message"), ("operation_log", auditor, "")):
        facts = house.facts(table)
        found += [
            (table, "first page", get(who, f"/{table}/list/"), measured),
            (table, "90 % down", get(who, f"/{table}/list/?after={facts.deep}"), measured),
        ]
        for word, text_, hits in facts.searches:
            found.append((table, f"search {word}", search(who, table, text_, hits), measured))
        found += [
            (table, "filter date + counter", get(who, f"/{table}/list/?{facts.filter}"), measured),
            (table, "show", get(who, f"/{table}/show/{facts.row}"), measured),
        ]
        if key_column:
            edit = f"/{table}/edit/{facts.row}"
            found += [
                (table, "edit form", get(who, edit), measured),
                (table, "save", save(who, edit, table, key_column), measured_save),
            ]
    return found


def run(house: House) -> list[tuple[str, str, float, float]]:
    """Serves the staff site on this database and measures every cell."""
    with serving(house, "staff") as port:
        return [(table, name, *timed(act)) for table, name, act, timed in cells(house, port)]
