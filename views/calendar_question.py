"""What the calendar is asked: the filters of the list of reservations in its address, kept in every link from one day to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app import audit
from app.context import context
from app.criteria import Criteria
from app.extensions import db
from app.rules import statements, timetable
from app.rules.opening import furthest
from app.rules.timetable import Weekdays
from app.schema import specs
from models import BookingCategory, Counter, Reservation
from views import address, lists
from views.relations import keep_short_list, short_list

KEPT = ("counter", "category", "state", "channel")
"""Filters that the calendar has in common with the list, under the same names."""
HOME = "/calendar"
MOVING = "moving"
"""The reservation that another time is looked for."""


@dataclass(frozen=True)
class Question:
    """The list's question without its days. `counters`: those shown, of all that are one's own (`mine`). `until`: the last day for
    which places are opened as of today."""

    want: Criteria
    kept: dict[str, str]
    mine: Weekdays
    today: date
    until: date
    is_lost: bool = False
    moving: str = ""

    @property
    def counters(self) -> list[Counter]:
        wish = self.want.filters.get("counter")
        return [counter for counter in self.mine if wish in (None, counter.id)]

    @property
    def at(self) -> list[int]:
        return [counter.id for counter in self.counters]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.kept)

    @property
    def counts_people(self) -> bool:
        """Whether places alone do not answer it: they know neither states nor names."""
        return bool(self.want.search or "state" in self.want.filters)

    def day(self, on: date) -> str:
        return self._link(f"day/{on}")

    def week(self, on: date) -> str:
        return self._link(f"week/{on}")

    def month(self, on: date) -> str:
        return self._link(f"month/{on:%Y-%m}")

    def sheet(self, on: date) -> str:
        return f"{HOME}/day/{on}/print" + address.query(self.kept)

    def moving_on(self, on: date) -> str:
        """Where another time is looked for on the calendar; the number of the reservation follows."""
        return f"{HOME}/day/{on}" + address.query({**self.kept, MOVING: ""})

    def without_moving(self, on: date, row_id: int) -> str:
        return f"{HOME}/day/{on}" + address.query(self.kept) + f"#visit-{row_id}"

    def listed(self, first: date, last: date, **changes: str) -> str:
        """The list that asks the same of these days."""
        days = {"booking_date_from": str(first), "booking_date_to": str(last)}
        return address.list_of(specs()[Reservation]) + address.query({**self.kept, **days, **changes})

    def only(self, counter: Counter | None) -> str:
        """The same page with this counter alone, or with all."""
        others = {key: word for key, word in self.kept.items() if key != "counter"}
        mine = {"counter": str(counter.id)} if counter else {}
        return request.path + address.query({**mine, **others, **({MOVING: self.moving} if self.moving else {})})

    def _link(self, path: str) -> str:
        return f"{HOME}/{path}" + address.query(self.kept | ({MOVING: self.moving} if self.moving else {}))

    def filters(self, session: Session) -> list[lists.Filter]:
        """The bar: as on the list, with one's own counters only."""
        parts = specs()[Reservation].parts
        own = tuple((str(counter.id), str(counter)) for counter in self.mine)
        choices: dict[str, tuple[tuple[str, str], ...]] = {
            key: tuple((code.value, code.label) for code in enum) if (enum := parts[key].enum) else () for key in KEPT
        }
        choices |= {"counter": own, "category": tuple(short_list(session, parts["category"]))}
        return [lists.Filter(parts[key], "choice", self.kept.get(key, ""), choices=choices[key]) for key in KEPT]


def read(session: Session) -> Question:
    """What the address asks; what it cannot mean is left out."""
    spec, current, kept = specs()[Reservation], context(session), _kept(request.args)
    today, mine = current.local().date(), current.actor.counters
    every, procedures = timetable.counters(session), session.scalars(statements.CATEGORIES).all()
    keep_short_list(session, Counter, list(every))
    keep_short_list(session, BookingCategory, procedures)
    return Question(
        address.question(spec, kept),
        kept,
        {counter: weekdays for counter, weekdays in every.items() if mine is None or counter.id in mine},
        today,
        today + timedelta(days=furthest(procedure.earliest_days for procedure in procedures)),
        address.is_lost(spec, request.args),
        request.args.get(MOVING, ""),
    )


def log(session: Session, question: Question, verb: str, screen: str, period: str, **more: Any) -> None:
    """Looking at the calendar is an act like looking at the list: who asked what of which days."""
    spec = specs()[Reservation]
    told = address.in_words(session, spec, question.want)
    act = audit.declare(session, spec.name, verb, spec.label, 画面=screen, 期間=period, 条件=told, **more)
    act.personal_number = address.holds_personal_number(request.args)


def first_of_week(on: date) -> date:
    """Weeks begin on Monday, as the residents' calendar does."""
    return on - timedelta(days=on.weekday())


def like_list(session: Session, want: Criteria, args: Mapping[str, str]) -> str:
    """The calendar that asks the same as a list: the day or the month that the list is narrowed to, or else today."""
    days, today = want.filters.get("booking_date"), context(session).local().date()
    first, last = (days.start, days.end) if days else (None, None)
    at = f"month/{first:%Y-%m}" if first and last and first != last else f"day/{first or last or today}"
    return f"{HOME}/{at}" + address.query(_kept(args))


def _kept(args: Mapping[str, str]) -> dict[str, str]:
    """The words of an address that the calendar and the list have in common, as far as they mean anything."""
    spec = specs()[Reservation]
    meant = address.meant(spec, args)
    found = {key: meant[key] for key in KEPT if key in meant}
    if (token := args.get("s")) and not address.is_lost(spec, args):
        found["s"] = token
    return found


def on_calendar(row: Reservation, args: Mapping[str, str]) -> str:
    """The reservation in its place on the calendar, narrowed as an address says unless that would hide it."""
    kept = _kept(args)
    is_hidden = kept.get("counter", str(row.counter_id)) != str(row.counter_id) or not kept.keys() <= {"counter", "category"}
    return f"{HOME}/day/{row.booking_date}" + address.query({} if is_hidden else kept) + f"#visit-{row.id}"


def today() -> str:
    """Where the calendar opens."""
    return f"{HOME}/day/{context(db.session()).local().date()}"
