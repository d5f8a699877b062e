"""The call centre, as every page and letter names it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CallCenter:
    name: str
    phone: str
    """Digits only."""
    hours: str
    note: str = ""


CALLCENTER = CallCenter(
    name="神戸市マイナンバーコールセンター", phone="0780000000", hours="受付 9時から20時まで", note="（仮の番号）"
)
