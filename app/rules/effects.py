"""What a changed master does to people who have booked: who would stand, or stands, in a closed time or without a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.rules import opening, places
from app.rules.planning import Plans
from app.rules.standing import Change
from models import Reservation, ReservationState, Slot
from models.base import table_of

EXPECTED = (ReservationState.BOOKED, ReservationState.HELD)
_VISIT, _SLOT = table_of(Reservation), table_of(Slot)
_READ = [
    _VISIT.c[name]
    for name in (
        *("id", "row_stamp", "slot_id", "units", "state", "group_id"),
        *("counter_id", "category_id", "booking_date", "start_time"),
    )
]
_SLOT_ID = 2  # its place among these


class Why(StrEnum):
    """Why somebody is concerned, in words."""

    CLOSED = "休業・時間外になる"
    FULL = "枠が足りなくなる"
    UNSERVED = "この手続きを扱わなくなる"
    LATE = "終了時刻の上限を過ぎる"
    STOPPED = "窓口が受付をやめる"


class Visit(NamedTuple):
    """Somebody who is concerned. `row_stamp`: the version of the reservation."""

    number: int
    row_stamp: int
    slot_id: int
    units: int
    state: ReservationState
    group_id: str | None
    counter_id: int
    category_id: int
    day: date
    start: time
    why: Why

    @property
    def at(self) -> datetime:
        return datetime.combine(self.day, self.start)

    @property
    def is_held(self) -> bool:
        return self.state is ReservationState.HELD

    @property
    def party(self) -> tuple[int, str]:
        """Who sits together: the members of a household at one time, or one person."""
        return self.slot_id, self.group_id or str(self.number)


@dataclass(frozen=True)
class Effect:
    """Whom a change concerns, in the order of time, and how many keep their place."""

    visits: tuple[Visit, ...]
    kept: int


Lacking = Mapping[int, tuple[int, bool]]
"""Slots with fewer places than before and than are booked: how many too few, and whether the time is closed."""


def foresee(session: Session, change: Change, now: datetime) -> Effect:
    """Whom a master that has been flushed would concern, whoever asks. Reads only."""
    at = change.counters
    lacking = opening.foresee(session, *_days(session, change, now), at) if at != frozenset() else {}
    return _effect(session, change, now, lacking)


def apply(session: Session, change: Change, now: datetime) -> Effect:
    """Makes the places agree with a master that has been flushed, and says whom that concerns."""
    at = change.counters
    agreed = opening.agree(session, *_days(session, change, now), at) if at != frozenset() else opening.Agreed()
    return _effect(session, change, now, _lacking(session, agreed))


def touched(session: Session, change: Change, now: datetime) -> set[int]:
    """The slots that `apply` would change."""
    at = change.counters
    there = opening.existing(session, *_days(session, change, now), at) if at != frozenset() else {}
    return opening.locked(there, opening.differing(Plans(session, at), there))


def _days(session: Session, change: Change, now: datetime) -> tuple[date, date]:
    """The days to come on which places may change."""
    today = now.astimezone(TOKYO).date()
    (first, last), furthest = change.days, today + timedelta(days=opening.days_there(session, today))
    return max(first, today), min(last, furthest)


def _lacking(session: Session, agreed: opening.Agreed) -> Lacking:
    """Asked once the places agree: nobody can book there any more."""
    found: dict[int, tuple[int, bool]] = {}
    for some in places.pieces(agreed.shrunk):
        over = select(_SLOT.c.id, _SLOT.c.used - _SLOT.c.wanted).where(_SLOT.c.id.in_(some), _SLOT.c.used > _SLOT.c.wanted)
        found |= {number: (count, number in agreed.closed) for number, count in session.execute(over)}
    return found


def _effect(session: Session, change: Change, now: datetime, lacking: Lacking) -> Effect:
    today = now.astimezone(TOKYO).date()
    found = chain(
        _stopped(session, change, today), _crowded(session, change, today, lacking), _by_procedure(session, change, today)
    )
    concerned: dict[int, Visit] = {}
    for visit in found:
        concerned.setdefault(visit.number, visit)
    visits = tuple(sorted(concerned.values(), key=lambda visit: (visit.day, visit.start, visit.number)))
    return Effect(visits, _count(session, change, today) - len(visits))


def _expected(today: date, *where: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    return _VISIT.c.state.in_(EXPECTED), _VISIT.c.booking_date >= today, *where


def _count(session: Session, change: Change, today: date) -> int:
    """Everybody who is expected where the master matters."""
    at, here = change.counters, change.after or change.before
    where: list[ColumnElement[bool]] = [_VISIT.c.counter_id.in_(at)] if at else []
    if at == frozenset() and here:
        where = [_VISIT.c.category_id == here.number]
    return session.scalar(select(func.count()).select_from(_VISIT).where(*_expected(today, *where))) or 0


def _stopped(session: Session, change: Change, today: date) -> Iterator[Visit]:
    """Those at a counter that stops receiving people."""
    before, after = change.before, change.after
    if before and after and before.is_open and not after.is_open:
        yield from _read(session, Why.STOPPED, today, _VISIT.c.counter_id == after.number)


def _by_procedure(session: Session, change: Change, today: date) -> Iterator[Visit]:
    """Those whose procedure their desks no longer serve, or whose visit would end too late for it."""
    before, after = change.before, change.after
    if before and after and (gone := before.serves - after.serves):
        of_pool = _VISIT.c.slot_id.in_(select(_SLOT.c.id).where(_SLOT.c.desk_pool_id == after.number, _SLOT.c.slot_date >= today))
        yield from _read(session, Why.UNSERVED, today, of_pool, _VISIT.c.category_id.in_(gone))
    if before and after and after.latest_end and before.latest_end != after.latest_end:
        late = _VISIT.c.end_time > after.latest_end
        newly = () if before.latest_end is None else (_VISIT.c.end_time <= before.latest_end,)
        yield from _read(session, Why.LATE, today, _VISIT.c.category_id == after.number, late, *newly)


def _read(session: Session, why: Why, today: date, *where: ColumnElement[bool]) -> Iterator[Visit]:
    for row in session.execute(select(*_READ).where(*_expected(today, *where))):
        yield Visit._make((*row, why))


def _crowded(session: Session, change: Change, today: date, lacking: Lacking) -> Iterator[Visit]:
    """Those for whom a time has no place any more: the latest booked, with their households."""
    if not lacking:
        return
    at = change.counters
    here = [_VISIT.c.booking_date.between(*change.days), *([_VISIT.c.counter_id.in_(at)] if at else [])]
    rows = select(*_READ).where(*_expected(today, *here)).order_by(_VISIT.c.slot_id, _VISIT.c.id.desc())
    for slot, booked in groupby(session.execute(rows), key=itemgetter(_SLOT_ID)):
        if slot in lacking:
            over, is_closed = lacking[slot]
            why = Why.CLOSED if is_closed else Why.FULL
            yield from _beyond([Visit._make((*row, why)) for row in booked], over)


def _beyond(booked: Sequence[Visit], over: int) -> Iterable[Visit]:
    """Of the visits of one time, latest first, as many as there are places too few."""
    if sum(visit.units for visit in booked) <= over:
        return booked
    out = set[tuple[int, str]]()
    for visit in booked:
        if over <= 0:
            break
        if visit.party not in out:
            out.add(visit.party)
            over -= sum(other.units for other in booked if other.party == visit.party)
    return [visit for visit in booked if visit.party in out]
