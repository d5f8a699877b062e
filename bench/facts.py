"""Where the benches of the panel aim in a house: a row, a place far down, names by how common they are, a day at a counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.criteria import Criteria, order_columns, order_of
from app.schema import specs
from models import Card, Counter, OperationLog, Reservation

COMMON, ABSENT = "翔太", "龘龘"
_PLACE: dict[type, tuple[Any, Any]] = {
    Card: (Card.issue_site_id, Card.application_date),
    Reservation: (Reservation.counter_id, Reservation.booking_date),
}
"""The columns that a list is narrowed to a counter and a day by."""


@dataclass(frozen=True)
class Facts:
    row: int
    deep: int  # the row that 90 % of those in the list come before
    common: str
    rare: str
    absent: str
    narrowed: str  # the parameters of a list narrowed to a day, and to a counter or a class of acts


def facts(connection: Connection, model: Any) -> Facts:
    first, last = connection.execute(select(func.min(model.id), func.max(model.id))).one()
    middle = (first + last) // 2
    return _of_log(connection, first, last, middle) if model is OperationLog else _of(connection, model, middle)


def _of(connection: Connection, model: Any, middle: int) -> Facts:
    """What the clerk of 三宮 may see."""
    place, day = _PLACE[model]
    here = connection.scalar(select(Counter.id).where(Counter.code == "sannomiya"))
    mine = select(model.id).where(place == here)
    deep = _deep(connection, model, mine)
    row = connection.scalar(mine.order_by(model.id.desc()).limit(1)) or 0
    at = connection.scalar(mine.with_only_columns(day).where(model.id >= middle).order_by(model.id).limit(1))
    rare = connection.scalar(mine.with_only_columns(model.name).group_by(model.name).order_by(func.count(), model.name).limit(1))
    return Facts(row, deep, COMMON, rare or "", ABSENT, f"{_day(day, at)}&{place.key.removesuffix('_id')}={here}")


def _deep(connection: Connection, model: Any, mine: Select[Any]) -> int:
    """Found by counting, which no list does: it takes as long as that takes."""
    spec, every = specs()[model], Criteria()
    down = order_of(spec, every)[1] == "desc"
    ordered = mine.order_by(*(c.desc() if down else c.asc() for c in order_columns(spec, every)))
    count = connection.scalar(select(func.count()).select_from(mine.subquery())) or 0
    return connection.scalar(ordered.offset(count * 9 // 10).limit(1)) or 0


def _of_log(connection: Connection, first: int, last: int, middle: int) -> Facts:
    """The auditor, who sees every row, newest first, searches by who acted."""
    deep = first + (last - first) // 10
    often = select(OperationLog.user_name).group_by(OperationLog.user_name).order_by(func.count().desc())
    names = connection.scalars(often).all()
    at = connection.scalar(select(OperationLog.started_at).where(OperationLog.id == middle))
    return Facts(last, deep, names[0], names[-1], ABSENT, f"{_day(OperationLog.started_at, at)}&action_class=edit")


def _day(column: InstrumentedAttribute[Any], at: date | None) -> str:
    return f"{column.key}_from={at:%Y-%m-%d}&{column.key}_to={at:%Y-%m-%d}"
