"""`Spec`: the one reading of a model. Screens, files, rights, scope, log and documentation all ask it, and only it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import JSON, Boolean, Date, DateTime, Integer, String, Text, Time, inspect
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Mapper, RelationshipProperty

from app import days, telling, text
from app.context import TOKYO
from app.errors import AppError
from models import Base, Code, Counter, Field, Staff
from models.base import PERSONAL_NUMBER_EXEMPT, UtcDateTime
from models.making import SearchedAs, searched_as

_GROUPED = {"phone": text.phone, "postal": text.postal}
Shape = Literal["many", "relation", "code", "codes", "flag", "moment", "date", "time", "json", "memo", "text", "number"]


class Part:
    """One column or relation of a model: its words, its type and how its values are shown."""

    def __init__(self, key: str, field: Field, prop: Any) -> None:
        self.key, self.field, self.prop = key, field, prop
        self.is_relation = isinstance(prop, RelationshipProperty)
        self.is_many = self.is_relation and bool(prop.uselist)
        own = prop.local_columns if self.is_relation else prop.columns
        self.column: Any = None if self.is_many else next(iter(own))
        self.type: Any = None if self.is_relation else prop.columns[0].type
        self.enum: type[Code] | None = getattr(self.type, "enum_class", None) if isinstance(self.type, EnumType) else None
        self.target: Any = prop.mapper.class_ if self.is_relation else None
        self.nullable = bool(self.column is not None and self.column.nullable)
        self.length: int | None = getattr(self.type, "length", None) if isinstance(self.type, String) else None
        self.searched_as: SearchedAs = "" if self.is_relation else searched_as(self.type, field)
        self.shape: Shape = self._shape()

    def _shape(self) -> Shape:
        """One word for what the value is: what forms, filters and cells choose their widget by."""
        if self.is_many:
            return "many"
        if self.is_relation:
            return "relation"
        if self.enum:
            return "code"
        if self.field.codes:
            return "codes"
        kinds: tuple[tuple[Any, Shape], ...] = (
            (Boolean, "flag"),
            ((UtcDateTime, DateTime), "moment"),
            (Date, "date"),
            (Time, "time"),
            (JSON, "json"),
            (Text, "memo"),
            (String, "memo" if self.field.kind == "memo" else "text"),
            (Integer, "number"),
        )
        return next((word for kind, word in kinds if isinstance(self.type, kind)), "text")

    @property
    def label(self) -> str:
        return self.field.label

    @property
    def fk(self) -> str:
        """The key attribute of a relation (`counter` → `counter_id`); the key itself otherwise."""
        return f"{self.key}_id" if self.is_relation and not self.is_many else self.key

    def key_in(self, row: Any) -> Any:
        """The key that a relation of a row leads to once it is flushed: until then a new object says more than the key."""
        new = inspect(row).attrs[self.key].history.added
        return getattr(new[0], "id", None) if new else getattr(row, self.fk)

    def is_new_in(self, row: Any) -> bool:
        """Whether a row refers to an object that is not stored yet and has no key."""
        new = inspect(row).attrs[self.key].history.added
        return bool(new) and new[0] is not None and new[0].id is None

    @property
    def is_free_text(self) -> bool:
        return self.shape in ("text", "memo", "json") and self.field.kind not in PERSONAL_NUMBER_EXEMPT

    @property
    def required(self) -> bool:
        if self.shape in ("flag", "many"):
            return False
        has_default = self.column is not None and self.column.default is not None
        return not self.nullable and not has_default

    def shown(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value in words, in full. `names` holds the office's code lists: list → value → name."""
        if value is None or value == "":
            return ""
        if self.field.codes and names:
            return names.get(self.field.codes, {}).get(value, str(value))
        if isinstance(value, bool):
            return "はい" if value else "いいえ"
        if isinstance(value, Code):
            return value.label
        if isinstance(value, datetime):
            return f"{value.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}" if value.tzinfo else f"{value:%Y-%m-%d %H:%M:%S}"
        if isinstance(value, date) and self.field.kind == "birth":
            return days.birth_day(value)
        if isinstance(value, date):
            return f"{value:%Y-%m-%d} ({text.WEEKDAYS[value.weekday()]})"
        if isinstance(value, time):
            return f"{value:%H:%M}"
        if isinstance(value, list):
            return "、".join(str(v) for v in value)
        if isinstance(value, str) and self.field.kind in _GROUPED:
            return _GROUPED[self.field.kind](value)
        return str(value)

    def brief(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """In full, but of a recorded event only what happened; the rest is read on its own page."""
        if self.shape == "json" and isinstance(value, dict):
            return telling.headline(value)
        return self.shown(value, names)

    def masked(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value as a list shows it: of personal data only the last part, enough to tell two rows apart."""
        words = self.shown(value, names)
        if self.field.pii is not True or not words:
            return words
        if self.shape == "json":
            return self.brief(value)
        if self.field.kind == "memo":
            return text.HIDDEN
        if self.shape == "date":
            return f"＊-{value:%d}"
        return f"＊{words[-4:]}" if len(words) > 4 else text.HIDDEN

    def logged(self, value: Any, names: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The value as the operation log may keep it: no personal data at all."""
        return text.HIDDEN if self.field.pii and value not in (None, "") else self.shown(value, names)


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
        self.parts: dict[str, Part] = {part.key: part for part in self._read()}

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
    for model in known:
        if model not in _specs:
            _specs[model] = Spec(model)
    return {m: _specs[m] for m in sorted(known, key=_declared)}


def _declared(model: Any) -> int:
    return list(Base.metadata.tables).index(model.__tablename__)


def code_lists() -> dict[str, str]:
    """The code lists that columns refer to, each called what its first column is called."""
    found: dict[str, str] = {}
    for spec in specs().values():
        for part in spec.parts.values():
            if part.field.codes and part.field.codes != "code_list":
                found.setdefault(part.field.codes, part.label)
    return found


def spec_of(model: Any) -> Spec | None:
    return _specs.get(model) or specs().get(model)


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
