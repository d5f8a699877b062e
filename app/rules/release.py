"""Timed release: what コールセンター, 窓口 and 予備 have not used by a set time before the visit goes to 公開.

What has moved stands in `slot.released` of both rows, so that it is moved once: the masters' own number stays known, and opening
places again neither takes it back nor adds it twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.context import TOKYO
from app.rules import places
from app.rules.places import Key
from app.schema import specs
from models import Channel, Counter, DeskPool, Slot

_KEY = (Slot.desk_pool_id, Slot.slot_date, Slot.start_time, Slot.channel)
_UNUSED = Slot.wanted - Slot.used
GIVING = (Channel.CALLCENTER, Channel.COUNTER, Channel.RESERVE)


class Row(NamedTuple):
    """A row that has places to give."""

    number: int
    released: int
    counter_id: int
    end_time: time
    key: Key


def hours_before(pool: DeskPool, channel: Channel) -> int | None:
    """How long before a time what is left of a channel goes to 公開; None: never."""
    return {
        Channel.CALLCENTER: pool.callcenter_release_hours,
        Channel.COUNTER: pool.counter_release_hours,
        Channel.RESERVE: pool.reserve_release_hours,
    }.get(channel)


def release_places(session: Session, now: datetime) -> int:
    """Moves the unused places of every time that is near enough, and says how many. Running it again moves nothing.

    Who books at the same moment is not kept from it: how many places are unused is what the UPDATE finds, not what was read before.
    """
    places.alone(session)
    giving = _due(session, now)
    if not giving:
        return 0
    public = _public(session, giving)
    places.hold(session, {*(row.number for row in giving), *public.values()})
    given = places.change(
        session, [row.number for row in giving], Slot.wanted > Slot.used, wanted=Slot.used, released=Slot.released - _UNUSED
    )
    received: dict[int, int] = defaultdict(int)
    for row in giving:
        received[public[row.key.public]] += row.released - given.get(row.number, row.released)
    places.receive(session, received)
    moved = sum(received.values())
    if moved:
        audit.tell(session, specs()[Slot], "edit", 公開へ移した枠=moved, 時間帯=len(received))
    return moved


def _due(session: Session, now: datetime) -> list[Row]:
    """Rows with unused places, of times that have not begun and are near enough."""
    near = list(_near(session, now))
    if not near:
        return []
    found = session.execute(
        select(Slot.id, Slot.released, Slot.counter_id, Slot.end_time, *_KEY)
        .where(Slot.wanted > Slot.used, Slot.slot_date >= now.astimezone(TOKYO).date(), ~_begins_by(now), or_(*near))
        .order_by(Slot.id)
        .execution_options(unscoped=True)
    )
    return [Row._make((*row[:4], Key._make(row[4:]))) for row in found]


def _near(session: Session, now: datetime) -> Iterator[ColumnElement[bool]]:
    """For each desk pool and channel that gives places away, the rows that begin within its hours."""
    for pool in session.scalars(select(DeskPool).join(Counter).where(Counter.is_open.is_(True)).order_by(DeskPool.id)):
        for channel in GIVING:
            hours = hours_before(pool, channel)
            if hours is not None:
                until = now + timedelta(hours=hours)
                yield and_(Slot.desk_pool_id == pool.id, Slot.channel == channel, _begins_by(until))


def _begins_by(moment: datetime) -> ColumnElement[bool]:
    local = moment.astimezone(TOKYO)
    return or_(Slot.slot_date < local.date(), and_(Slot.slot_date == local.date(), Slot.start_time <= local.time()))


def _public(session: Session, giving: Sequence[Row]) -> dict[Key, int]:
    """The row of 公開 beside each, made where there is none."""
    found = _public_rows(session, giving)
    missing = {
        row.key.public: {**row.key.public._asdict(), "counter_id": row.counter_id, "end_time": row.end_time, "wanted": 0}
        for row in giving
        if row.key.public not in found
    }
    places.add(session, list(missing.values()))
    return _public_rows(session, giving) if missing else found


def _public_rows(session: Session, giving: Sequence[Row]) -> dict[Key, int]:
    pools: set[int] = {row.key.desk_pool_id for row in giving}
    days: list[date] = [row.key.slot_date for row in giving]
    found = session.execute(
        select(Slot.id, *_KEY)
        .where(Slot.desk_pool_id.in_(pools), Slot.slot_date.between(min(days), max(days)), Slot.channel == Channel.WEB)
        .execution_options(unscoped=True)
    )
    return {Key._make(row[1:]): row[0] for row in found}
