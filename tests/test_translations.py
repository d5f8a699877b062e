"""No word of FAB or Flask-Admin reaches a screen in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import flask_admin
import flask_appbuilder
import pytest
from babel.messages.extract import extract_from_dir
from babel.support import Translations
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import Domain, get_locale  # type: ignore[import-untyped]

from app import i18n

KEYWORDS = {
    "_": None,
    "__": None,
    "gettext": None,
    "lazy_gettext": None,
    "_gettext": None,
    "lazy_formatter_gettext": None,
    "ngettext": (1, 2),
    "_ngettext": (1, 2),
}


def words(package: ModuleType) -> Iterator[str | tuple[str, str]]:
    folder = str(Path(str(package.__file__)).parent)
    for _file, _line, found, _comments, _context in extract_from_dir(
        folder, [("**.py", "python"), ("**.html", "jinja2")], keywords=KEYWORDS
    ):
        if isinstance(found, tuple):
            yield str(found[0]), str(found[1])
        elif re.search(r"[A-Za-z]", re.sub(r"%\(\w+\)s", "", found or "")):
            yield str(found)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    i18n.compile_catalogues()


def test_every_word_of_fab_is_japanese(staff_app: Flask) -> None:
    with staff_app.test_request_context("/"):
        catalogue = Domain().get_translations()  # read anew: the site's own may have been read before it was compiled
        assert [w for w in words(flask_appbuilder) if isinstance(w, str) and catalogue.ugettext(w) == w] == []


def test_every_word_of_flask_admin_is_japanese(staff_app: Flask) -> None:
    from flask import g
    from flask_admin.babel import CustomDomain

    with staff_app.test_request_context("/masters/"):
        g._admin_view = staff_app.extensions["admin"][0].index_view
        catalogue = CustomDomain().get_translations()
        missing = [w for w in words(flask_admin) if isinstance(w, str) and catalogue.ugettext(w) == w]
        missing += [w[0] for w in words(flask_admin) if isinstance(w, tuple) and catalogue.ungettext(*w, 2) in w]
    assert missing == []


def test_our_words_are_none_that_they_have_already(staff_app: Flask) -> None:
    """What a new version translates itself is thrown out here."""
    theirs = Translations.load(str(Path(str(flask_appbuilder.__file__)).parent / "translations"), ["ja_JP"], "messages")
    ours = Translations.load(str(i18n.DIRECTORY), ["ja"], "messages")
    assert [w for w in map(str, ours._catalog) if w and theirs.ugettext(w) != w] == []


@pytest.mark.parametrize("address", ["/login/", "/login/?_l_=en", "/login/?_l_=fr"])
def test_the_language_is_always_japanese(staff_app: Flask, address: str) -> None:
    client: FlaskClient = staff_app.test_client()
    with client:
        answer = client.get(address, headers={"Accept-Language": "en-GB,en"})
        assert str(get_locale()) == "ja_JP"
        assert '<html lang="ja">' in answer.text


def test_compiling_again_writes_nothing(tmp_path: Path) -> None:
    source = tmp_path / "ja" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Add"\nmsgstr "登録"\n', encoding="utf-8"
    )
    assert [p.name for p in i18n.compile_catalogues(tmp_path)] == ["messages.mo"]
    assert i18n.compile_catalogues(tmp_path) == []
    assert Translations.load(str(tmp_path), ["ja_JP"], "messages").ugettext("Add") == "登録"
