"""手続き → 場所 → 日 → 時間: what a person wants, kept in the address alone and free of personal data."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for

from app.context import TOKYO
from app.errors import NotFound
from app.extensions import db
from app.rules import parties, pickups, slots
from app.rules.parties import Party
from booking import keeping
from booking.keeping import now
from booking.tongue import N_
from models import BookingCategory, Channel, Counter


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/book/", "categories", categories)
    pages.add_url_rule("/book/<category>/", "counters", counters)
    pages.add_url_rule("/book/<category>/<counter>/", "month", month)
    pages.add_url_rule("/book/<category>/<counter>/<day>/", "times", times)


def categories() -> str:
    return _page("categories", categories=slots.procedures(db.session(), now()))


def counters(category: str) -> str:
    """Also where somebody says that they do not come alone, or for more than one thing."""
    session, moment, party = db.session(), now(), the_party(category)
    soonest = {counter.id: opening for counter, opening in parties.earliest(session, party, channel(), moment)}
    return _page(
        "counters",
        party=party,
        category=party.first,
        counters=slots.counters_for(session, party.first, party.reach),
        soonest=soonest,
        further=[other for other in slots.procedures(session, moment) if _may_follow(other, party)],
    )


def _may_follow(other: BookingCategory, party: Party) -> bool:
    """Another procedure of the same visit; a card is fetched once."""
    return other.code != party.first.code and (other in party.categories or not (other.asks_notice and party.asks_notice))


def month(category: str, counter: str) -> Any:
    session, moment = db.session(), now()
    party = the_party(category)
    place = the_place(party, counter)
    months = slots.months_open(party.first, moment, channel())
    soonest = parties.earliest(session, party, channel(), moment)
    here = next((opening for at, opening in soonest if at.id == place.id), None)
    shown = _month_asked() or (here and (here.date.year, here.date.month)) or months[0]
    if shown not in months:
        return redirect(url_for(".month", category=category, counter=counter))
    days = parties.month(session, party, place, channel(), *shown, moment)
    return _page(
        "month",
        party=party,
        category=party.first,
        counter=place,
        shown=date(*shown, 1),
        weeks=_weeks(days, moment.astimezone(TOKYO).date()),
        here=here,
        elsewhere=[(at, opening) for at, opening in soonest if at.id != place.id],
        window=slots.window(party.first, moment, channel(), party.within(place)),
        **_beside(months, shown),
        has_free=any(day.is_open for day in days),
    )


def _beside(months: list[tuple[int, int]], shown: tuple[int, int]) -> dict[str, date | None]:
    """The months to turn to from the one that is shown."""
    before, after = months[: months.index(shown)], months[months.index(shown) + 1 :]
    return {"before": date(*before[-1], 1) if before else None, "after": date(*after[0], 1) if after else None}


def _weeks(days: list[slots.Day], today: date) -> list[list[slots.Day | None]]:
    """The days in rows from Monday to Sunday, with gaps at both ends; weeks that have passed are left out."""
    cells: list[slots.Day | None] = [None] * days[0].date.weekday() + list(days)
    cells += [None] * (-len(cells) % 7)
    weeks = [cells[at : at + 7] for at in range(0, len(cells), 7)]
    return [week for week in weeks if any(day and day.date >= today for day in week)]


def _month_asked() -> tuple[int, int] | None:
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", request.args.get("month", ""))
    return (int(found[1]), int(found[2])) if found else None


def times(category: str, counter: str, day: str) -> str:
    session, moment, on = db.session(), now(), the_day(day)
    party = the_party(category)
    place = the_place(party, counter)
    openings = parties.day(session, party, place, channel(), on, moment)
    return _page("times", party=party, category=party.first, counter=place, day=on, openings=openings)


def the_party(category: str) -> Party:
    """Who comes for what, as the address says it."""
    company = g.booking.company
    party = parties.party_of(db.session(), (category, *company.also), company.people, now())
    if party.asks_notice:
        party = _with_cards(party)
    g.booking.company = replace(company, people=party.people)  # as many as come at once travel on
    return party


def _with_cards(party: Party) -> Party:
    """Who comes to fetch cards are those whose notices were shown. Whoever books for somebody may go on without."""
    cards = keeping.claims()
    if not cards and g.booking.desk:
        return party
    return replace(party, people=len(cards), reach=pickups.reach(db.session(), cards, now()))


def the_place(party: Party, code: str) -> Counter:
    """The counter that the address names, if the party can go there."""
    found = slots.open_counter(db.session(), code)
    if party.reach and found.id not in party.reach.counters:
        raise slots.NotOffered
    return found


def _page(name: str, **shown: Any) -> str:
    """A page on the way; it says when the entry of a person who came to choose again is there, or is not there any more."""
    told = keeping.told_on_the_way()
    return render_template(f"booking/{name}.html", told=told, is_kept=keeping.has_typed(), **shown)


def channel() -> Channel:
    chosen: Channel = g.booking.channel
    return chosen


def the_day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise NotFound(N_("この日は予約できません。日にちを選び直してください。")) from None
