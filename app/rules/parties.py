"""Times for people who come together, or for several procedures of one visit: what `app.rules.slots` says of one person, said of a party."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from app.rules import seating, slots, statements
from app.rules.pickups import Days, Reach
from app.rules.slots import Day, DayState, Opening
from models import BookingCategory, Channel, Counter


@dataclass(frozen=True, kw_only=True)
class Party:
    """Who comes for what. The usual one is one person for one procedure."""

    categories: tuple[BookingCategory, ...]
    people: int = 1
    reach: Reach | None = None  # of their cards, where they come to fetch some

    @property
    def is_plain(self) -> bool:
        return self.people == 1 and len(self.categories) == 1

    @property
    def asks_notice(self) -> bool:
        return any(category.asks_notice for category in self.categories)

    def within(self, counter: Counter) -> Days | None:
        """The days on which the party can come to a counter; None when any will do."""
        return self.reach.days(counter.id) if self.reach else None

    @property
    def first(self) -> BookingCategory:
        return self.categories[0]


def month(session: Session, party: Party, counter: Counter, channel: Channel, year: int, month: int, now: datetime) -> list[Day]:
    """Every day of a month; for a party a day is free when it can begin at some time of it."""
    days = slots.month(session, party.first, counter, channel, year, month, now, party.within(counter))
    if party.is_plain:
        return days
    last = date(year, month, calendar.monthrange(year, month)[1])
    fits = _fitting(session, party, counter, channel, date(year, month, 1), last, now)
    return [_of_party(day, len(fits.get(day.date, ()))) for day in days]


def _of_party(day: Day, times: int) -> Day:
    if day.state is DayState.NONE:
        return day
    if not times:
        return Day(day.date, DayState.FULL, 0)
    return Day(day.date, DayState.FREE if day.state is DayState.FULL else day.state, times)


def day(session: Session, party: Party, counter: Counter, channel: Channel, on: date, now: datetime) -> list[Opening]:
    """The times of a day; those at which the party cannot begin have no free place."""
    times = slots.day(session, party.first, counter, channel, on, now, party.within(counter))
    if party.is_plain:
        return times
    fits = {o.start: o for o in _fitting(session, party, counter, channel, on, on, now).get(on, ())}
    return [fits.get(o.start) or Opening(o.slot_id, o.counter_id, o.date, o.start, o.end, 0) for o in times]


def earliest(session: Session, party: Party, channel: Channel, now: datetime) -> list[tuple[Counter, Opening]]:
    """The next time of each open counter at which the party can begin, soonest first."""
    if party.is_plain and party.reach:
        return slots.earliest_within(session, party.first, channel, now, party.reach)
    if party.is_plain:
        return slots.earliest(session, party.first, channel, now)
    window = slots.window(party.first, now, channel)
    if window is None:
        return []
    found = []
    for counter in slots.counters_for(session, party.first, party.reach):
        fits = _fitting(session, party, counter, channel, *window, now)
        if fits:
            found.append((counter, fits[min(fits)][0]))
    return sorted(found, key=lambda pair: (pair[1].date, pair[1].start, pair[0].sort_order, pair[0].id))


def near(
    session: Session, party: Party, counter: Counter, channel: Channel, to: datetime, now: datetime, limit: int = 6
) -> list[Opening]:
    """Times nearest to a wished one at which the party can begin, in order of time."""
    if party.is_plain:
        return slots.near(session, party.first, counter, channel, to, now, limit, party.within(counter))
    around = timedelta(days=7)
    fits = _fitting(session, party, counter, channel, to.date() - around, to.date() + around, now)
    every = [o for on in sorted(fits) for o in fits[on]]
    nearest = sorted(every, key=lambda o: abs(datetime.combine(o.date, o.start) - to.replace(tzinfo=None)))[:limit]
    return [o for o in every if o in nearest]


def _fitting(
    session: Session, party: Party, counter: Counter, channel: Channel, first: date, last: date, now: datetime
) -> dict[date, list[Opening]]:
    """By day the times at which the party can begin; one statement for each procedure."""
    by_day: list[dict[date, list[Opening]]] = []
    for category in party.categories:
        terms = slots.terms(category, channel, now, party.within(counter))
        values = {**terms, "at_counter": counter.id, "first": first, "last": last}
        places: dict[date, list[Opening]] = defaultdict(list)
        for row in session.execute(statements.DAYS, values):
            places[row[2]].append(Opening(*row))
        by_day.append(places)
    found = {on: seating.times([places.get(on, []) for places in by_day], party.people) for on in by_day[0]}
    return {on: times for on, times in found.items() if times}


def party_of(session: Session, codes: Sequence[str], people: int, now: datetime) -> Party:
    """The procedures of a visit, each once, and how many people; NotFound when one is not offered."""
    categories = tuple(slots.procedure(session, code, now) for code in dict.fromkeys(codes))
    return Party(categories=categories, people=min(people, *(category.max_party for category in categories)))
