"""One question before every screen: has this person the right? Whether they have signed in, `app.gate` has asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, g

from app import edge, roles
from app.errors import Refused


def allowed(permission: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guards a FAB view method: without the right it is refused, and the refusal logged."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
            must_have(f"can_{permission}", self.class_permission_name)
            return method(self, *args, **kwargs)

        guarded._permission_name = permission  # type: ignore[attr-defined]
        return guarded

    return wrap


def must_have(permission: str, view: str) -> None:
    """Raises when the person has not the right; the row of the log then names it."""
    if not may(permission, view):
        edge.refuse(g.context, roles.words([(permission, view)])[0])
        raise Refused


def may(permission: str, view: str) -> bool:
    return bool(current_app.appbuilder.sm.has_access(permission, view))  # type: ignore[attr-defined]
