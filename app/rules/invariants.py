"""What must be true of bookings whatever was killed and whenever: each a statement that counts what breaks it.

`flask invariants` asks them all; so does every race and kill of the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.context import TOKYO
from models import Reservation, ReservationState, Slot
from models.base import table_of
from models.bookings import HOLDING

_SLOT, _RESERVATION = table_of(Slot), table_of(Reservation)
_GRACE = timedelta(hours=2)  # hourly work may be late by one round


@dataclass(frozen=True)
class Finding:
    """A rule in words, and how many rows break it."""

    rule: str
    broken: int


def check(session: Session, now: datetime) -> list[Finding]:
    connection = session.connection()
    return [Finding(rule, connection.scalar(statement) or 0) for rule, statement in _rules(now).items()]


def _rules(now: datetime) -> dict[str, Select[Any]]:
    today = now.astimezone(TOKYO).date()
    slot, made = _SLOT.c, _RESERVATION.c
    return {
        "予約枠の予約数は、予約の使用枠数の合計と同じ": _miscounted(),
        "予約枠の予約数は0以上、定員以下": _count(_SLOT).where(or_(slot.used < 0, slot.used > slot.capacity)),
        "予約枠の定員は、希望定員と予約数の大きい方": _count(_SLOT).where(
            slot.capacity != case((slot.wanted > slot.used, slot.wanted), else_=slot.used)
        ),
        "ほかの経路が公開へ渡した枠の数は、公開が受けた枠の数と同じ": _unbalanced(),
        "予約の日時と窓口は、予約枠と同じ": _count(_RESERVATION.join(_SLOT, slot.id == made.slot_id)).where(
            or_(
                made.booking_date != slot.slot_date,
                made.start_time != slot.start_time,
                made.end_time != slot.end_time,
                made.counter_id != slot.counter_id,
            )
        ),
        "過ぎた日の予約は、予約済のまま残っていない": _count(_RESERVATION).where(
            made.state == ReservationState.BOOKED, made.booking_date < today - timedelta(days=1)
        ),
        "仮押えは、期限のあとに残っていない": _count(_RESERVATION).where(
            made.state == ReservationState.HELD, made.held_until < now - _GRACE
        ),
        "来庁済の予約にだけ来庁日時がある": _count(_RESERVATION).where(
            (made.state == ReservationState.ARRIVED) != made.arrived_at.is_not(None)
        ),
    }


def _count(rows: Any) -> Select[Any]:
    return select(func.count()).select_from(rows)


def _unbalanced() -> Select[Any]:
    """Times of a desk pool at which more or less was received than given."""
    slot = _SLOT.c
    at = (slot.desk_pool_id, slot.slot_date, slot.start_time)
    times = select(*at).where(slot.released != 0).group_by(*at).having(func.sum(slot.released) != 0)
    return _count(times.subquery("times"))


def _miscounted() -> Select[Any]:
    """Places are counted once for all slots: asking slot by slot would take minutes at full size."""
    made = _RESERVATION.c
    taken = (
        select(made.slot_id, func.sum(made.units).label("units"))
        .where(made.state.in_(HOLDING))
        .group_by(made.slot_id)
        .subquery("taken")
    )
    both = _SLOT.outerjoin(taken, taken.c.slot_id == _SLOT.c.id)
    return _count(both).where(_SLOT.c.used != func.coalesce(taken.c.units, 0))
