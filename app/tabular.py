"""CSV and Excel in and out of a table, from its Spec: the heading that goes out is the heading that comes in.

Files are safe to open: a cell that a spreadsheet would take for a formula gets a leading apostrophe, which comes off again on
the way in. Personal columns leave only with the right to them.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, Any, Literal

import openpyxl
import xlsxwriter

from app.codes import Lists
from app.errors import AppError
from app.schema import Part, Spec

Format = Literal["csv", "xlsx"]
MIME = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MASK = "＊＊＊"
MAX_LINES = 5_000
MAX_UNPACKED = 50 * 1024 * 1024


class BadFile(AppError):
    """A file that cannot be read at all."""


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
    return guard(part.shown(value, names))


def guard(words: str) -> str:
    return f"'{words}" if words.startswith(FORMULA) else words


def unguard(words: str) -> str:
    return words[1:] if words[:1] == "'" and words[1:].startswith(FORMULA) else words


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
    book, count = xlsxwriter.Workbook(out, safe), 0
    sheet, bold = book.add_worksheet(title[:31]), book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, label in enumerate(heading):
        sheet.write_string(0, column, label, bold)
    for count, line in enumerate(lines, 1):
        for column, words in enumerate(line):
            if words:
                sheet.write_string(count, column, words)
    book.close()
    return count


def read(spec: Spec, name: str, content: bytes) -> list[dict[str, str]]:
    """The lines of a file as column key → text. Headings are the labels of the columns that may be typed."""
    table = _read_xlsx(content) if name.lower().endswith((".xlsx", ".xlsm")) else _read_csv(content)
    heading = next(table, None)
    if not heading or not any(heading):
        raise BadFile("ファイルに見出しの行がありません。1行目に列の名前を入れてください。")
    keys = _keys(spec, heading)
    lines = [{key: unguard(words) for key, words in zip(keys, line, strict=False) if key} for line in table if any(line)]
    if len(lines) > MAX_LINES:
        raise BadFile(f"一度に取り込めるのは{MAX_LINES:,}行までです（このファイルは{len(lines):,}行）。分けて取り込んでください。")
    if not lines:
        raise BadFile("取り込む行がありません。")
    return lines


def _keys(spec: Spec, heading: list[str]) -> list[str]:
    """Which column each heading means; '' for columns of ours that a person cannot set. Unknown ones are refused."""
    typed = {p.label: p.key for p in spec.typed(adding=True)}
    ours = {p.label for p in spec.parts.values()}
    unknown = [h for h in heading if h and h not in ours]
    if unknown:
        raise BadFile(f"知らない列があります: {'、'.join(w[:30] for w in unknown[:5])}。見出しは「{'」「'.join(typed)}」から選んでください。")
    return [typed.get(h, "") for h in heading]


def _read_csv(content: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return iter(list(csv.reader(io.StringIO(text, newline=""), strict=True)))
        except csv.Error as error:
            raise BadFile("CSVの形が壊れています。引用符（\"）の対応を確かめてください。") from error
    raise BadFile("文字コードを読み取れません。UTF-8 か Shift_JIS（CP932）で保存してください。")


def _read_xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as box:
            if sum(entry.file_size for entry in box.infolist()) > MAX_UNPACKED:
                raise BadFile("Excelファイルが大きすぎます。分けて取り込んでください。")
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        return iter([[_excel_words(value) for value in line] for line in sheet.iter_rows(values_only=True, max_row=MAX_LINES + 2)])
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise BadFile("Excelファイルとして読み取れません。.xlsx で保存し直してください。") from error


def _excel_words(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "hour") and hasattr(value, "year"):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
