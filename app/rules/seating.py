"""Seats for people who come together: in one time where there are enough, else at parallel desks and in the times that follow at once.

Pure functions of the free places of a day; taking what they propose is another matter, and may fail when somebody is quicker.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import time

from app.rules.slots import Opening

Seats = list[list[Opening]]
"""For each procedure the place of each person, in the order of the people."""


def arrange(days: Sequence[Sequence[Opening]], people: int, begin: time, first: int | None = None) -> Seats | None:
    """Seats from a time on; None when the party does not fit there.

    `days`: for each procedure the places that its desks offer that day. Several procedures follow each other, so that nobody is
    at two desks at once. `first`: the place that was chosen, which is preferred among those of its time.
    """
    seats, taken, at = [], Tally[int](), begin
    for openings in days:
        found = _row(openings, people, at, taken, first)
        if found is None:
            return None
        seats.append(found)
        at = max(seat.end for seat in found)
    return seats


def _row(openings: Sequence[Opening], people: int, at: time, taken: Tally[int], first: int | None) -> list[Opening] | None:
    """Places of one procedure for everybody, without a gap between the times."""
    found: list[Opening] = []
    while len(found) < people:
        now = sorted((o for o in openings if o.start == at), key=lambda o: (o.slot_id != first, -o.free, o.slot_id))
        free = [o for o in now for _ in range(o.free - taken[o.slot_id])][: people - len(found)]
        if not free:
            return None
        taken.update(o.slot_id for o in free)
        found += free
        at = max(o.end for o in free)
    return found


def times(days: Sequence[Sequence[Opening]], people: int) -> list[Opening]:
    """Every time of a day at which the party could begin, as its first place, in the order of the clock."""
    fit: dict[time, Opening] = {}
    for opening in days[0]:
        if opening.start not in fit and (seats := arrange(days, people, opening.start)):
            fit[opening.start] = seats[0][0]
    return [fit[at] for at in sorted(fit)]
