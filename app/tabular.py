"""CSV and Excel in and out of a table, from its Spec: the heading that goes out is the heading that comes in.

Files are safe to open: a cell that a spreadsheet would take for a formula gets a leading apostrophe, which comes off again on
the way in. Personal columns leave only with the right to them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, Literal

import xlsxwriter

from app import sheets
from app.codes import Lists
from app.errors import BadFile
from app.parts import Part
from app.schema import Spec
from app.text import HIDDEN, has_personal_number

Format = Literal["csv", "xlsx"]
MIME = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell must not begin with: a spreadsheet would calculate it (a Japanese one takes the full-width signs too)."""
MASK = HIDDEN
MAX_EXCEL = 1_048_575  # rows of a sheet below the heading

Line = tuple[int, dict[str, str]]
"""A line of a file: its number, counted as a spreadsheet does, and column key → text."""


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
    if part.field.kind in ("phone", "postal", "visit"):
        return guard(value or "")  # in one piece, as other systems take them
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
    """The lines of a file. Headings are the labels of the columns that may be typed."""
    table = sheets.read(content)
    _, heading = next(table, (1, []))
    if not heading:
        raise BadFile("ファイルに見出しの行がありません。1行目に列の名前を入れてください。")
    keys = _keys(spec, [words.strip() for words in heading])
    lines = [(number, _line(number, keys, cells)) for number, cells in table]
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
