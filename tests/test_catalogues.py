"""Every word that a resident reads is in every catalogue, whole; and none stands in a page or a rule past the catalogues."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from app import days
from app.callcenter import CALLCENTERS
from app.demo import masters, translations
from app.letters import dates, phrases, texts
from app.text import lines
from app.translations_seed import ORDER, PROCEDURES
from config import ROOT
from models import Language, VisitPurpose
from tests import catalogues
from tests.catalogues import OTHERS

KANA = re.compile(r"[\u3041-\u30ff]")
JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
LATIN = (Language.EN, Language.VI)
MARKS = re.compile(r"[、。「」（）：～]")
"""Marks of the width of a Japanese sign."""
OFFICE = ("operating.py", "door.py")
"""Pages of the office, in `booking` because they are the same pages: no resident sees them."""


def leftover(words: str, language: Language) -> str:
    """What of these words is in a language that the page is not in."""
    if language in (Language.JA, Language.EASY):
        return ""
    found = KANA.findall(words) if language is Language.ZH else JAPANESE.findall(words)
    return "".join(found + (MARKS.findall(words) if language in LATIN else []))


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_has_its_words(language: Language) -> None:
    wanted, said = catalogues.wanted(), catalogues.said(language)
    assert set(wanted) - set(said) == set(), "python -m tests.catalogues brings them in"
    assert set(said) - set(wanted) == set(), "python -m tests.catalogues takes them out"
    assert [words for words, called in said.items() if not called.strip()] == []
    assert [words for words, called in said.items() if catalogues.places(words) != catalogues.places(called)] == []
    assert [called for called in said.values() if "%" in catalogues.PLACE.sub("", called)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_word_of_another_language_is_left(language: Language) -> None:
    said = [*catalogues.said(language).values()]
    said += [CALLCENTERS[language].name, CALLCENTERS[language].hours, CALLCENTERS[language].note]
    said += [table[language] for table in (phrases.SENDERS, phrases.NUMBER, phrases.BRING)]
    said += [reason[language] for reason in phrases.REASONS.values()]
    said += [words for _source, at, words in translations.rows() if at is language]
    said += [words[ORDER.index(language)] for words in PROCEDURES.values()]
    assert {words: left for words in said if (left := leftover(words, language))} == {}


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_ends_where_the_japanese_one_does(language: Language) -> None:
    """So that two of them can stand side by side."""
    sentences = {words: called for words, called in catalogues.said(language).items() if words.endswith("。")}
    assert [words for words, called in sentences.items() if not re.search(r"[.。][)）]?$", called)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_word_of_the_demo_s_masters_is_called_something(language: Language) -> None:
    called = {source for source, at, words in translations.rows() if at is language and words.strip()}
    called |= {purpose.label for purpose in PROCEDURES}
    shown = [words for counter in masters.COUNTERS for words in (counter["name"], counter["address"])]
    for category in masters.CATEGORIES:
        shown += [category["name"], category["summary"], *lines(category["required_items"]), *lines(category["notes"])]
    assert [words for words in shown if words not in called] == []
    assert set(PROCEDURES) == set(VisitPurpose)


def test_every_table_of_words_knows_every_language() -> None:
    tables = (CALLCENTERS, dates.STYLES, texts.WORDS, phrases.SENDERS, phrases.NUMBER, phrases.BRING)
    assert all(set(table) == set(Language) for table in tables)
    assert all(set(reasons) == set(OTHERS) for reasons in phrases.REASONS.values())
    latin = dates.STYLES[Language.EN].eras
    assert latin is not None
    assert set(latin) == {name for name, _, _ in days.ERAS}


# -- past the catalogues ----------------------------------------------------------------------------------------------


def is_office(path: Path) -> bool:
    return path.name in OFFICE or path.name.lstrip("_").startswith("operator_")


PAGES = [path for path in sorted((ROOT / "booking").rglob("*.html")) if not is_office(path)]
MODULES = [path for path in sorted((ROOT / "booking").rglob("*.py")) if not is_office(path)]


def unsaid_in(page: str) -> Iterator[str]:
    """Japanese in a template that no catalogue is asked for."""
    tree = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.do"]).parse(page)
    said = {
        id(const)
        for call in tree.find_all(nodes.Call)
        if (isinstance(call.node, nodes.Name) and call.node.name in ("_", "office"))
        or (isinstance(call.node, nodes.Getattr) and call.node.attr == "get")
        for const in call.find_all(nodes.Const)
    }
    for words in tree.find_all((nodes.TemplateData, nodes.Const)):
        text = getattr(words, "data", None) or getattr(words, "value", None)
        if isinstance(text, str) and id(words) not in said and JAPANESE.search(text):
            yield text.strip()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_speaks_past_the_catalogues(path: Path) -> None:
    assert list(unsaid_in(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "page", ["<p>予約</p>", '{{ "予約" }}', '<p title="予約">', '{{ parts.by_phone("お電話") }}', '{% set x = "予約" %}']
)
def test_the_guard_of_pages_notices(page: str) -> None:
    assert list(unsaid_in(page))
    assert not list(unsaid_in('{{ _("予約") }} {{ office("予約") }} {{ detail.get("持ち物") }}'))


SAYING = ("_", "N_", "Lazy", "Office")
FOR_THE_LOG = ("declare", "note", "act", "Actor", "Reason")
READING = ("removeprefix", "startswith", "replace")
"""What takes Japanese as somebody may have typed it."""
TYPED = ("_WARDS", "_ELSEWHERE_CALLED")


def unsaid_by(source: str) -> Iterator[str]:
    """Japanese in a module that no catalogue is asked for: neither said, nor for the log, nor compared with what was typed."""
    tree = ast.parse(source)
    above = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and JAPANESE.search(node.value):
            ancestors = list(_ancestors(node, above))
            if not isinstance(above[node], ast.Expr) and not any(map(_says, ancestors)):
                yield node.value


def _ancestors(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in above:
        node = above[node]
        yield node


def _says(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return name in (*SAYING, *FOR_THE_LOG, *READING)
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in TYPED for t in node.targets)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_of_the_pages_speaks_past_the_catalogues(path: Path) -> None:
    assert list(unsaid_by(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("source", ['X = "予約"', 'f("予約")', 'def f():\n    return f"{x}予約"', 'raise NotFound("ありません")'])
def test_the_guard_of_modules_notices(source: str) -> None:
    assert list(unsaid_by(source))
    assert not list(unsaid_by('"""予約"""\nX = N_("予約")\naudit.note(s, 結果="予約")\n'))


FOR_CLERKS = (
    "このメールは送信待ちです。",
    "正しい日付で入力してください",
    "理由を選んでください。",
    "この予約は、この画面を開いたあとで、ほかの人が別の日時に変更しました。いまの予約を確かめてください。",
)
"""Raised beside what residents meet, where only clerks can come."""


def raised_in(source: str) -> Iterator[str]:
    """Japanese that a rule raises without marking it for the catalogues."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        is_super = isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"
        if isinstance(node, ast.Raise) or is_super:
            marked = {
                id(inner)
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "N_"
                for inner in ast.walk(call)
            }
            for inner in ast.walk(node):
                is_text = isinstance(inner, ast.Constant) and isinstance(inner.value, str)
                if is_text and id(inner) not in marked and JAPANESE.search(inner.value) and inner.value not in FOR_CLERKS:  # type: ignore[attr-defined]
                    yield inner.value  # type: ignore[attr-defined]


def _rules() -> list[Path]:
    """The rules that the pages of residents import, whatever they import themselves."""
    found: set[str] = set()
    left = ["errors", "text", "days", *(name for path in MODULES for name in _imported(path))]
    while left:
        name = left.pop()
        path = ROOT / "app" / f"{name.replace('.', '/')}.py"
        if name not in found and path.exists():
            found.add(name)
            left += [each for each in _imported(path) if each.startswith("rules.")]
    return sorted(ROOT / "app" / f"{name.replace('.', '/')}.py" for name in found)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.rules"):
            inside = (node.module or "").removeprefix("app.rules").lstrip(".")
            yield from ([f"rules.{inside}"] if inside else [f"rules.{alias.name}" for alias in node.names])


@pytest.mark.parametrize("path", _rules(), ids=lambda path: path.name)
def test_no_rule_raises_what_no_catalogue_has(path: Path) -> None:
    assert list(raised_in(path.read_text(encoding="utf-8"))) == []


def test_the_guard_of_rules_notices() -> None:
    assert {"bookings.py", "holds.py", "fairness.py", "drafts.py", "slots.py", "text.py"} <= {path.name for path in _rules()}
    assert list(raised_in('raise NotFound("ありません")'))
    assert list(raised_in('class X(E):\n    def __init__(self):\n        super().__init__(f"{n}件")'))
    assert not list(raised_in('raise NotFound(N_("ありません"))'))
