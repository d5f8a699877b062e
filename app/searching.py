"""The search box: a number is looked for as a whole or by its first digits, words by their two-character pieces.

PostgreSQL has a GIN index over the pieces, SQLite an FTS5 table (`app.search_index`); both are right for every Japanese name of
two characters, where trigrams are slow on the one and find nothing on the other.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, cast, false, func, literal_column, or_, select, text
from sqlalchemy.orm import Session

from app import plans
from app.context import context
from app.errors import AppError, PersonalNumberFound
from app.keys import keys_of
from app.schema import Spec
from app.text import alnum, fold, has_personal_number, pieces, place, tidy
from models.base import table_of

MOST_VALUES = 30  # names that one search may mean at once
LONGEST = 100  # characters of a search
FEWEST_DIGITS = 4  # of the beginning of a number


class TooShort(AppError):
    def __init__(self) -> None:
        super().__init__("検索する言葉は2文字以上で入力してください。", field="q")


class TooLong(AppError):
    def __init__(self) -> None:
        super().__init__(f"検索する言葉は{LONGEST}文字以内で入力してください。", field="q")


class TooMany(AppError):
    def __init__(self) -> None:
        super().__init__("当てはまる名前が多すぎます。もう少し長い言葉で検索してください。", field="q")


Where = list[ColumnElement[bool]]
"""Conditions that must all hold."""


@dataclass(frozen=True)
class Search:
    """What was typed, resolved against a table: rows with a number, rows with the words, or every row.

    `marks`: by column, the keyed hashes that the number would have there. `beginning`: the first digits of a number.
    `counters`: the scope that the index of names answers along with the words (`Spec.placed_by`); None leaves it to `app.scope`.
    `values`: for a column with few different values, those that hold the words.
    """

    spec: Spec
    dialect: str
    exact: tuple[str, ...] = ()
    marks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    beginning: str = ""
    words: tuple[str, ...] = ()
    counters: frozenset[int] | None = None
    values: tuple[str, ...] | None = None

    @classmethod
    def of(cls, session: Session, spec: Spec, typed: str) -> Search:
        """A number is looked for first, then what begins with its digits; anything else among the words."""
        must_be_searchable(typed)
        dialect = session.get_bind().dialect.name
        typed = tidy(typed)
        if not typed:
            return cls(spec, dialect)
        has_words = spec.has_search_key or bool(spec.few_searched)
        number = alnum(typed)
        if spec.exact_searched and number.isascii() and any(c.isalnum() for c in number):
            found = cls(spec, dialect, exact=_spellings(typed, number), marks=_marks(session, spec, number))
            if session.scalar(select(spec.model.id).where(*found.conditions()).limit(1)) is not None:
                return found
            if number.isdecimal() and len(number) >= FEWEST_DIGITS:
                return cls(spec, dialect, beginning=number)
            if not has_words:
                return found
        if not has_words:
            return cls(spec, dialect, exact=(typed,))
        words = _joined([w for w in (fold(word) for word in typed.split()) if w])
        if not words or (len(words[0]) < 2 and not spec.has_search_key):
            raise TooShort
        if spec.has_search_key:
            return cls(spec, dialect, words=words, counters=context(session).actor.counters if spec.placed_by else None)
        return cls(spec, dialect, values=_values_with(session, spec, words))

    @property
    def is_scoped(self) -> bool:
        """The conditions hold the scope already."""
        return bool(self.words) and self.counters is not None

    def branches(self, *, walk: bool = False) -> list[Where]:
        """Conditions one set of which must hold. Each set is read in the order of the list from an index of its own, where their
        alternative ("this name or that one") would have to be gathered and sorted."""
        if self.values is None:
            return [self.conditions(walk=walk)]
        column = getattr(self.spec.model, self.spec.few_searched[0].key)
        return [[column == value] for value in self.values] or [[false()]]

    def _found_in(self, column: Any, phrase: str) -> ColumnElement[bool]:
        """Not LIKE, which PostgreSQL takes for rare: it would read the whole table instead of meeting the rows in their order."""
        return (func.instr if self.dialect == "sqlite" else func.strpos)(column, phrase) > 0

    def conditions(self, *, walk: bool = False) -> Where:
        """What a row must hold. `walk`: so many rows do that meeting them in list order is quicker than the index."""
        if self.beginning:
            return [or_(*(_begins(getattr(self.spec.model, p.key), self.beginning) for p in self.spec.exact_searched))]
        if self.exact:
            columns = [(p.key, self.exact) for p in self.spec.exact_searched]
            return [or_(false(), *(getattr(self.spec.model, key).in_(values) for key, values in (*columns, *self.marks)))]
        if self.values is not None:
            return [getattr(self.spec.model, self.spec.few_searched[0].key).in_(self.values)]
        if not self.words:
            return []
        phrases, column = [pieces(word) for word in self.words], self.spec.model.search_key
        if walk:
            return [self._found_in(" " + column + " ", f" {phrase} ") for phrase in phrases]
        places = sorted(map(place, self.counters or ()))
        if self.is_scoped and not places:
            return [false()]
        if self.dialect == "sqlite":
            return [self._in_fts(phrases, places)]
        wanted = sorted({piece for phrase in phrases for piece in phrase.split()})
        return [
            _holds(column, "@>", wanted),
            *([_holds(column, "&&", places)] if places else []),
            *(column.contains(phrase, autoescape=True) for phrase in phrases if " " in phrase),
        ]

    def _in_fts(self, phrases: list[str], places: list[str]) -> ColumnElement[bool]:
        found: ColumnElement[bool] = self.spec.model.id.in_(self._hits(phrases, places))
        return found

    def _hits(self, phrases: list[str], places: list[str]) -> Select[Any]:
        fts = f"{self.spec.model.__tablename__}_fts"
        wanted = [_quoted(phrases, " AND "), *([_quoted(places, " OR ")] if places else [])]
        return (
            select(literal_column("rowid").label("rowid"))
            .select_from(text(fts))
            .where(text(f"{fts} MATCH :pieces").bindparams(pieces=" AND ".join(wanted)))
        )

    def keys(self) -> Select[Any] | None:
        """The keys of every hit from SQLite's index of names alone, which need not be looked up in the table to be counted; None
        where the index does not tell it all."""
        places = sorted(map(place, self.counters or ()))
        if (
            self.dialect != "sqlite"
            or not self.words
            or (self.counters is None and self.spec.scope)
            or (self.is_scoped and not places)
        ):
            return None
        return self._hits([pieces(word) for word in self.words], places)

    def among(self, keys: str, *, walk: bool) -> ColumnElement[bool]:
        """The rows with these keys, a JSON array (SQLite): one value, whose statement is the same however many there are."""
        found: ColumnElement[bool] = plans.column(self.spec.model.id, walk=walk).in_(
            select(func.json_each(keys).table_valued("value").c.value)
        )
        return found


def numbered(session: Session, spec: Spec, number: str) -> ColumnElement[bool]:
    """The rows that have this number, as it is stored or as a keyed hash of it."""
    columns = [(p.key, (number,)) for p in spec.exact_searched]
    return or_(false(), *(getattr(spec.model, key).in_(values) for key, values in (*columns, *_marks(session, spec, number))))


def _marks(session: Session, spec: Spec, number: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (part.key, tuple(keys_of(session).marks(part.key, number)))
        for part in spec.sealed
        if re.fullmatch(part.field.pattern, number)
    )


def must_be_searchable(typed: str) -> None:
    """Says no before anything is done with the words: looked for, kept for the way back, or counted."""
    if len(typed) > LONGEST:
        raise TooLong
    if has_personal_number(typed):
        raise PersonalNumberFound(field="q")


def _quoted(phrases: list[str], between: str) -> str:
    quoted = [f'"{phrase}"' for phrase in phrases]
    return f"({between.join(quoted)})"


def _values_with(session: Session, spec: Spec, words: tuple[str, ...]) -> tuple[str, ...]:
    """The different values of a column that hold all the words. Their index is asked for the next value again and again,
    instead of being read from end to end."""
    column = table_of(spec.model).c[spec.few_searched[0].key]
    known = select(func.min(column).label("value")).cte("known", recursive=True)
    known = known.union_all(
        select(select(func.min(column)).where(column > known.c.value).scalar_subquery()).where(known.c.value.is_not(None))
    )
    every = session.scalars(select(known.c.value).where(known.c.value.is_not(None)))
    found = tuple(value for value in every if all(word in fold(value) for word in words))
    if len(found) > MOST_VALUES:
        raise TooMany
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


def _begins(column: Any, digits: str) -> ColumnElement[bool]:
    """Numbers that begin with these digits, as a range that their index answers in any collation; LIKE asks for one of its own."""
    beyond = digits.rstrip("9")
    until = [column < f"{beyond[:-1]}{int(beyond[-1]) + 1}"] if beyond else []
    found: ColumnElement[bool] = and_(column >= digits, *until)
    return found


def _holds(column: Any, operator: str, wanted: list[str]) -> ColumnElement[bool]:
    """All (@>) or one (&&) of the pieces, asked of the index over them."""
    return func.string_to_array(column, literal_column("' '"), type_=ARRAY(Text)).op(operator, is_comparison=True)(
        cast(wanted, ARRAY(Text))
    )
