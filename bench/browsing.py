"""One person's browser: it keeps cookies, follows redirects and reads what a form would send.

Every request has a connection of its own, unless the browser is told to keep one open as those of people do; the client does as
little as it can, because it shares the machine with what is measured.
"""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

Fields = dict[str, str]
_COOKIE = re.compile(r"^Set-Cookie: ([^=]+)=([^;\r\n]*)", re.MULTILINE)
_LOCATION = re.compile(r"^Location: ([^\r\n]+)", re.MULTILINE)
_LENGTH = re.compile(rb"^Content-Length: ([0-9]+)", re.MULTILINE | re.IGNORECASE)
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_TAG = re.compile(r"<(input|select|option|textarea|button)\b([^>]*)>(?:([^<]*)</textarea>)?")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
TIMEOUT = 120  # seconds for an answer


class Answer(NamedTuple):
    path: str
    status: int
    location: str
    page: str


class Browser:
    def __init__(self, port: int, address: str = "127.0.0.1", *, keeps: bool = False) -> None:
        self._port, self._address, self._keeps = port, address, keeps
        self._cookies: Fields = {}
        self._wire: socket.socket | None = None

    def elsewhere(self, address: str) -> Browser:
        """The same cookies, coming from another address."""
        other = Browser(self._port, address, keeps=self._keeps)
        other._cookies = dict(self._cookies)
        return other

    def ask(self, path: str, form: Fields | None = None) -> Answer:
        """Gets a page, or sends a form. Raises ConnectionError when nobody answers, or not to the end."""
        body = b"" if form is None else urlencode(form).encode()
        head = (
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Connection: {'keep-alive' if self._keeps else 'close'}\r\n"
            f"X-Forwarded-For: {self._address}\r\nCookie: {'; '.join(f'{n}={v}' for n, v in self._cookies.items())}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        top, page = self._sent(head.encode() + body)
        headers = top.decode("latin-1")
        self._cookies.update(_COOKIE.findall(headers))
        location = _LOCATION.search(headers)
        return Answer(path, int(headers[9:12]), location.group(1) if location else "", page.decode())

    def _sent(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer. A kept connection that the server has closed meanwhile is opened once more."""
        if self._wire:
            try:
                return self._exchange(self._wire, request)
            except ConnectionError:
                self.close()
        self._wire = socket.create_connection(("127.0.0.1", self._port), TIMEOUT)
        try:
            return self._exchange(self._wire, request)
        finally:
            if not self._keeps:
                self.close()

    @staticmethod
    def _exchange(wire: socket.socket, request: bytes) -> tuple[bytes, bytes]:
        wire.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += _more(wire)
        top, _, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(top)
        if length is None:
            return top, body + b"".join(iter(lambda: wire.recv(65536), b""))
        while len(body) < int(length[1]):
            body += _more(wire)
        return top, body

    def close(self) -> None:
        if self._wire:
            self._wire.close()
            self._wire = None

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


def _more(wire: socket.socket) -> bytes:
    found = wire.recv(65536)
    if not found:
        raise ConnectionError("the server hung up")
    return found


def fields(page: str, kind: str = "", having: str = "") -> Fields:
    """What a form of the page would send as it stands: the one of this class, the one that has such a field or button, or else the
    last."""
    found: Fields | None = None
    for classes, inside in _forms(page):
        if kind in ("", *classes) and (not having or f'name="{having}"' in inside):
            found = dict(_fields(inside))
    if found is None:
        raise RuntimeError(f"no form {kind or having} on the page")
    return found


def _forms(page: str) -> Iterator[tuple[list[str], str]]:
    """The classes of each form, and what is in it."""
    for attributes, inside in _FORM.findall(page):
        yield _attributes(attributes).get("class", "").split(), inside


def _fields(form: str) -> Iterator[tuple[str, str]]:
    chosen, first = "", False
    for tag, words, inside in _TAG.findall(form):
        attrs = _attributes(words)
        name, value = attrs.get("name", ""), attrs.get("value", "")
        if tag == "input" and name and (attrs.get("type") not in ("checkbox", "radio") or "checked" in attrs):
            yield name, value
        elif tag == "select":
            chosen, first = name, True
        elif tag == "option" and chosen and (first or "selected" in attrs):
            first = False
            yield chosen, value
        elif tag == "textarea" and name:
            yield name, html.unescape(inside).removeprefix("\n")


def _attributes(words: str) -> Fields:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(words)}
