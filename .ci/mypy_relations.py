"""Tells mypy what `relation()` makes: beside `counter: Mapped[Counter] = relation(…)` there is `counter_id: Mapped[int]`."""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import AssignmentStmt, CallExpr, NameExpr
from mypy.plugin import ClassDefContext, Plugin
from mypy.plugins.common import add_attribute_to_class
from mypy.types import AnyType, NoneType, ProperType, Type, TypeOfAny, UnboundType, UnionType, get_proper_type


class Relations(Plugin):
    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        return _add_keys if fullname in ("models.base.Base", "models.masters.Master") else None


def _add_keys(context: ClassDefContext) -> None:
    for statement in context.cls.defs.body:
        if not isinstance(statement, AssignmentStmt) or not isinstance(statement.rvalue, CallExpr):
            continue
        target, made_by = statement.lvalues[0], statement.rvalue.callee
        if isinstance(target, NameExpr) and isinstance(made_by, NameExpr) and made_by.name == "relation":
            add_attribute_to_class(context.api, context.cls, f"{target.name}_id", _key(context, statement.unanalyzed_type))


def _key(context: ClassDefContext, declared: Type | None) -> Type:
    """`Mapped[int]`, or `Mapped[int | None]` when the relation may be empty."""
    number: ProperType | UnionType = context.api.named_type("builtins.int", [])
    if isinstance(declared, UnboundType) and declared.args and isinstance(get_proper_type(declared.args[0]), UnionType):
        number = UnionType([number, NoneType()])
    mapped = context.api.lookup_fully_qualified_or_none("sqlalchemy.orm.base.Mapped")
    return context.api.named_type("sqlalchemy.orm.base.Mapped", [number]) if mapped else AnyType(TypeOfAny.special_form)


def plugin(_version: str) -> type[Plugin]:
    return Relations
