"""A staff page as a person sees it: its words, its tables, its forms, and sending a form as the browser would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

from tests.conftest import csrf_token

Fields = dict[str, list[str]]
_VOID = {"input", "br", "hr", "img", "link", "meta"}


class _Reader(HTMLParser):
    """Gathers forms with what each would post, and the cells of tables."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[tuple[dict[str, str], Fields]] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._select = self._area = ""
        self._inside = 0
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attrs = {key: value or "" for key, value in given}
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            self.forms.append((attrs, {}))
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        elif tag == "select":
            self._select = attrs.get("name", "")
        elif tag == "textarea":
            self._area = attrs.get("name", "")
            self._put(self._area, "")
        elif tag == "option" and self._select:
            if "selected" in attrs:
                self.forms[-1][1][self._select] = [attrs.get("value", "")]
            else:  # a browser sends the first option when none is selected
                self.forms[-1][1].setdefault(self._select, [attrs.get("value", "")])
        elif tag == "input" and attrs.get("name") and self._is_sent(attrs):
            self._put(attrs["name"], attrs.get("value", ""))

    @staticmethod
    def _is_sent(attrs: dict[str, str]) -> bool:
        kind = attrs.get("type")
        return kind not in ("submit", "button", "file") and (kind not in ("checkbox", "radio") or "checked" in attrs)

    def _put(self, name: str, value: str) -> None:
        if self.forms and "form" in self._open:
            self.forms[-1][1].setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][1][self._area][-1] += data
        if "script" in self._open or "style" in self._open or "template" in self._open:
            return
        self.words.append(data)
        if {"td", "th"} & set(self._open) and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def words(page: str) -> str:
    """Everything a reader sees, on one line."""
    return re.sub(r"\s+", " ", "".join(_Reader(page).words))


def table(page: str) -> list[list[str]]:
    """Lines of every table, heading first, as trimmed cells."""
    return [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in _Reader(page).rows]


def shown(page: str) -> set[str]:
    """Names on a list of cards."""
    heading, *lines = table(page)
    return {line[heading.index("氏名")] for line in lines}


def form(page: str, kind: str = "record") -> Fields:
    """What the form of this class would post if it were sent as it stands."""
    return next(fields for attrs, fields in _Reader(page).forms if kind in attrs.get("class", "").split())


def complaints(page: str) -> dict[str, str]:
    """What stands at the fields of a form, by field."""
    return {name: unescape(sentence) for name, sentence in re.findall(r'<p class="error" id="([^"]+)-error">(.*?)</p>', page)}


def token(person: FlaskClient) -> str:
    """The anti-forgery token of this person's pages."""
    found: str = person.__dict__.get("_token") or csrf_token(person.get("/password/").text)
    person.__dict__["_token"] = found
    return found


def post(person: FlaskClient, path: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Posts fields with the person's token."""
    return person.post(path, data={"csrf_token": token(person), **(fields or {}), **more})


def fill(person: FlaskClient, path: str, **typed: Any) -> Any:
    """Opens a form, types over what it holds, and sends all of it."""
    return post(person, path, {**form(person.get(path).text), **typed})


def find(person: FlaskClient, table_name: str, typed: str, **more: Any) -> Any:
    """Types into the search box of a list and follows to the answer."""
    return person.get(post(person, f"/{table_name}/search", q=typed, **more).headers["Location"])


def ids(page: str, table_name: str) -> list[int]:
    """Keys of the rows a list shows, in order, each once."""
    return list(dict.fromkeys(int(key) for key in re.findall(rf'href="/{table_name}/show/(\d+)"', page)))


def link(page: str, rel: str) -> str | None:
    """Where 'next' or 'prev' leads."""
    found = re.search(rf'rel="{rel}" href="([^"]*)"', page)
    return found.group(1).replace("&amp;", "&") if found else None


_REFUSED = re.compile(
    r"""<style\b|<script\b(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|\sstyle\s*=\s*["']|javascript:|gstatic|(?:https?:|["'])//(?!localhost\b)""",
    re.IGNORECASE,
)


def refused_by_policy(html: str) -> list[str]:
    """What a page may not hold: a handler, a style or a script written into it, and anything of another host."""
    return [found.group().strip() for found in _REFUSED.finditer(html)]
