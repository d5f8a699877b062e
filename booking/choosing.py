"""手続き → 場所 → 日 → 時間: what a person wants, kept in the address alone and free of personal data."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from sqlalchemy import select

from app import text
from app.context import TOKYO, context
from app.errors import NotFound
from app.extensions import db
from app.rules import slots
from models import BookingCategory, Channel, Counter


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/", "start", start)
    pages.add_url_rule("/book/", "categories", categories)
    pages.add_url_rule("/book/<category>/", "counters", counters)
    pages.add_url_rule("/book/<category>/<counter>/", "month", month)
    pages.add_url_rule("/book/<category>/<counter>/<day>/", "times", times)


def start() -> str:
    return render_template("booking/start.html")


def categories() -> str:
    today = context(db.session()).local().date()
    rows = db.session.scalars(select(BookingCategory).order_by(BookingCategory.sort_order, BookingCategory.id))
    return render_template("booking/categories.html", categories=[c for c in rows if c.is_bookable(today)])


def counters(category: str) -> str:
    chosen = the_category(category)
    session, now = db.session(), context(db.session()).now()
    soonest = {counter.id: opening for counter, opening in slots.earliest(session, chosen, channel(), now)}
    return render_template(
        "booking/counters.html", category=chosen, counters=slots.counters_for(session, chosen), soonest=soonest
    )


def month(category: str, counter: str) -> Any:
    chosen, place = the_category(category), the_counter(counter)
    session, now = db.session(), context(db.session()).now()
    months = slots.months_open(chosen, now)
    soonest = slots.earliest(session, chosen, channel(), now)
    shown = _month_asked() or next(((o.date.year, o.date.month) for c, o in soonest if c.id == place.id), months[0])
    if shown not in months:
        return redirect(url_for(".month", category=category, counter=counter))
    days = slots.month(session, chosen, place, channel(), *shown, now)
    at = months.index(shown)
    return render_template(
        "booking/month.html",
        category=chosen,
        counter=place,
        shown=date(*shown, 1),
        weeks=_weeks(days, now.astimezone(TOKYO).date()),
        soonest=soonest,
        window=slots.window(chosen, now),
        before=date(*months[at - 1], 1) if at else None,
        after=date(*months[at + 1], 1) if at + 1 < len(months) else None,
        has_free=any(day.is_open for day in days),
    )


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
    chosen, place, on = the_category(category), the_counter(counter), the_day(day)
    session, now = db.session(), context(db.session()).now()
    openings = slots.day(session, chosen, place, channel(), on, now)
    return render_template("booking/times.html", category=chosen, counter=place, day=on, openings=openings)


def channel() -> Channel:
    chosen: Channel = g.booking.channel
    return chosen


def the_category(code: str) -> BookingCategory:
    session = db.session()
    found = slots.the_category(session, code)
    if found is None or not found.is_bookable(context(session).local().date()):
        raise NotFound("この手続きの予約は受け付けていません。はじめから選び直してください。")
    return found


def the_counter(code: str) -> Counter:
    found = db.session.scalar(select(Counter).where(Counter.code == text.tidy(code), Counter.is_open))
    if found is None:
        raise NotFound("この窓口の予約は受け付けていません。はじめから選び直してください。")
    return found


def the_day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise NotFound("この日は予約できません。日にちを選び直してください。") from None
