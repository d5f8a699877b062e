"""The first sheet of an Excel file, read as a stream that keeps nothing but the words of its cells.

An .xlsx is a zip of XML. Fifty kilobytes of it can unpack to gigabytes, name a million styles or put a million cells into one row,
and a library that builds an object of each is then busy for minutes. So sizes are asked before anything is unpacked, everything
read is counted, and what no office ever saved is refused.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

from app.errors import BadFile
from app.xlsx_cells import Cells, Event, dates_of, strings_of

MAX_UNPACKED = 50 * 1024 * 1024
MAX_ENTRIES = 1_000  # files in the zip
MAX_EVENTS = 2_500_000  # tags and texts: 5,000 lines of thirty columns, each of a word of its own with its reading
MAX_DESCRIBING = 400_000  # of them in what only describes the book: some offices' books have thousands of styles
DEEPEST = 64
LONGEST_TAG = 256 * 1024

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
_ENTRY = b"PK\x01\x02"


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
        strings = list(strings_of(self._read(named["sharedStrings"]))) if "sharedStrings" in named else []
        dates = list(dates_of(self._read(named["styles"], MAX_DESCRIBING))) if "styles" in named else []
        yield from Cells(strings, dates, epoch).rows(self._read(first))

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
