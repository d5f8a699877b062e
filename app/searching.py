"""The search box: a number is looked for as a whole, words by their two-character pieces.

PostgreSQL has a GIN index over the pieces, SQLite an FTS5 table (`app.search_index`); both are right for every Japanese name of
two characters, where trigrams are slow on the one and find nothing on the other.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, cast, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from app.errors import AppError, PersonalNumberFound
from app.schema import Spec
from app.text import alnum, fold, has_personal_number, pieces, tidy


class TooShort(AppError):
    def __init__(self) -> None:
        super().__init__("検索する言葉は2文字以上で入力してください。", field="q")


@dataclass(frozen=True)
class Search:
    """What was typed, resolved against a table: rows with a number, rows with the words, or every row."""

    spec: Spec
    dialect: str
    exact: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, spec: Spec, typed: str) -> Search:
        """A number is looked for first; anything else, or a number that is nowhere, among the words."""
        if has_personal_number(typed):
            raise PersonalNumberFound(field="q")
        dialect = session.get_bind().dialect.name
        typed = tidy(typed)
        if not typed:
            return cls(spec, dialect)
        number = alnum(typed)
        if spec.exact_searched and number.isascii() and any(c.isalnum() for c in number):
            found = cls(spec, dialect, exact=_spellings(typed, number))
            if not spec.has_search_key or session.scalar(select(spec.model.id).where(*found.conditions()).limit(1)):
                return found
        if not spec.has_search_key:
            return cls(spec, dialect, exact=(typed,))
        words = _joined([w for w in (fold(word) for word in typed.split()) if w])
        if not words or min(map(len, words)) < 2:
            raise TooShort
        return cls(spec, dialect, words=words)

    def conditions(self, *, walk: bool = False) -> list[ColumnElement[bool]]:
        """What a row must hold. `walk`: so many rows do that meeting them in list order is quicker than the index."""
        if self.exact:
            return [or_(*(getattr(self.spec.model, p.key).in_(self.exact) for p in self.spec.exact_searched))]
        if not self.words:
            return []
        phrases, column = [pieces(word) for word in self.words], self.spec.model.search_key
        if walk:
            return [(column + "").contains(phrase, autoescape=True) for phrase in phrases]
        if self.dialect == "sqlite":
            return [self._in_fts(phrases)]
        wanted = sorted({piece for phrase in phrases for piece in phrase.split()})
        return [_holds(column, wanted), *(column.contains(phrase, autoescape=True) for phrase in phrases if " " in phrase)]

    def _in_fts(self, phrases: list[str]) -> ColumnElement[bool]:
        fts = f"{self.spec.name}_fts"
        hits: Select[Any] = select(literal_column("rowid")).select_from(text(fts)).where(
            text(f"{fts} MATCH :pieces").bindparams(pieces=" AND ".join(f'"{phrase}"' for phrase in phrases)))
        found: ColumnElement[bool] = self.spec.model.id.in_(hits)
        return found


def _spellings(typed: str, number: str) -> tuple[str, ...]:
    """A number as our rules store it, and as somebody may have typed it where any spelling is kept (D-0001a)."""
    return tuple(dict.fromkeys((number, number.lower(), typed, unicodedata.normalize("NFKC", typed))))


def _joined(words: list[str]) -> tuple[str, ...]:
    """One-character words (浅野　蓮) have no piece of their own: they are looked for together with the word beside them."""
    found: list[str] = []
    for word in words:
        if found and (len(word) < 2 or len(found[-1]) < 2):
            found[-1] += word
        else:
            found.append(word)
    return tuple(found)


def _holds(column: Any, wanted: list[str]) -> ColumnElement[bool]:
    return func.string_to_array(column, literal_column("' '"), type_=ARRAY(Text)).op("@>")(cast(wanted, ARRAY(Text)))
