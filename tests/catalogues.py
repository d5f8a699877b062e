"""What the residents' catalogues have to hold. `python -m tests.catalogues` brings new sentences into them, empty, and takes old ones out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from app import i18n
from booking.tongue import DOMAIN, FOLDER
from config import ROOT
from models import Language

KEYWORDS = {"_": None, "N_": None, "Lazy": None}
OTHERS = [language for language in Language if language is not Language.JA]
HEADER = '# {0}\nmsgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
PLACE = re.compile(r"%\((\w+)\)s")


def sources() -> Iterator[tuple[str, Path]]:
    """(way to read it, file) of everything that may speak to a resident; the pages first, in the order of their names."""
    for path in sorted((ROOT / "booking").rglob("*.html")):
        yield "jinja2", path
    for folder in ("booking", "app"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield "python", path


def wanted() -> dict[str, list[str]]:
    """Every msgid, and the files that say it."""
    found: dict[str, list[str]] = {}
    for method, path in sources():
        for _line, words, _comments, _context in extract_from_file(method, path, keywords=KEYWORDS):
            assert isinstance(words, str)
            places = found.setdefault(words, [])
            if (name := str(path.relative_to(ROOT))) not in places:
                places.append(name)
    return found


def path_of(language: Language) -> Path:
    return FOLDER / language.value / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: Language) -> Catalog:
    path = path_of(language)
    if not path.exists():
        return Catalog()
    with path.open("rb") as words:
        return read_po(words)


def said(language: Language) -> dict[str, str]:
    """Sentence → what it is in a language."""
    return {str(m.id): m.string if isinstance(m.string, str) and not m.fuzzy else "" for m in read(language) if m.id}


def places(words: str) -> list[str]:
    """What a sentence leaves room for, and the marks in it: a translation has the same."""
    return sorted([*PLACE.findall(words), *re.findall(r"</?[a-z][^>]*>", words)])


def write(language: Language, words: Catalog) -> None:
    """One entry after the other, each on its line, without dates or numbers of lines: a change shows what has changed."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        out.write(HEADER.format(language.label).encode())
        write_po(out, words, width=0, include_lineno=False, omit_header=True)


def update() -> None:
    for language in OTHERS:
        old, new = read(language), Catalog(charset="utf-8")
        for words, files in wanted().items():
            known = old.get(words)
            new.add(words, known.string if known else "", locations=[(name, 0) for name in files])
        write(language, new)
        print(f"{language.value}: {sum(not m.string for m in new if m.id)} / {len(new)}")  # noqa: T201 - a tool
    i18n.compile_catalogues(FOLDER)


if __name__ == "__main__":
    update()
