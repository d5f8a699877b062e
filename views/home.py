"""今日: the first page after signing in, with who comes next and what waits at this person's counters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import render_template
from flask_appbuilder import IndexView, expose
from sqlalchemy import select

from app import audit
from app.context import context
from app.criteria import Criteria, Range
from app.extensions import db
from app.listing import COUNT_CAP, capped_count, shown
from app.schema import specs
from models import Card, CardState, Reservation, ReservationState
from views import lists
from views.access import may


@dataclass(frozen=True)
class Tile:
    label: str
    count: str
    href: str


COMING = 10  # visits shown; the tile above them leads to every one of the day
LATE = timedelta(minutes=30)  # so long after their time people are still looked out for
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
        return render_template("panel/home.html", coming=coming(), reservations=specs()[Reservation])


def coming() -> lists.Rows:
    """Who is expected next at this person's counters today, the earliest first; those a little late too."""
    if not may("can_list", "Reservation"):
        return []
    session, spec = db.session(), specs()[Reservation]
    now = context(session).local()
    since = max(now - LATE, now.replace(hour=0, minute=0)).time()
    expected = select(Reservation).where(
        Reservation.booking_date == now.date(), Reservation.state == ReservationState.BOOKED, Reservation.start_time >= since
    )
    rows = session.scalars(expected.order_by(Reservation.start_time, Reservation.id).limit(COMING).options(*shown(spec))).all()
    audit.note(session, **audit.keys_of(rows))
    return lists.rows_of(session, spec, rows, but=spec.parts["state"])


def _expected() -> dict[str, Any]:
    today = context(db.session()).local().date()
    return {"booking_date": Range(today, today), "state": ReservationState.BOOKED}


def tiles() -> list[Tile]:
    """Today's visits by state, and cards that wait for a step; each opens its list."""
    found = []
    if may("can_list", "Reservation"):
        found.append(_tile(Reservation, "今日の未来庁の予約", _expected()))
        found.append(_tile(Reservation, "今日の来庁済", _expected() | {"state": ReservationState.ARRIVED}))
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
