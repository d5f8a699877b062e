"""One question before every screen: is this person signed in, and have they the right?"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import current_app, g, redirect, request
from flask_login import current_user

from app import edge
from app.errors import Refused

NO_RIGHT = "この操作をする権限がありません。必要なときは、管理者に申し出てください。"


def allowed(permission: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guards a FAB view method: not signed in → the sign-in page; no right → refused and logged."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
            return must_have(f"can_{permission}", self.class_permission_name) or method(self, *args, **kwargs)

        guarded._permission_name = permission  # type: ignore[attr-defined]
        return guarded

    return wrap


def must_have(permission: str, view: str) -> Any:
    """None when the person may go on; the way to the sign-in page otherwise. Without the right it raises."""
    if not current_user.is_authenticated:
        return to_sign_in()
    if not may(permission, view):
        edge.refuse(g.context, f"{view} {permission.removeprefix('can_')}")
        raise Refused(NO_RIGHT)
    return None


def may(permission: str, view: str) -> bool:
    return bool(current_app.appbuilder.sm.has_access(permission, view))  # type: ignore[attr-defined]


def to_sign_in() -> Any:
    """Back to the same page after signing in; a form that was being sent starts again from its page."""
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect("/login/?" + urlencode({"next": back}))
