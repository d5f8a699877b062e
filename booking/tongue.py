"""Every sentence of a page in its language.

The msgids of the catalogues are the Japanese sentences themselves, so Japanese needs none. Not Flask-Babel: on the staff site FAB owns
it, and it knows no やさしい日本語; for sentences gettext alone is enough.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from flask import request
from markupsafe import Markup, escape

from app.extensions import db
from app.letters import dates
from app.rules import glossary
from app.sentences import N_, Sentence
from booking.language import HTML, current
from models import Language

FOLDER = Path(__file__).with_name("translations")
DOMAIN = "booking"


@lru_cache
def catalogue(language: Language) -> gettext.NullTranslations:
    """Compiled by `make setup`."""
    return gettext.NullTranslations() if language is Language.JA else gettext.translation(DOMAIN, FOLDER, [language.value])


def _(words: str, **values: object) -> str:
    """A sentence in the language of the page; `values` fill its places."""
    return say(Sentence(words, values))


def say(sentence: Sentence | str) -> str:
    """The same for a sentence that comes from below, or was kept."""
    if isinstance(sentence, str):
        return _found(sentence)
    found = _found(sentence.template)
    return found % {name: _shown(value) for name, value in sentence.values.items()} if sentence.values else found


def in_page(words: str, **values: object) -> Markup:
    """The same for a template. The sentences are ours and may hold marks; what is put into them may not."""
    found = Markup(_found(words))  # noqa: S704 - from our own catalogues
    return found % {name: _shown(value) for name, value in values.items()} if values else found


def is_known(sentence: Sentence | str) -> bool:
    """Whether a sentence can be said in the language of the page."""
    words = sentence if isinstance(sentence, str) else sentence.template
    return current() is Language.JA or _found(words) != words


def _found(words: str) -> str:
    return catalogue(current()).gettext(words) if words else ""


def _shown(value: object) -> object:
    if isinstance(value, Sentence):
        return say(value)
    return dates.named(value, current()) if isinstance(value, date) else value


class Lazy:
    """Words that are said when they are shown, in the language that the page then has. For what stands in a class."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return _found(self.words)

    def __bool__(self) -> bool:
        return bool(self.words)


class Office(Lazy):
    """Words that only the office reads: no catalogue holds them."""

    def __str__(self) -> str:
        return self.words


def local(words: str) -> Markup:
    """Words of a master in the language of the page; where there are none, the Japanese ones, marked as such."""
    found = _glossary().get(words)
    return escape(found) if found else japanese(words)


def japanese(words: str) -> Markup:
    """Words that are Japanese, on whatever page."""
    return escape(words) if HTML[current()] == "ja" or not words else Markup('<span lang="ja">{}</span>').format(words)


def local_text(words: str) -> str:
    """The same where no mark can stand: titles, attributes, choices."""
    return _glossary().get(words, words)


def is_local(words: str) -> bool:
    """Whether words of a master are shown in other words than the office's."""
    return words in _glossary()


def _glossary() -> Mapping[str, str]:
    """Every word of the masters in the language of the page, read once."""
    if current() is Language.JA:
        return {}
    key = f"kobe.words.{current().value}"
    found: Mapping[str, str] | None = request.environ.get(key)
    if found is None:
        found = request.environ[key] = glossary.words_in(db.session(), current())
    return found


__all__ = ["DOMAIN", "FOLDER", "N_", "Lazy", "Sentence", "_", "catalogue", "in_page", "is_known", "local", "local_text", "say"]
