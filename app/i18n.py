"""Japanese for what FAB and Flask-Admin leave in English: our own catalogues, compiled at set-up, and no other language.

What residents read in other languages lies in `booking/translations` and is compiled with them; who looks it up is `booking/tongue.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

DIRECTORY = Path(__file__).with_name("translations")
RESIDENTS = DIRECTORY.parents[1] / "booking" / "translations"
LOCALE = "ja_JP"
"""FAB keeps its Japanese under `ja_JP`, the others under `ja`. The longer name finds both; the shorter one would miss FAB's."""


def compile_catalogues(*directories: Path) -> list[Path]:
    """Writes the `.mo` beside each `.po` that is newer; says which. Part of set-up, because compiled files are not committed."""
    written = []
    for source in sorted(found for directory in directories or (DIRECTORY, RESIDENTS) for found in directory.rglob("*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as words:
            catalogue = read_po(words, locale="ja")
        partial = target.with_suffix(f".{os.getpid()}.tmp")  # two that start at once do not write into one file
        with partial.open("wb") as compiled:
            write_mo(compiled, catalogue)
        partial.replace(target)
        written.append(target)
    return written


def init(app: Flask) -> None:
    """Says where our catalogues are, before FAB looks. The residents' pages are Japanese by themselves."""
    app.config.update(
        BABEL_DEFAULT_LOCALE=LOCALE, BABEL_DEFAULT_TIMEZONE="Asia/Tokyo", BABEL_TRANSLATION_DIRECTORIES=str(DIRECTORY)
    )


def always_japanese(app: Flask) -> None:
    """For the staff site, when its views are there. FAB asks session and address for a language and notes the answer in the
    session at every visit; nobody needs to ask. Flask-Admin looks for more words where it is told."""
    app.extensions["babel"].locale_selector = lambda: LOCALE
    for admin in app.extensions.get("admin", ()):
        admin.translations_path = str(DIRECTORY)
