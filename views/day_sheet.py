"""当日受付一覧: who is expected on a day, counter by counter, as a sheet of paper for the reception desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.context import context
from app.rules import calendar
from app.rules.accounts import PERSONAL
from app.rules.calendar import Visit
from app.schema import specs
from models import Counter, Reservation
from views.access import may
from views.calendar_question import Question
from views.reception import EXPECTED


@dataclass(frozen=True)
class Line:
    """Somebody on the sheet. `party`: how many come together, on the line of the first of them; 0 on those that follow."""

    visit: Visit
    phone: str
    party: int


@dataclass(frozen=True)
class Sheet:
    """`shows_all`: telephone numbers stand on it in full, as only those may have them who may take personal data out unmasked."""

    on: date
    counters: list[tuple[Counter, list[Line]]]
    shows_all: bool
    printed: str
    by: str

    @property
    def people(self) -> list[Visit]:
        return [line.visit for _, lines in self.counters for line in lines]


def read(session: Session, question: Question, on: date) -> Sheet:
    shows_all, current = may(*PERSONAL), context(session)
    everybody = calendar.visits(session, question.want, on)
    expected = [visit for visit in everybody if "state" in question.want.filters or visit.state in EXPECTED]
    return Sheet(
        on,
        [(c, lines) for c in question.counters if (lines := _lines(expected, c, shows_all=shows_all))],
        shows_all,
        f"{current.local():%Y-%m-%d %H:%M}",
        current.actor.name,
    )


def _lines(everybody: list[Visit], counter: Counter, *, shows_all: bool) -> list[Line]:
    """In the order of the clock; whoever was booked together stands together."""
    part = specs()[Reservation].parts["phone"]
    parties: dict[tuple[object, object], list[Visit]] = {}
    for visit in everybody:
        if visit.counter_id == counter.id:
            parties.setdefault((visit.start_time, visit.group_id or visit.id), []).append(visit)
    return [
        Line(visit, (part.shown if shows_all else part.masked)(visit.phone), 0 if n else len(party))
        for party in parties.values()
        for n, visit in enumerate(party)
    ]
