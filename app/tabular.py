"""CSV and Excel in and out of a table, from its Spec: the heading that goes out is the heading that comes in.

Files are safe to open: a cell that a spreadsheet would take for a formula gets a leading apostrophe, which comes off again on
the way in. Personal columns leave only with the right to them.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any, Literal
from xml.etree.ElementTree import ParseError

import openpyxl
import xlsxwriter

from app.codes import Lists
from app.errors import AppError
from app.schema import Part, Spec
from app.text import has_personal_number

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
)  # what openpyxl raises at files that only look like Excel's
Format = Literal["csv", "xlsx"]
MIME = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell must not begin with: a spreadsheet would calculate it (a Japanese one takes the full-width signs too)."""
MASK = "＊＊＊"
MAX_LINES = 5_000
MAX_UNPACKED = 50 * 1024 * 1024
MAX_EXCEL = 1_048_575  # rows of a sheet below the heading
MAX_COLUMNS = 200
EXACT = 10**15  # Excel keeps fifteen digits of a number and loses the rest without a word

Line = tuple[int, dict[str, str]]
"""A line of a file: its number, counted as a spreadsheet does, and column key → text."""


class BadFile(AppError):
    """A file that cannot be read at all. `told` is what the operation log may know of it: nothing that stands in the file."""

    def __init__(self, message: str, *, told: str = "") -> None:
        super().__init__(message)
        self.told = told or message


def columns(spec: Spec) -> list[Part]:
    return [p for p in spec.parts.values() if p.shape != "many"]


def write(out: IO[bytes], format_: Format, spec: Spec, rows: Iterable[Any], *, names: Lists, personal: bool) -> int:
    """Writes heading and rows; returns how many rows. `personal` False leaves ＊＊＊ in personal columns."""
    parts = columns(spec)
    lines = ([_cell(p, getattr(row, p.key), names, personal=personal) for p in parts] for row in rows)
    heading = [p.label for p in parts]
    return _write_csv(out, heading, lines) if format_ == "csv" else _write_xlsx(out, heading, lines, spec.label)


def _cell(part: Part, value: Any, names: Lists, *, personal: bool) -> str:
    if part.field.pii and not personal:
        return MASK if value not in (None, "", {}) else ""
    if part.shape == "date" and value:
        return str(value.isoformat())
    if part.shape == "json":
        return guard(json.dumps(value, ensure_ascii=False)) if value else ""
    if part.field.kind in ("phone", "postal"):
        return guard(value or "")  # digits, as other systems take them
    return guard(part.shown(value, names))


def guard(words: str) -> str:
    """Puts an apostrophe before what would be calculated, and one more before what already looks guarded: so it comes off exactly."""
    return f"'{words}" if words.lstrip("'").startswith(FORMULA) else words


def unguard(words: str) -> str:
    return words[1:] if words.startswith("'") and words.lstrip("'").startswith(FORMULA) else words


def _write_csv(out: IO[bytes], heading: list[str], lines: Iterator[list[str]]) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)  # with a mark, or Excel guesses CP932
    writer, count = csv.writer(text), 0
    writer.writerow(heading)
    for line in lines:
        writer.writerow(line)
        count += 1
    text.flush()
    text.detach()
    return count


def _write_xlsx(out: IO[bytes], heading: list[str], lines: Iterator[list[str]], title: str) -> int:
    safe = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    count = 0
    with xlsxwriter.Workbook(out, safe) as book:  # closed whatever happens: it keeps its rows in a file of its own
        sheet, bold = book.add_worksheet(title[:31]), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, label in enumerate(heading):
            sheet.write_string(0, column, label, bold)
        for count, line in enumerate(lines, 1):
            if count > MAX_EXCEL:
                raise BadFile(f"Excelには{MAX_EXCEL:,}行までしか入りません。条件で絞り込むか、CSVで出力してください。")
            for column, words in enumerate(line):
                if words:
                    sheet.write_string(count, column, words)
    return count


def read(spec: Spec, content: bytes) -> list[Line]:
    """The lines of a file. Headings are the labels of the columns that may be typed; what kind of file it is tells its beginning."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile(
            "古い形式（.xls）か、パスワードの付いたExcelファイルです。パスワードを付けずに .xlsx で保存し直してください。"
        )
    table = _read_xlsx(content) if content.startswith(b"PK") else _read_csv(content)
    heading = _trimmed([words.strip() for words in next(table, [])])
    if not heading:
        raise BadFile("ファイルに見出しの行がありません。1行目に列の名前を入れてください。")
    keys = _keys(spec, heading)
    lines = [(number, _line(number, keys, line)) for number, line in enumerate(table, 2) if any(line)]
    if len(lines) > MAX_LINES:
        raise BadFile(f"一度に取り込めるのは{MAX_LINES:,}行までです。分けて取り込んでください。")
    if not lines:
        raise BadFile("取り込む行がありません。")
    return lines


def _line(number: int, keys: list[str], line: list[str]) -> dict[str, str]:
    if any(line[len(keys) :]):
        raise BadFile(f"{number}行目に、見出しのない値があります。列の数を見出しに合わせてください。")
    return {key: unguard(words) for key, words in zip(keys, line, strict=False) if key}


def _keys(spec: Spec, heading: list[str]) -> list[str]:
    """Which column each heading means; '' for columns of ours that a person cannot set. Unknown and double ones are refused."""
    typed = {p.label: p.key for p in spec.typed(adding=True)}
    ours = {p.label for p in spec.parts.values()}
    unknown = [h for h in heading if h not in ours]
    if unknown:  # perhaps the first line is no heading but somebody's data
        names = "、".join(MASK if has_personal_number(w) else w[:30] or "（空）" for w in unknown[:5])
        raise BadFile(
            f"知らない列があります: {names}。1行目の見出しは「{'」「'.join(typed)}」から選んでください。",
            told=f"知らない列が{len(unknown)}つ",
        )
    if twice := {h for h in heading if heading.count(h) > 1}:
        raise BadFile(f"同じ列が2つあります: {'、'.join(sorted(twice))}。")
    return [typed.get(h, "") for h in heading]


def _read_csv(content: bytes) -> Iterator[list[str]]:
    if b"\0" in content:
        raise BadFile("CSVかExcel（.xlsx）のファイルではないようです。ファイルを確かめてください。")
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return iter(list(csv.reader(io.StringIO(text, newline=""), strict=True)))
        except csv.Error as error:
            raise BadFile('CSVの形が壊れています。引用符（"）の対応を確かめてください。') from error
    raise BadFile("文字コードを読み取れません。UTF-8 か Shift_JIS（CP932）で保存してください。")


def _read_xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            if sum(entry.file_size for entry in box.infolist()) > MAX_UNPACKED:
                raise BadFile("Excelファイルが大きすぎます。分けて取り込んでください。")
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        rows = sheet.iter_rows(values_only=True, max_row=MAX_LINES + 2, max_col=MAX_COLUMNS)
        return iter([_trimmed([_excel_words(number, value) for value in row]) for number, row in enumerate(rows, 1)])
    except _UNREADABLE as error:
        raise BadFile("Excelファイルとして読み取れません。.xlsx で保存し直してください。") from error


def _trimmed(cells: list[str]) -> list[str]:
    """A row without the empty cells at its end, which a sheet has as many of as it likes."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _excel_words(number: int, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, int | float) and abs(value) >= EXACT:
        raise BadFile(
            f"{number}行目に15桁を超える数値のセルがあります。Excelは下の桁を失っています。セルの表示形式を「文字列」にして、番号を入れ直してください。"
        )
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("_x000D_", "").replace("_x005F_", "_")  # how Excel writes a line's end, and an underscore before x
