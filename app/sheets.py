"""The rows of an uploaded CSV or Excel file as words, in bounds that no file can talk us out of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from app import xlsx, xlsx_cells
from app.errors import BadFile

MAX_LINES = 5_000
MAX_ROWS = 1_048_576  # empty ones too; a sheet of Excel has no more
MAX_CHARACTERS = 10_000_000  # of a whole file: two thousand a line
LONGEST_LINE = 100_000  # characters of one line of CSV

Row = tuple[int, list[str]]
"""The number of a row, counted as a spreadsheet does, and its cells without the empty ones at its end."""


def read(content: bytes) -> Iterator[Row]:
    """Every row that holds something. What kind of file it is tells its beginning, not its name."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile(
            "古い形式（.xls）か、パスワードの付いたExcelファイルです。パスワードを付けずに .xlsx で保存し直してください。"
        )
    return _bounded(xlsx.rows(content) if is_excel(content) else _csv(content))


def is_excel(content: bytes) -> bool:
    return content.startswith(b"PK")


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    kept = characters = 0
    for number, cells in rows:
        if number > MAX_ROWS:
            raise BadFile(f"行が多すぎます。{MAX_LINES:,}行までに分けて取り込んでください。")
        filled = _trimmed(cells)
        if not filled:
            continue
        kept, characters = kept + 1, characters + sum(map(len, filled))
        _must_fit(number, filled)
        if kept > MAX_LINES + 1:  # the heading is no line
            raise BadFile(f"一度に取り込めるのは{MAX_LINES:,}行までです。分けて取り込んでください。")
        if characters > MAX_CHARACTERS:
            raise BadFile("ファイルの文字が多すぎます。分けて取り込んでください。")
        yield number, filled


def _must_fit(number: int, cells: list[str]) -> None:
    if len(cells) > xlsx_cells.MAX_COLUMNS:
        raise BadFile(f"{number}行目の列が多すぎます。{xlsx_cells.MAX_COLUMNS}列までにして、もう一度選んでください。")
    if max(map(len, cells)) > xlsx_cells.LONGEST_CELL:
        raise BadFile(f"{number}行目に{xlsx_cells.LONGEST_CELL:,}文字を超えるセルがあります。短くして、もう一度選んでください。")


def _trimmed(cells: list[str]) -> list[str]:
    """A row without the empty cells at its end, which a sheet has as many of as it likes."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _csv(content: bytes) -> Iterator[Row]:
    lines = _Lines(_decoded(content))
    try:
        for number, cells in enumerate(csv.reader(lines, strict=True), 1):
            lines.taken = 0
            yield number, cells
    except csv.Error as error:
        raise BadFile('CSVの形が壊れています。引用符（"）の対応を確かめてください。') from error


def _decoded(content: bytes) -> str:
    if b"\0" in content:
        raise BadFile("CSVかExcel（.xlsx）のファイルではないようです。ファイルを確かめてください。")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("文字コードを読み取れません。UTF-8 か Shift_JIS（CP932）で保存してください。")


class _Lines:
    """The lines of a text for the CSV reader, which would make an object of each of ten million cells before anybody could count
    them: so it gets no more than one line of a table may have. `taken` is set back at each."""

    def __init__(self, text: str) -> None:
        self.text, self.taken = io.StringIO(text, newline=""), 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self.text)
        self.taken += len(line)
        if self.taken > LONGEST_LINE:
            raise BadFile(f'{LONGEST_LINE:,}文字を超える行があります。引用符（"）の対応と、ファイルの形を確かめてください。')
        return line
