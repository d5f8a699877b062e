"""Other times for people who cannot keep theirs: at the same counter for the same procedure, on the first day of the two weeks from
theirs that has a place, at the time of day nearest to their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.rules import places, slots
from app.rules.effects import Visit
from models import BookingCategory, Channel, Counter, Reservation
from models.base import table_of
from models.bookings import HOLDING

REACH = timedelta(days=14)
_VISIT = table_of(Reservation)


class Proposal(NamedTuple):
    """A time that somebody may be moved to."""

    at: datetime
    slot_id: int
    channel: Channel


class Free:
    """The free places of a counter for one procedure, day by day. `left`, by slot, is shared by the procedures that the same desks
    serve."""

    def __init__(self, proposals: Iterable[Proposal], left: dict[int, int]) -> None:
        self.days: dict[date, list[Proposal]] = defaultdict(list)
        self.left = left
        for proposal in proposals:
            self.days[proposal.at.date()].append(proposal)

    def take(self, at: datetime, units: int) -> Proposal | None:
        """The place for a party that was to come then, which has it from now on."""
        for n in range(REACH.days + 1):
            found = self._on(at + timedelta(days=n), units)
            if found is not None:
                self.left[found.slot_id] -= units
                return found
        return None

    def _on(self, at: datetime, units: int) -> Proposal | None:
        """The nearest time of a day. What is full is left out from now on."""
        day = self.days.get(at.date())
        if not day:
            return None
        day[:] = [proposal for proposal in day if self.left[proposal.slot_id] > 0]
        large = (proposal for proposal in day if self.left[proposal.slot_id] >= units)
        return min(large, key=lambda proposal: abs(proposal.at - at), default=None)


def propose(session: Session, visits: Sequence[Visit], channels: Sequence[Channel], now: datetime) -> dict[int, Proposal]:
    """Where each visit could move, by its number: who booked first chooses first, and a household moves together. Places that are
    only held are nobody's yet, and a household that sits at several desks or times is left to somebody who telephones with it."""
    movable = [visit for visit in visits if not visit.is_held and channels]
    apart = _apart(session, movable)
    wanted: dict[tuple[int, int], list[Visit]] = defaultdict(list)
    for visit in movable:
        if visit.group_id not in apart:
            wanted[visit.counter_id, visit.category_id].append(visit)
    left: dict[int, int] = {}
    found: dict[int, Proposal] = {}
    for (counter, category), some in wanted.items():
        found |= _placed(some, _free(session, counter, category, some, channels, now, left))
    return found


def _placed(visits: Sequence[Visit], free: Free) -> Iterator[tuple[int, Proposal]]:
    ordered = sorted(visits, key=lambda visit: (visit.at, visit.party, visit.number))
    for _, members in groupby(ordered, key=lambda visit: visit.party):
        party = list(members)
        if proposal := free.take(party[0].at, sum(visit.units for visit in party)):
            yield from ((visit.number, proposal) for visit in party)


def _free(
    session: Session,
    counter: int,
    category: int,
    visits: Sequence[Visit],
    channels: Sequence[Channel],
    now: datetime,
    left: dict[int, int],
) -> Free:
    first, last = min(visit.day for visit in visits), max(visit.day for visit in visits) + REACH
    place, procedure = session.get_one(Counter, counter), session.get_one(BookingCategory, category)
    proposals = []
    for channel in channels:
        for opening in slots.free(session, procedure, place, channel, first, last, now):
            left.setdefault(opening.slot_id, opening.free)
            proposals.append(Proposal(datetime.combine(opening.date, opening.start), opening.slot_id, channel))
    return Free(proposals, left)


def _apart(session: Session, visits: Iterable[Visit]) -> set[str]:
    """The households that sit in more than one slot."""
    groups = sorted({visit.group_id for visit in visits if visit.group_id})
    found: set[str] = set()
    for n in range(0, len(groups), places.PIECE):
        made = _VISIT.c
        several = (
            select(made.group_id)
            .where(made.group_id.in_(groups[n : n + places.PIECE]), made.state.in_(HOLDING))
            .group_by(made.group_id)
            .having(func.count(func.distinct(made.slot_id)) > 1)
        )
        found |= set(session.scalars(several))
    return found
