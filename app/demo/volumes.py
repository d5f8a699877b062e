"""How much there is: rows a year, and how they lie over the days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Literal

from app.demo.days import ISO
from app.demo.desks import Desks

VolumeName = Literal["small", "kobe"]
OPEN_DAYS = 60  # slots are open this far ahead
BOOKABLE = 45  # and may be booked this far ahead, so nothing is asked for earlier than this before a visit
EARLIEST = date(2015, 4, 1)  # documents belong to a fiscal year of 2015 or later
_QUIET = frozenset({"12-29", "12-30", "12-31", "01-01", "01-02", "01-03"})


@dataclass(frozen=True)
class Volume:
    """Rows a year, and how visits lie: `early` > 1 crowds the mornings, so that a few visits still fill a slot.

    `crowded_days` are the past days that visits without a card in the database are spread over; 0 means all.
    """

    cards: int
    reservations: int
    log_per_card: int
    oddities: int
    early: float
    crowded_days: int
    ahead: float  # places taken on the first coming day: a share of all, or a number of them when above 1
    held: float  # share of what was asked for yesterday that is only held (仮押え) until the telephones close today


VOLUMES: dict[VolumeName, Volume] = {
    "small": Volume(cards=400, reservations=600, log_per_card=10, oddities=3, early=3.0, crowded_days=45, ahead=40, held=0.1),
    "kobe": Volume(
        cards=120_000, reservations=180_000, log_per_card=10, oddities=80, early=1.0, crowded_days=0, ahead=0.95, held=0.02
    ),
}


def spread(total: int, weights: list[float]) -> list[int]:
    """Shares a total out by weights, so that the shares add up to it exactly."""
    whole = sum(weights) or 1.0
    ends = [round(total * share / whole) for share in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def season(day: int) -> float:
    """How many apply on a day compared with others: few on Sundays, none at the turn of the year."""
    if ISO[day][5:] in _QUIET:
        return 0.0
    return (1, 1, 1, 1, 1, 0.9, 0.6)[day % 7] * (1 + 0.2 * math.sin(2 * math.pi * (day % 365) / 365))


@dataclass(frozen=True)
class Calendar:
    """How many apply, and how many visits there are, on each day."""

    first: int
    cut: int  # the first day that has not happened yet
    applications: dict[int, int]
    visits: dict[int, int]


def calendar(volume: Volume, years: int, first: int, cut: int, desks: Desks) -> Calendar:
    span = range(first, cut)
    applications = spread(volume.cards * years, [season(day) for day in span])
    ahead = {day: _ahead(volume, day - cut, day, desks) for day in range(cut, cut + BOOKABLE)}
    since = cut - volume.crowded_days if volume.crowded_days else first
    weights = [desks.capacity(day) * (1.25 if day % 7 > 4 else 1.0) if day >= since else 0.0 for day in span]
    past = spread(volume.reservations * years - sum(ahead.values()), weights)
    return Calendar(first, cut, dict(zip(span, applications, strict=True)), dict(zip(span, past, strict=True)) | ahead)


def _ahead(volume: Volume, distance: int, day: int, desks: Desks) -> int:
    """Coming days fill from the near end, weekends more: nearly full this week, a few places taken a month ahead."""
    capacity = desks.capacity(day)
    near = volume.ahead * math.exp(-distance / 13) * (1.15 if day % 7 > 4 else 0.9)
    return min(int(near * capacity if volume.ahead < 1 else near), int(0.97 * capacity))
