"""利用者: staff accounts. Like any table, but without files, and with a one-time link where others have a password."""

from __future__ import annotations

from typing import Any

from views.panel import PanelView


class StaffView(PanelView):
    """Accounts are never deleted or exchanged as files: the log refers to them by name."""

    exclude_route_methods = PanelView.exclude_route_methods | {"export", "import_"}

    def _prefill(self) -> dict[str, Any]:
        return {**super()._prefill(), "active": True}
