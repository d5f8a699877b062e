"""Rows of 予約枠 while they are changed by the masters or given from one channel to another: added, held, received."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from app.dialects import insert_new, one_at_a_time
from models import Channel, Slot
from models.base import table_of

_SLOT = table_of(Slot)
PIECE = 5000  # rows named in one statement; SQLite allows 32,766 values


class Key(NamedTuple):
    """What makes a row of 予約枠 unique."""

    desk_pool_id: int
    slot_date: date
    start_time: time
    channel: Channel

    @property
    def public(self) -> Key:
        """The row of 公開 at the same desks and time."""
        return self._replace(channel=Channel.WEB)


def alone(session: Session) -> None:
    """Whoever opens or gives away places waits for whoever is doing so; people who book are not held up by it. Until the
    transaction ends, `released` of no row is changed by anybody else."""
    one_at_a_time(session, "slot")


def pieces(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Numbers in their order, as many at a time as a statement takes."""
    ordered = sorted(numbers)
    for at in range(0, len(ordered), PIECE):
        yield ordered[at : at + PIECE]


def hold(session: Session, numbers: Iterable[int]) -> None:
    """Locks rows in the order of their numbers, as everybody does who needs several, so that two wait for one another but never
    both. A statement that changes many rows would lock them as it comes across them."""
    if session.get_bind().dialect.name == "postgresql":
        for some in pieces(numbers):
            rows = select(_SLOT.c.id).where(_SLOT.c.id.in_(some)).order_by(_SLOT.c.id)
            session.execute(rows.with_for_update(key_share=True)).all()


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows that nobody has booked yet; one that another opener was quicker to add is left to it."""
    if rows:
        values = [{**row, "capacity": row["wanted"], "used": 0, "released": 0, "row_stamp": 1} for row in rows]
        session.execute(insert_new(session, _SLOT), values)


def change(session: Session, numbers: Iterable[int], *conditions: ColumnElement[bool], **values: Any) -> dict[int, int]:
    """Changes rows, and says of each what it has given or received by now. `wanted` decides `capacity`: what is used is read by the
    database in the same breath, so that no booking falls between."""
    values["capacity"] = at_least_used(values["wanted"])
    changed: dict[int, int] = {}
    for some in pieces(numbers):
        statement = update(Slot).where(Slot.id.in_(some), *conditions).values(**values).returning(Slot.id, Slot.released)
        options = {"by_rule": "places.change", "synchronize_session": False}
        changed |= {row[0]: row[1] for row in session.execute(statement, execution_options=options)}
    return changed


def receive(session: Session, places: Mapping[int, int]) -> None:
    """Lets rows of 公開 have so many places more (or, below zero, fewer)."""
    by_count: dict[int, list[int]] = defaultdict(list)
    for number, count in places.items():
        by_count[count].append(number)
    for count, numbers in by_count.items():
        change(session, numbers, wanted=Slot.wanted + count, released=Slot.released + count)


def at_least_used(wanted: Any) -> ColumnElement[int]:
    return case((Slot.used > wanted, Slot.used), else_=wanted)
