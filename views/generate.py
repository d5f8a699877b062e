"""Spec in, framework class out: dull on purpose, with no label, rule or right of its own."""

from __future__ import annotations

from typing import Any

from app.schema import Spec
from views.panel import Flushing, PanelView


def panel_view(spec: Spec, base: type[PanelView] = PanelView) -> type[PanelView]:
    """The FAB view of a table. `base` is the door for what the schema cannot say."""
    members: dict[str, Any] = {
        "spec": spec,
        "datamodel": Flushing(spec.model),
        "route_base": f"/{spec.name}",
        "class_permission_name": spec.permission,
        "exclude_route_methods": _left_out(spec, base),
    }
    return type(f"{spec.model.__name__}View", (base,), members)


def _left_out(spec: Spec, base: type[PanelView]) -> set[str]:
    """Routes that make no sense for the table are not there at all."""
    picks = any(p.shape == "relation" for p in spec.typed(adding=True))
    more = {
        "pick": picks,
        "add": spec.can_add,
        "export": spec.has_files,
        "import_": spec.can_add and spec.has_files,
        "edit": spec.can_change,
        "delete": spec.can_delete,
        "delete_selected": spec.can_delete,
    }
    return {*base.exclude_route_methods, *(name for name, wanted in more.items() if not wanted)}
