"""One person's browser: it keeps cookies, follows redirects and reads what a form would send.

Every request has a connection of its own, as gunicorn's sync workers serve them; the client does as little as it can, because it
shares the machine with what is measured.
"""

from __future__ import annotations

import re
import socket
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlencode

Fields = dict[str, str]
_COOKIE = re.compile(r"^Set-Cookie: ([^=]+)=([^;\r\n]*)", re.MULTILINE)
_LOCATION = re.compile(r"^Location: ([^\r\n]+)", re.MULTILINE)


class Answer(NamedTuple):
    path: str
    status: int
    location: str
    page: str


class Browser:
    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._port, self._address = port, address
        self._cookies: Fields = {}

    def elsewhere(self, address: str) -> Browser:
        """The same cookies, coming from another address."""
        other = Browser(self._port, address)
        other._cookies = dict(self._cookies)
        return other

    def ask(self, path: str, form: Fields | None = None) -> Answer:
        """Gets a page, or sends a form."""
        body = b"" if form is None else urlencode(form).encode()
        head = (
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            f"X-Forwarded-For: {self._address}\r\nCookie: {'; '.join(f'{n}={v}' for n, v in self._cookies.items())}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self._port), 120) as wire:
            wire.sendall(head.encode() + body)
            answer = b"".join(iter(lambda: wire.recv(65536), b""))
        top, _, page = answer.partition(b"\r\n\r\n")
        headers = top.decode("latin-1")
        self._cookies.update(_COOKIE.findall(headers))
        location = _LOCATION.search(headers)
        return Answer(path, int(headers[9:12]), location.group(1) if location else "", page.decode())

    def open(self, path: str) -> Answer:
        """The page that a path leads to in the end."""
        answer = self.ask(path)
        if answer.status in (302, 303):
            return self.open(answer.location)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.page[:300]}")
        return answer

    def sign_in(self, user: str, password: str) -> Browser:
        form = fields(self.open("/login/").page)
        answer = self.ask("/login/", {**form, "username": user, "password": password})
        if answer.status != 302:
            raise RuntimeError(f"{user} could not sign in: {answer.status}")
        return self


def fields(page: str, kind: str = "") -> Fields:
    """What the form of this class, or else the last one of the page, would send as it stands."""
    return _Forms(page).found[kind]


class _Forms(HTMLParser):
    """Gathers the fields of each form under its classes, and those of the last one under none."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, Fields] = {}
        self._fields: Fields = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attrs = {key: value or "" for key, value in given}
        name, value = attrs.get("name", ""), attrs.get("value", "")
        if tag == "form":
            self._fields = {}
            self.found |= dict.fromkeys(["", *attrs.get("class", "").split()], self._fields)
        elif tag == "input" and name and (attrs.get("type") not in ("checkbox", "radio") or "checked" in attrs):
            self._fields[name] = value
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in attrs or self._select not in self._fields):
            self._fields[self._select] = value
        elif tag == "textarea":
            self._area = name
            self._fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._select = self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._fields[self._area] += data
