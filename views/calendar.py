"""予約カレンダー: the list of reservations by day, week and month, another time found for somebody, and the sheet of a day on paper."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request
from flask_appbuilder import BaseView, expose

from app import audit
from app.errors import NotFound
from app.extensions import db
from app.rules import visits
from app.schema import specs
from models import Reservation
from models.bookings import grouped_code
from views import calendar_moves, calendar_question, calendar_screens, day_sheet
from views.access import allowed, may
from views.calendar_question import Question

_MONTH = re.compile(r"\d{4}-\d{2}")
YEARS = range(1900, 2201)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class CalendarView(BaseView):
    route_base, default_view, class_permission_name = "/calendar", "index", "Reservation"

    @expose("/")
    @allowed("list")
    def index(self) -> Any:
        """The day that somebody typed, or today."""
        session = db.session()
        question = calendar_question.read(session)
        return redirect(question.day(_typed_day(request.args.get("on", "")) or question.today))

    @expose("/day/<day>")
    @allowed("list")
    def day(self, day: str) -> Any:
        session, on = db.session(), _day(day)
        question = calendar_question.read(session)
        calendar_question.log(session, question, "list", "カレンダー（日）", str(on))
        moving = calendar_moves.begin(session, question, on)
        may_move = may(visits.BOOK, "Reservation")
        screen = calendar_screens.day(session, question, on, moving, may_move=may_move)
        seen: list[Any] = [*screen.people, *([moving.row] if moving else [])]
        audit.note(session, 件数=len(screen.people), **audit.keys_of({row.id: row for row in seen}.values()))
        opens, shifting = may("can_show", "Reservation"), question.moving_on(on)
        return _page("day", question, on, on, screen=screen, moving=moving, opens=opens, shifting=shifting)

    @expose("/week/<day>")
    @allowed("list")
    def week(self, day: str) -> Any:
        session, on = db.session(), _day(day)
        question = calendar_question.read(session)
        span = calendar_screens.week(session, question, on)
        calendar_question.log(session, question, "list", "カレンダー（週）", f"{span.first}〜{span.last}")
        return _span_page("week", question, span)

    @expose("/month/<month>")
    @allowed("list")
    def month(self, month: str) -> Any:
        session, on = db.session(), _day(f"{month}-01" if _MONTH.fullmatch(month) else "")
        question = calendar_question.read(session)
        span = calendar_screens.month(session, question, on)
        calendar_question.log(session, question, "list", "カレンダー（月）", f"{on:%Y-%m}")
        return _span_page("month", question, span)

    @expose("/day/<day>/print")
    @allowed("list")
    def print(self, day: str) -> Any:
        """当日受付一覧. Whoever opens it is taken to print it."""
        session, on = db.session(), _day(day)
        question = calendar_question.read(session)
        sheet = day_sheet.read(session, question, on)
        told = {"件数": len(sheet.people), "個人情報": "あり" if sheet.shows_all else "伏せ字"}
        calendar_question.log(session, question, "print", "当日受付一覧", str(on), **told, **audit.keys_of(sheet.people))
        return render_template(
            "panel/day_sheet.html", question=question, sheet=sheet, spec=specs()[Reservation], grouped=grouped_code
        )


def _span_page(view: str, question: Question, span: calendar_screens.Span) -> str:
    moving = calendar_moves.begin(db.session(), question)
    audit.note(db.session(), **audit.keys_of([moving.row] if moving else []))
    return _page(view, question, span.first, span.last, screen=span, moving=moving)


def _page(view: str, question: Question, first: date, last: date, **values: Any) -> str:
    earlier, later = _neighbours(view, question, first, last)
    return render_template(
        f"panel/calendar_{view}.html",
        view=view,
        question=question,
        first=first,
        last=last,
        anchor=question.today if first <= question.today <= last else first,
        earlier=earlier,
        later=later,
        filters=question.filters(db.session()),
        spec=specs()[Reservation],
        signs=calendar_screens.SIGNS,
        **values,
    )


def _neighbours(view: str, question: Question, first: date, last: date) -> tuple[str, str]:
    """Where 前 and 次 lead."""
    if view == "month":
        return question.month(first - DAY), question.month(last + DAY)
    if view == "week":
        return question.week(first - WEEK), question.week(first + WEEK)
    return question.day(first - DAY), question.day(first + DAY)


def _day(words: str) -> date:
    """A day as it stands in an address."""
    found = _typed_day(words)
    if found is None:
        raise NotFound
    return found


def _typed_day(words: str) -> date | None:
    """A day written one way only, and of a year that a person could mean."""
    try:
        found = date.fromisoformat(words)
    except ValueError:
        return None
    return found if found.isoformat() == words and found.year in YEARS else None
