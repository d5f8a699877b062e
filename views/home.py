"""今日: the first page after signing in, with what waits at this person's counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import render_template
from flask_appbuilder import IndexView, expose

from app import audit
from app.context import context
from app.extensions import db
from app.listing import COUNT_CAP, Criteria, Range, capped_count
from app.schema import specs
from models import Card, CardState, Reservation, ReservationState
from views.access import may


@dataclass(frozen=True)
class Tile:
    label: str
    count: str
    href: str


WAITING = (
    (CardState.ARRIVED, "交付前設定待ち"),
    (CardState.PRESET, "通知・発送待ち"),
    (CardState.NOTIFIED, "受取待ち"),
    (CardState.RETURNED, "返戻対応"),
)


class HomeView(IndexView):
    @expose("/")
    def index(self) -> Any:
        audit.declare(db.session(), "panel", "show", "今日")
        return render_template("panel/home.html")


def tiles() -> list[Tile]:
    """Today's visits by state, and cards that wait for a step; each opens its list."""
    today = context(db.session()).local().date()
    found = []
    if may("can_list", "Reservation"):
        for state, label in ((ReservationState.BOOKED, "今日これから来る予約"), (ReservationState.ARRIVED, "今日の来庁済")):
            found.append(_tile(Reservation, label, {"booking_date": Range(today, today), "state": state}))
    if may("can_list", "Card"):
        found += [_tile(Card, label, {"state": state}) for state, label in WAITING]
    return found


def _tile(model: Any, label: str, filters: dict[str, Any]) -> Tile:
    spec = specs()[model]
    count = capped_count(db.session(), spec, Criteria(filters=filters))
    words: dict[str, str] = {}
    for key, value in filters.items():
        if isinstance(value, Range):
            words |= {f"{key}_from": str(value.start), f"{key}_to": str(value.end)}
        else:
            words[key] = str(value.value)
    shown = f"{COUNT_CAP:,}以上" if count > COUNT_CAP else f"{count:,}"
    return Tile(label, shown, f"/{spec.name}/list/?{urlencode(words)}")
