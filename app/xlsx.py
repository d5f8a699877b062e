"""The first sheet of an Excel file, read as a stream that keeps nothing but the words of its cells.

An .xlsx is a zip of XML. Fifty kilobytes of it can unpack to gigabytes, name a million styles or put a million cells into one row,
and a library that builds an object of each is then busy for minutes. So sizes are asked before anything is unpacked, everything
read is counted, and what no office ever saved is refused.
"""

from __future__ import annotations

import io
import math
import posixpath
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from xml.parsers import expat

from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from app.errors import BadFile

MAX_UNPACKED = 50 * 1024 * 1024
MAX_ENTRIES = 1_000  # files in the zip
MAX_EVENTS = 2_500_000  # tags and texts: 5,000 lines of thirty columns, each of a word of its own with its reading
MAX_DESCRIBING = 400_000  # of them in what only describes the book: some offices' books have thousands of styles
DEEPEST = 64
LONGEST_TAG = 256 * 1024
LONGEST_CELL = 32_767  # what Excel itself can hold
MAX_COLUMNS = 200
EXACT = 10**15  # Excel keeps fifteen digits of a number and loses the rest without a word

TOO_LARGE = "Excelファイルが大きすぎます。必要な行だけを新しいブックに値で貼り付けるか、CSVで保存して、分けて取り込んでください。"
UNREADABLE = "Excelファイルとして読み取れません。.xlsx で保存し直してください。"

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    LookupError,
    ValueError,
    ArithmeticError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)  # what a file that only looks like Excel's makes the standard library say
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may unpack without end at one call
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # built-in formats, 和暦 among them
_ENTRY = b"PK\x01\x02"

Event = tuple[str, Any]
"""A tag with its attributes as it opens, a tag with None as it closes, or "" with a text."""


def rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row of the first sheet that has a row at all."""
    try:
        if content.count(_ENTRY) > MAX_ENTRIES:
            raise BadFile(TOO_LARGE)
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            yield from _Book(box).rows()
    except _BROKEN as error:
        raise BadFile(UNREADABLE) from error


class _Book:
    """An opened file, and how much of it may still be read."""

    def __init__(self, box: zipfile.ZipFile) -> None:
        entries = box.infolist()
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
            raise BadFile(TOO_LARGE)
        if any(entry.compress_type not in _PACKED for entry in entries):
            raise BadFile(UNREADABLE)
        self.box, self.bytes, self.events = box, MAX_UNPACKED, MAX_EVENTS

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        book = next(path for kind, path in self._links("").values() if kind == "officeDocument")
        links, first, epoch = self._links(book), "", WINDOWS_EPOCH
        for tag, attrs in self._read(book, MAX_DESCRIBING):
            if tag == "workbookPr" and attrs and attrs.get("date1904") in ("1", "true"):
                epoch = MAC_EPOCH
            if tag == "sheet" and attrs and not first:
                kind, path = links[next(value for name, value in attrs.items() if name.endswith(":id"))]
                first = path if kind == "worksheet" else ""
        named = dict(links.values())
        strings = list(_strings(self._read(named["sharedStrings"]))) if "sharedStrings" in named else []
        dates = list(_dates(self._read(named["styles"], MAX_DESCRIBING))) if "styles" in named else []
        yield from _Cells(strings, dates, epoch).rows(self._read(first))

    def _links(self, source: str) -> dict[str, tuple[str, str]]:
        """What a part of the file refers to: id → kind and path within the zip."""
        folder, name = posixpath.split(source)
        return {
            attrs["Id"]: (attrs["Type"].rpartition("/")[2], posixpath.normpath(posixpath.join("/", folder, attrs["Target"]))[1:])
            for tag, attrs in self._read(posixpath.join(folder, "_rels", f"{name}.rels"), MAX_DESCRIBING)
            if tag == "Relationship" and attrs
        }

    def _read(self, name: str, most: int = MAX_EVENTS) -> Iterator[Event]:
        """What stands in a part, event by event, piece by piece."""
        reader, silence = _Reader(), 0
        with self.box.open(name) as part:
            while piece := part.read(64 * 1024):
                found = reader.read(piece)
                silence = 0 if found else silence + len(piece)
                self.bytes, self.events, most = self.bytes - len(piece), self.events - len(found), most - len(found)
                if min(self.bytes, self.events, most) < 0 or silence > LONGEST_TAG:
                    raise BadFile(TOO_LARGE)
                yield from found
        reader.end()


class _Reader:
    """Turns pieces of XML into events. A document type, without which no entity can multiply or point anywhere, is refused."""

    def __init__(self) -> None:
        self.found: list[Event] = []
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = _refuse

    def read(self, piece: bytes) -> list[Event]:
        self.found = []
        self.parser.Parse(piece)
        return self.found

    def end(self) -> None:
        self.parser.Parse(b"", True)

    def _open(self, tag: str, attrs: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadFile(UNREADABLE)
        self.found.append((tag.rpartition(":")[2], attrs))

    def _close(self, tag: str) -> None:
        self.depth -= 1
        self.found.append((tag.rpartition(":")[2], None))

    def _text(self, words: str) -> None:
        self.found.append(("", words))


def _refuse(*_: Any) -> None:
    raise BadFile(UNREADABLE)


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


def _strings(events: Iterable[Event]) -> Iterator[str]:
    """The strings that cells refer to by their number."""
    words = _Words()
    for tag, what in events:
        words.take(tag, what)
        if tag == "si" and what is None:
            yield words.whole()


def _dates(events: Iterable[Event]) -> Iterator[bool]:
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


class _Cells:
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
