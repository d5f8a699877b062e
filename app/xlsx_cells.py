"""The words of an Excel sheet's cells, from the events of its parts: shared strings, which styles show dates, and the cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import from_excel

from app.errors import BadFile

LONGEST_CELL = 32_767  # what Excel itself can hold
MAX_COLUMNS = 200
EXACT = 10**15  # Excel keeps fifteen digits of a number and loses the rest without a word
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # built-in formats, 和暦 among them

Event = tuple[str, Any]
"""A tag with its attributes as it opens, a tag with None as it closes, or "" with a text."""


class _Words:
    """Gathers the text of a cell or shared string. Readings above kanji (rPh) are no part of it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length, self.is_open, self.is_reading = 0, False, False

    def take(self, tag: str, what: Any) -> None:
        if tag == "":
            if self.is_open:
                self.pieces.append(what)
                self.length += len(what)
                if self.length > LONGEST_CELL:
                    raise BadFile(f"{LONGEST_CELL:,}文字を超えるセルがあります。短くして、もう一度選んでください。")
        elif tag == "rPh":
            self.is_reading = what is not None
        elif tag in ("t", "v"):
            self.is_open = what is not None and not self.is_reading

    def whole(self) -> str:
        """The text so far; the next one begins anew."""
        words = "".join(self.pieces)
        self.pieces.clear()
        self.length = 0
        return words


def strings_of(events: Iterable[Event]) -> Iterator[str]:
    """The strings that cells refer to by their number."""
    words = _Words()
    for tag, what in events:
        words.take(tag, what)
        if tag == "si" and what is None:
            yield words.whole()


def dates_of(events: Iterable[Event]) -> Iterator[bool]:
    """For each style that cells refer to by its number, whether it shows a date."""
    formats: dict[str, str] = {}
    within = False
    for tag, attrs in events:
        if tag == "numFmt" and attrs:
            formats[attrs["numFmtId"]] = attrs["formatCode"]
        elif tag == "cellXfs":
            within = attrs is not None
        elif tag == "xf" and within and attrs is not None:
            key = attrs.get("numFmtId", "0")
            yield is_date_format(formats[key]) if key in formats else int(key) in _DATES


class Cells:
    """Turns the events of a sheet into rows of words."""

    def __init__(self, strings: list[str], dates: list[bool], epoch: datetime) -> None:
        self.strings, self.dates, self.epoch = strings, dates, epoch

    def rows(self, events: Iterable[Event]) -> Iterator[tuple[int, list[str]]]:
        number, cells, cell, words = 0, list[str](), dict[str, str](), _Words()
        for tag, what in events:
            words.take(tag, what)
            if tag == "row" and what is not None:
                number, cells = int(what.get("r", number + 1)), []
            elif tag == "row":
                yield number, cells
            elif tag == "c" and what is not None:
                cell = what
            elif tag == "c":
                _put(cells, cell.get("r", ""), self._told(number, cell, words.whole()))
            elif tag == "sheetData" and what is None:
                return

    def _told(self, number: int, cell: dict[str, str], raw: str) -> str:
        """A cell's content as a person would type it."""
        kind = cell.get("t", "n")
        if not raw:
            return ""
        if kind == "b":
            return "はい" if raw == "1" else "いいえ"
        if kind == "n":
            style = int(cell.get("s", 0))
            return _number(number, raw, self.epoch if style < len(self.dates) and self.dates[style] else None)
        words = self.strings[int(raw)] if kind == "s" else raw
        return words.replace("_x000D_", "").replace("_x005F_", "_")  # how Excel writes a line's end, and an underscore before x


def _put(cells: list[str], place: str, words: str) -> None:
    """Puts words where the cell says it stands ("AB12"), or after the one before it. Empty cells may stand anywhere."""
    if not words:
        if not place:
            cells.append("")
        return
    column = _column(place) if place else len(cells)
    if not 0 <= column < MAX_COLUMNS:
        raise BadFile(f"列が多すぎます。{MAX_COLUMNS}列までにして、もう一度選んでください。")
    cells.extend([""] * (column + 1 - len(cells)))
    cells[column] = words


def _column(place: str) -> int:
    """ "A1" → 0, "AB12" → 27."""
    found = 0
    for letter in place[:4].rstrip("0123456789"):
        found = found * 26 + ord(letter) - ord("A") + 1
    return found - 1


def _number(line: int, raw: str, epoch: datetime | None) -> str:
    """A number in words; `epoch` is where its days are counted from if it is shown as a date."""
    value = float(raw)
    if epoch is not None:
        try:
            moment = from_excel(value, epoch)
        except (OverflowError, ValueError):
            return raw  # no date at all: the form says so, with the line and the column
        return f"{moment:%Y-%m-%d}" if isinstance(moment, datetime) else str(moment)
    if abs(value) >= EXACT or not math.isfinite(value):
        raise BadFile(
            f"{line}行目に15桁を超える数値のセルがあります。Excelは下の桁を失っています。セルの表示形式を「文字列」にして、番号を入れ直してください。"
        )
    return str(int(value)) if value.is_integer() else str(value)
