"""How fast the calendar answers at full size: a month, a week, the fullest day and its sheet, of every counter and of one."""

from __future__ import annotations

from datetime import date
from functools import partial

from sqlalchemy import func, select

from bench import figures, panel
from bench.browsing import Browser
from bench.figures import Aim, Figure
from bench.houses import PASSWORD, UNTIL, House
from bench.quiet import Machine
from bench.servers import serving
from models import Reservation

AIM = Aim(60)
PEOPLE = {"operator": "すべての窓口", "staff": "三宮だけ"}
Figures = dict[tuple[str, str], Figure]
"""By page and person."""


def pages(on: date) -> dict[str, str]:
    return {
        "月": f"/calendar/month/{on:%Y-%m}",
        "月（予約済だけ数える）": f"/calendar/month/{on:%Y-%m}?state=booked",
        "週": f"/calendar/week/{on}",
        "日": f"/calendar/day/{on}",
        "当日受付一覧": f"/calendar/day/{on}/print",
    }


def run(house: House, machine: Machine) -> Figures:
    """Serves the staff site on this database and measures every page as each person."""
    with serving("deploy.wsgi:staff", house.env) as port:
        return {
            (name, who): machine.at_a_quiet_moment(partial(panel.measured, panel.get(browser, path)))
            for who in PEOPLE
            for browser in [Browser(port).sign_in(who, PASSWORD)]
            for name, path in pages(_fullest(house)).items()
        }


def _fullest(house: House) -> date:
    """The day to come on which most people are expected."""
    many = select(Reservation.booking_date).where(Reservation.booking_date > date.fromisoformat(UNTIL))
    with house.engine.connect() as connection:
        found = connection.scalar(many.group_by(Reservation.booking_date).order_by(func.count().desc()).limit(1))
    if found is None:
        raise RuntimeError("nobody is expected in this house")
    return found


def show(found: Figures) -> str:
    rows = [(name, *(found[name, who].words(AIM) for who in PEOPLE)) for name in pages(date.max)]
    return figures.table([("", *PEOPLE.values()), *rows])
