"""Declarations are checked at start: each mistake has its number, its class and what to do. And the dictionary is up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app import create_app, dictionary, soundness
from app.schema import Spec, specs
from app.soundness import BrokenSchema, check
from config import Settings
from models import Base, BookingCategory, Card, CardNote, CodeItem, DeskPool, Document, FeeRule, Staff


def spoilt(model: Any, spoil: Callable[[Spec], None]) -> list[str]:
    """What is found when one thing about a table is wrong. Works on a reading of its own; the table itself stays as it is."""
    spec = Spec(model)
    spoil(spec)
    return check({model: spec})


def field(key: str, **words: Any) -> Callable[[Spec], None]:
    def change(spec: Spec) -> None:
        spec.parts[key].field = replace(spec.parts[key].field, **words)

    return change


def own(**values: Any) -> Callable[[Spec], None]:
    return lambda spec: spec.__dict__.update(values)


def nothing_listed(spec: Spec) -> None:
    for key in spec.parts:
        field(key, listed=False)(spec)


@pytest.mark.parametrize(
    ("number", "model", "spoil", "words"),
    [
        ("S001", CodeItem, own(label=""), "__label__"),
        ("S001", CodeItem, own(group=""), "__group__"),
        ("S002", CodeItem, field("value", label="名称"), "'名称' is used twice"),
        ("S003", Card, own(scope=("countr",)), "'countr' is not a relation"),
        ("S003", Card, own(scope=("name",)), "'name' is not a relation"),
        ("S004", CodeItem, nothing_listed, "no column is listed"),
        ("S005", Card, field("storage_site", sort=True), "storage_site"),
        ("S005", Card, field("name", sort=True), "name: only required columns"),
        ("S006", FeeRule, field("valid_from", codes="issue_kind"), "valid_from"),
        ("S008", Staff, field("roles", search=True), "roles"),
        ("S009", Card, own(order=("name", "asc")), "name: lists cannot be ordered"),
        ("S010", CodeItem, own(order=("sortorder", "asc")), "'sortorder' is not a column"),
        ("S011", Document, field("registered_date", edit=True), "['registered_date']"),
        ("S012", DeskPool, own(scope=("categories",)), "leads to no counter"),
        ("S013", CodeItem, field("value", pattern=r"\w+"), "needs a hint="),
        ("S014", Card, field("application_no", few=True), "in a table that searches no names"),
        ("S015", DeskPool, own(scope=("counter",)), "a master has no __scope__"),
    ],
)
def test_each_mistake_has_a_number_and_a_place(number: str, model: type[Base], spoil: Callable[[Spec], None], words: str) -> None:
    found = [line for line in spoilt(model, spoil) if line.startswith(number)]
    assert [f"{number} {model.__module__}.{model.__name__}: "] == [line[: line.index(": ") + 2] for line in found]
    assert words in found[0]


def test_two_tables_cannot_have_the_same_name() -> None:
    twin = Spec(CardNote)
    twin.label = "カード"
    found = check({Card: Spec(Card), CardNote: twin})
    assert found == ["S007 models.cards.CardNote: __label__ 'カード' is already used by models.cards.Card"]


def test_our_own_declarations_are_sound() -> None:
    assert check() == []


def test_an_application_with_a_mistake_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "check", lambda: ["S003 models.lost_item.LostItem: __scope__ 'countr' is not a relation"])
    with pytest.raises(BrokenSchema, match="S003 models"):
        create_app("resident", Settings(_env_file=None, secret_key="test " * 10))


def test_the_data_dictionary_has_every_table_and_column() -> None:
    page = dictionary.page()
    for spec in specs().values():
        assert f"## {spec.label}\n" in page
        for part in spec.parts.values():
            assert f"| {part.label} | `{part.fk}` |" in page


def test_every_filter_and_sort_has_an_index_that_begins_with_it() -> None:
    for spec in specs().values():
        table = spec.model.__table__
        led = {next(iter(index.columns)).name for index in table.indexes} | {c.name for c in table.primary_key}
        led |= {
            next(iter(c.columns)).name
            for c in table.constraints
            if getattr(c, "columns", None) and c.__visit_name__ == "unique_constraint"
        }
        led |= {c.name for c in table.columns if c.unique}
        offered = [
            p for p in [*spec.filters, *spec.sortable, *spec.exact_searched] if p.column is not None and p.column.table is table
        ]
        assert [f"{spec.name}.{p.key}" for p in offered if p.column.name not in led] == []


def test_labels_cover_every_column_but_keys_and_hidden_ones() -> None:
    hidden = {"search_key", "id"}
    inner = {
        "form_token",
        "holder",
        "is_extended",
        "leased_until",
        "link_hash",
        "link_until",
        "pickup_ref",
        "notice_hash",
        "cards",
    }  # of a browser, a worker and a ticket: no word about them goes anywhere
    of_fab = {
        "password",
        "created_on",
        "changed_on",
        "created_by_fk",
        "changed_by_fk",
    }  # of accounts; our own log says who and when
    for spec in specs().values():
        keys = {p.fk for p in spec.parts.values()}
        assert {c.key for c in spec.mapper.column_attrs} - keys - hidden - inner - of_fab == set(), spec.name
    assert BookingCategory in specs()
