"""`Spec`: the one reading of a model. Screens, files, rights, scope, log and documentation all ask it, and only it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, RelationshipProperty

from app import text
from app.parts import Part
from models import Base, Counter, Field, Staff


class Spec:
    """A model as the generators see it."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.mapper: Mapper[Any] = inspect(model)
        self.name: str = model.__tablename__ if model is not Staff else "staff"
        self.label: str = model.__label__
        self.group: str = model.__group__
        self.area: str = getattr(model, "__area__", "counter_work")
        self.is_master: bool = getattr(model, "__master__", False)
        self.looks_ahead: bool = getattr(model, "__ahead__", False)
        self.append_only: bool = getattr(model, "__append_only__", False)
        self.writable: bool = getattr(model, "__writable__", True)
        self.history: str | None = getattr(model, "__history__", None)
        self.inline_of: str = getattr(model, "__inline_of__", "")
        self.order: tuple[str, str] = getattr(model, "__order__", ("id", "desc"))
        scope = model.__scope__
        self.scope: tuple[str, ...] = () if scope is None else (scope,) if isinstance(scope, str) else tuple(scope)
        read = list(self._read())
        self.parts: dict[str, Part] = {part.key: part for part in read if part.searched_as != "sealed"}
        self.sealed = [part for part in read if part.searched_as == "sealed"]
        """Keyed hashes: a search finds rows by them, and nothing else knows that they are there."""

    def _read(self) -> Iterator[Part]:
        """The parts in the order in which the class declares them."""
        fields: dict[str, Field] = getattr(self.model, "__fields__", {})
        declared = [*fields, *(k for k in list(self.model.__dict__) if k in self.mapper.attrs and k not in fields)]
        for key in declared:
            prop = self.mapper.attrs[key]
            info = prop.info if isinstance(prop, RelationshipProperty) else prop.columns[0].info
            field = fields.get(key) or info.get("field")
            if field:
                yield Part(key, field, prop)

    @property
    def permission(self) -> str:
        """The name rights are given under."""
        return str(self.model.__name__)

    @cached_property
    def listed(self) -> list[Part]:
        return [p for p in self.parts.values() if p.field.listed]

    @cached_property
    def filters(self) -> list[Part]:
        """Parts offered as filters: indexed, and not text. Personal ones never stand in the address."""
        return [
            p for p in self.parts.values() if p.field.search and not p.is_many and (p.is_relation or p.searched_as == "filter")
        ]

    @cached_property
    def name_searched(self) -> list[Part]:
        return [p for p in self.parts.values() if p.searched_as == "name"]

    @cached_property
    def few_searched(self) -> list[Part]:
        return [p for p in self.parts.values() if p.searched_as == "few"]

    @cached_property
    def exact_searched(self) -> list[Part]:
        return [p for p in self.parts.values() if p.searched_as == "exact"]

    @cached_property
    def sortable(self) -> list[Part]:
        return [p for p in self.parts.values() if p.field.sort]

    def typed(self, *, adding: bool) -> list[Part]:
        """Parts that a form or an import may set."""
        if not self.writable:
            return []
        return [p for p in self.parts.values() if p.field.edit is True or (adding and p.field.edit == "add")]

    def sections(self, parts: Iterable[Part]) -> list[tuple[str, list[Part]]]:
        """These parts in the order of the table, under the headings that it declares; the first may have none."""
        found: list[tuple[str, list[Part]]] = []
        wanted, heading = set(parts), ""
        for part in self.parts.values():
            heading = part.field.section or heading
            if part in wanted and (not found or found[-1][0] != heading):
                found.append((heading, []))
            if part in wanted:
                found[-1][1].append(part)
        return found

    @cached_property
    def inner(self) -> list[Part]:
        """The row's number and version, which people quote to whoever looks after the system and need for nothing else; the number
        is told among the rest where lists show it."""
        return [p for p in self.parts.values() if p.key in ("id", "row_stamp") and p not in self.listed]

    @cached_property
    def told(self) -> list[Part]:
        """What the page of a row tells under its headings."""
        return [p for p in self.parts.values() if p not in self.inner]

    @cached_property
    def code_lists(self) -> list[str]:
        return [p.field.codes for p in self.parts.values() if p.field.codes]

    @property
    def has_search_key(self) -> bool:
        return "search_key" in self.mapper.columns

    @property
    def has_version(self) -> bool:
        return self.mapper.version_id_col is not None

    @property
    def version(self) -> Any:
        """The row's version attribute (RowStamp), or None."""
        return getattr(self.model, "row_stamp", None)

    @property
    def acts(self) -> dict[str, str]:
        """Rights beside seeing and editing, with their words."""
        return dict(self.model.__acts__)

    @property
    def has_files(self) -> bool:
        """Whether rows leave and come in as CSV and Excel."""
        return bool(self.model.__files__)

    @property
    def can_add(self) -> bool:
        return self.writable and bool(self.model.__addable__)

    @property
    def can_change(self) -> bool:
        return self.writable and not self.append_only

    @property
    def can_delete(self) -> bool:
        return self.can_change and bool(self.model.__deletable__)

    @cached_property
    def placed_by(self) -> list[Part]:
        """The relations whose counters stand in the search key, so that the index of names knows the scope too: all of a scope that
        leads to counters directly, none of one that leads there through another table."""
        found = [self.parts[name] for name in self.scope]
        return found if self.has_search_key and all(p.target is Counter for p in found) else []

    def is_correctable(self, row: Any) -> bool:
        """What was typed when the row was added may still be put right."""
        return bool(getattr(row, "is_correctable", False))

    def key_of(self, row: Any) -> str:
        """The search key of a row, from its searched texts and its counters. Their keys must be known: a new counter is saved first."""
        words = [getattr(row, p.key) for p in self.name_searched]
        if any(p.is_new_in(row) for p in self.placed_by):
            raise ValueError(f"{self.label}: a counter is saved before what lies at it")
        return text.placed(text.search_key(words), [p.key_in(row) for p in self.placed_by])

    def person_of(self, row: Any) -> str:
        """Whose row it is, for the head of its page."""
        part = next((p for p in self.parts.values() if p.field.pii == "name" and p.field.kind == "name"), None)
        return str(getattr(row, part.key) or "") if part else ""

    def title(self, row: Any) -> str:
        return f"{self.label} {row}"


_specs: dict[Any, Spec] = {}


def specs() -> dict[Any, Spec]:
    """Every model that has screens, by class, in menu order of declaration."""
    known = [m.class_ for m in Base.registry.mappers if not m.class_.__internal__] + [Staff]
    if set(known) != _specs.keys():
        tables = list(Base.metadata.tables)
        found = {m: _specs.get(m) or Spec(m) for m in sorted(known, key=lambda m: tables.index(m.__tablename__))}
        _specs.clear()
        _specs.update(found)
    return dict(_specs)


def code_lists() -> dict[str, str]:
    """The code lists that columns refer to, each called what its first column is called."""
    return _code_lists(tuple(specs().values()))


@cache
def _code_lists(known: tuple[Spec, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for spec in known:
        for part in spec.parts.values():
            if part.field.codes and part.field.codes != "code_list":
                found.setdefault(part.field.codes, part.label)
    return found


def spec_of(model: Any) -> Spec | None:
    return _specs.get(model) or specs().get(model)
