"""A resident who reads another language than Japanese: clicks what the pages call things, and looks for words in the wrong language."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

from booking.language import HTML
from booking.tongue import catalogue
from models import Language
from tests.booking_pages import GOOD, Page, Resident

ATTRIBUTES = ("aria-label", "title", "alt", "placeholder", "data-left-words", "data-over-words")
EMPTY = ("input", "meta", "link", "br", "hr", "path")
LATIN = {**GOOD, "name": "NGUYEN VAN AN", "name_kana": "", "address": "6-5-1 Kano-cho, Chuo-ku, Kobe"}
"""Somebody who writes no Japanese sign."""


class Spoken(HTMLParser):
    """The language of a page, and its words in that language: what says that it is in another one is left out."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.language, self.words = "", ""
        self._silent: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attrs = dict(given)
        if tag == "html":
            self.language = attrs.get("lang") or ""
        elif tag not in EMPTY and (self._silent or attrs.get("lang", self.language) != self.language):
            self._silent.append(tag)
        if not self._silent:
            self.words += " ".join(["", *(value for name, value in given if value and name in ATTRIBUTES)])

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        self.words += "" if self._silent else data


class Guest(Resident):
    """Presses and follows what is called so in their language; is given the Japanese words."""

    def __init__(self, client: FlaskClient, language: Language) -> None:
        super().__init__(client)
        self.language = language

    def called(self, words: str, **values: Any) -> str:
        found = catalogue(self.language).gettext(words)
        return found % values if values else found

    def follow(self, words: str) -> Page:
        return super().follow(self.called(words))

    def send(self, words: str, **changes: str | None) -> Any:
        return super().send(self.called(words), **changes)

    def speak(self, language: Language, **typed: str) -> Page:
        """Chooses a language on the page, as its link or button offers it."""
        name, self.language = language.label, language
        if name in self.page.links:
            return self.open(self.page.links[name])
        answer = super().send(name, **typed)
        self.page = Page(answer)
        return self.open(answer.headers["Location"]) if answer.status_code == 303 else self.page

    @property
    def spoken(self) -> Spoken:
        return Spoken(self.page.html)

    @property
    def is_spoken_to(self) -> bool:
        """Whether the page says that it is in their language."""
        return self.spoken.language == HTML[self.language] and f">{self.language.label}</b>" in self.page.html
