"""Declarations checked at start: what is wrong with a model has a number, and the application does not run with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.errors import AppError
from app.schema import Spec, specs
from models import Counter


def check(known: dict[Any, Spec] | None = None) -> list[str]:
    """What is wrong with the declarations, each with its number, class and option; empty when all is well."""
    found: list[str] = []
    names: dict[str, str] = {}
    for spec in (known or specs()).values():
        where = f"{spec.model.__module__}.{spec.model.__name__}"
        found += [f"{number} {where}: {words}" for number, words in _faults(spec)]
        if names.setdefault(spec.label, where) != where:
            found.append(f"S007 {where}: __label__ {spec.label!r} is already used by {names[spec.label]}")
    return found


def _faults(spec: Spec) -> Iterator[tuple[str, str]]:
    if not spec.label or not spec.group:
        yield "S001", "__label__ and __group__ must be set"
    labels = [p.label for p in spec.parts.values()]
    for label in {w for w in labels if labels.count(w) > 1}:
        yield "S002", f"label {label!r} is used twice; imports find columns by their label"
    for name in spec.scope:
        if name not in spec.parts or not spec.parts[name].is_relation:
            yield "S003", f"__scope__ {name!r} is not a relation"
        elif not _leads_to_counter(spec.parts[name].target):
            yield "S012", f"__scope__ {name!r} leads to no counter: nobody with counters of their own would see a row"
    if spec.is_master and spec.scope:
        yield "S015", "a master has no __scope__: every counter chooses from the same rows, and one person keeps them for all"
    if not spec.listed:
        yield "S004", "no column is listed"
    for part in spec.parts.values():
        if part.field.sort and (part.nullable or part.field.pii):
            yield "S005", f"{part.key}: only required columns without personal data can be sorted by"
        if part.field.codes and part.shape != "codes":
            yield "S006", f"{part.key}: codes= needs a text column"
        if part.field.search and part.is_many:
            yield "S008", f"{part.key}: a relation to many cannot be searched"
        if part.field.pii and part.key == spec.order[0]:
            yield "S009", f"{part.key}: lists cannot be ordered by personal data"
        if part.field.few and (part.field.pii or spec.name_searched):
            yield "S014", f"{part.key}: few= is for text without personal data, in a table that searches no names"
        if part.field.pattern and not part.field.hint:
            yield "S013", f"{part.key}: pattern= needs a hint= that says in words what is expected"
    if spec.order[0] not in spec.mapper.columns:
        yield "S010", f"__order__ {spec.order[0]!r} is not a column"
    typed_by_rule = [p.key for p in spec.typed(adding=True) if p.field.auto]
    if typed_by_rule:
        yield "S011", f"{typed_by_rule} are set automatically and cannot be typed"


def _leads_to_counter(model: Any) -> bool:
    return model is Counter or bool(getattr(model, "__scope__", None))


class BrokenSchema(AppError):
    """The declarations do not fit; the application does not start."""

    status = 500


def must_be_sound() -> None:
    if faults := check():
        raise BrokenSchema("\n".join(faults))
