"""Small files that would be huge: each takes what a real reader does for every tag, cell or byte, and repeats it without end.

Run as a program with the folder of such files it reads each as an import does, with little memory and little time, and prints the
sentence that a person gets. What is not refused in time dies here instead of taking the machine along.
"""

from __future__ import annotations

import io
import resource
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

MEMORY = 400 * 1024 * 1024  # beyond what the program itself takes
SECONDS = 45  # for all of them, on a slow machine
MB = 1024 * 1024

_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINK = '<Relationship Id="{0}" Type="' + _RELS + '/{0}" Target="{1}"/>'
_PARTS = {
    "_rels/.rels": f"<Relationships>{_LINK.format('officeDocument', 'xl/workbook.xml')}</Relationships>",
    "xl/_rels/workbook.xml.rels": "<Relationships>"
    + _LINK.format("worksheet", "worksheets/sheet1.xml")
    + _LINK.format("styles", "styles.xml")
    + _LINK.format("sharedStrings", "sharedStrings.xml")
    + "</Relationships>",
    "xl/workbook.xml": '<workbook><sheets><sheet name="a" sheetId="1" r:id="worksheet"/></sheets></workbook>',
    "xl/styles.xml": '<styleSheet><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
    "xl/sharedStrings.xml": "<sst><si><t>氏名</t></si><si><t>山田</t></si></sst>",
    "xl/worksheets/sheet1.xml": "<worksheet><sheetData>"
    '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>'
    "</sheetData></worksheet>",
}


def workbook(how: int = zipfile.ZIP_DEFLATED, **parts: str | bytes) -> bytes:
    """A workbook of one name, with some parts of it replaced: `styles=…`, `sheet1=…`."""
    replaced = {next(path for path in _PARTS if path.endswith(f"/{name}.xml")): content for name, content in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as box:
        for path, content in {**_PARTS, **replaced}.items():
            box.writestr(path, content)
    return out.getvalue()


def sheet(rows: str) -> bytes:
    return workbook(sheet1=f"<worksheet><sheetData>{rows}</sheetData></worksheet>")


def _lying() -> bytes:
    """Says of each part that it is small, in the directory and before the part itself."""
    content, true = workbook(styles=b" " * 60 * MB), (60 * MB).to_bytes(4, "little")
    return content.replace(true, (100).to_bytes(4, "little"))


def _crowd() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        for number in range(20_000):
            box.writestr(str(number), b"")
    return out.getvalue()


_HEADING = '<row r="1"><c t="s"><v>0</v></c></row>'


def _repeated() -> bytes:
    """One long word, which every line of a table refers to."""
    strings = f"<sst><si><t>氏名</t></si><si><t>{'x' * 30_000}</t></si></sst>"
    rows = _HEADING + '<row><c t="s"><v>1</v></c></row>' * 4_000
    return workbook(sharedStrings=strings, sheet1=f"<worksheet><sheetData>{rows}</sheetData></worksheet>")


_ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
_ATTRIBUTES = " ".join(f"a{number}=''" for number in range(1_000_000))
BOMBS: dict[str, Callable[[], bytes]] = {
    "a part of sixty megabytes": lambda: workbook(styles=b" " * 60 * MB),
    "sizes that are not true": _lying,
    "a million styles": lambda: workbook(styles=f"<styleSheet><cellXfs>{'<xf/>' * 9_000_000}</cellXfs></styleSheet>"),
    "a million shared strings": lambda: workbook(sharedStrings=f"<sst>{'<si/>' * 9_000_000}</sst>"),
    "a million cells in a row": lambda: sheet(f"<row>{'<c/>' * 12_000_000}</row>"),
    "a million full cells in a row": lambda: sheet(f"<row>{'<c><v>1</v></c>' * 3_000_000}</row>"),
    "a million rows": lambda: sheet("<row/>" * 8_000_000),
    "a million rows of one number": lambda: sheet(_HEADING + '<row r="2"><c><v>1</v></c></row>' * 1_300_000),
    "a cell far to the right": lambda: sheet('<row><c r="ZZZZZZZZZZ1"><v>1</v></c></row>'),
    "a long cell": lambda: sheet(f'<row><c t="inlineStr"><is><t>{"x" * 45 * MB}</t></is></c></row>'),
    "a long shared string": lambda: workbook(sharedStrings=f"<sst><si>{'<t>x</t>' * 5_000_000}</si></sst>"),
    "one word in a million cells": _repeated,
    "a long number": lambda: sheet(f"<row><c><v>{'9' * 30_000}</v></c></row>"),
    "a tag of a million attributes": lambda: workbook(styles=f"<styleSheet {_ATTRIBUTES}/>"),
    "a long comment": lambda: workbook(styles=f"<!--{'-x' * 20 * MB}-->"),
    "a deep nest": lambda: workbook(styles="<a>" * 10_000_000),
    "entities that multiply": lambda: workbook(styles=f"<!DOCTYPE a [{_ENTITIES}]><a>&e9;</a>"),
    "an entity that points outside": lambda: workbook(
        sharedStrings='<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><sst><si><t>&e;</t></si></sst>'
    ),
    "a crowd of files": _crowd,
    "another way of packing": lambda: workbook(zipfile.ZIP_LZMA),
    "a CSV of one long cell": lambda: "氏名\r\n".encode() + b"x" * 19 * MB,
    "a CSV of one quoted cell": lambda: "氏名\r\n".encode() + b'"' + b"x\n" * 9 * MB + b'"',
    "a CSV of a million columns": lambda: "氏名\r\n".encode() + b"a," * 9 * MB,
    "a CSV of a million columns on many lines": lambda: "氏名\r\n".encode() + b'"a\n",' * 3 * MB,
    "a CSV of a million headings": lambda: b"a," * 9 * MB,
    "a CSV of empty lines": lambda: "氏名\r\n".encode() + b"\n" * 19 * MB,
    "a CSV of long lines": lambda: "氏名\r\n".encode() + (b"x" * 30_000 + b"\n") * 600,
}


def main(folder: str) -> None:
    from app import tabular
    from app.errors import BadFile
    from app.schema import specs
    from models import Card

    spec = specs()[Card]
    with Path("/proc/self/statm").open() as taken:
        own = int(taken.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for path in sorted(Path(folder).iterdir()):
        print(path.name, end=": ", flush=True)  # noqa: T201 - to the test
        try:
            print(f"{len(tabular.read(spec, path.read_bytes()))} lines", flush=True)  # noqa: T201 - to the test
        except BadFile as error:
            print(error.message, flush=True)  # noqa: T201 - to the test


if __name__ == "__main__":
    main(sys.argv[1])
