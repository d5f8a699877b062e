"""予約代行: what the call centre does besides booking — find a reservation, cancel it, move it — on the booking pages themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import audit, codes
from app.criteria import Criteria, whole
from app.errors import AppError, Conflict, NotFound, SlotFull
from app.extensions import db
from app.listing import fetch
from app.rules import holds, slots, visits
from app.rules.visits import ACTS
from app.schema import specs
from app.text import has_personal_number
from app.visit_forms import ActForm, MoveForm
from booking.keeping import now
from models import BookingCategory, Channel, Reservation
from models.base import table_of

MOST = 50  # reservations found
WEEK = timedelta(days=7)
_CANCEL = ACTS["cancel"]


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/", "start", start)
    pages.add_url_rule("/search", "search", search, methods=["POST"])
    pages.add_url_rule("/reservation/<number>", "reservation", reservation)
    pages.add_url_rule("/reservation/<number>/cancel", "cancel", cancel, methods=["GET", "POST"])
    pages.add_url_rule("/reservation/<number>/move", "move", move, methods=["GET", "POST"])


def start() -> str:
    return render_template("booking/operator_start.html", typed="", found=None, told="")


def search() -> Any:
    """By name, kana, telephone or reservation number. Posted, because what is typed here is personal."""
    session, typed = db.session(), request.form.get("q", "")[:200]
    act = audit.declare(session, "reservation", "list", "来庁予約", 画面="予約代行", 検索語=f"{len(typed)}文字")
    if not typed.strip():
        return render_template(
            "booking/operator_start.html",
            typed="",
            found=None,
            told="氏名・カナ・電話番号・予約番号・交付通知書番号のどれかを入力してください。",
        ), 422
    try:
        page = fetch(session, specs()[Reservation], Criteria(search=typed), size=MOST)
    except AppError as error:
        act.personal_number = has_personal_number(typed)
        return render_template("booking/operator_start.html", typed="", found=None, told=error.message), 422
    act.detail.update(件数=page.count, **audit.keys_of(page.rows))
    return render_template("booking/operator_start.html", typed=typed, found=page, told="")


def reservation(number: str) -> str:
    row = _load(number)
    audit.declare(db.session(), "reservation", "show", "来庁予約", 番号=row.id)
    return _page(row)


def _page(row: Reservation) -> str:
    return render_template(
        "booking/operator_visit.html",
        row=row,
        members=holds.seats_of(db.session(), row),
        may_cancel=not visits.why_not(_CANCEL, row, now()),
        may_move=not visits.why_not_moved(row, now()),
        done=request.args.get("done", ""),
    )


def cancel(number: str) -> Any:
    """Asks two facts and a reason, then gives the places back and tells the resident."""
    session, row = db.session(), _load(number)
    form = ActForm(_CANCEL, codes.choices(session, "visit_reason"), request.form if request.method == "POST" else None)
    members = holds.seats_of(session, row)
    again = lambda told="": render_template("booking/operator_cancel.html", row=row, form=form, members=members, told=told)  # noqa: E731
    if request.method == "GET":
        audit.declare(session, "reservation", "show", "来庁予約", 番号=row.id, 画面=_CANCEL.label)
        return again(visits.why_not(_CANCEL, row, now()))
    audit.declare(session, "reservation", "cancel", "来庁予約", 番号=row.id)
    if not form.validate():
        audit.note(session, 入力エラー=form.wrong)
        return again(), 422

    def do() -> None:
        those = members if form.whom.data == "all" else [row]
        audit.declare(session, "reservation", "cancel", "来庁予約", 番号=row.id, **form.told())
        if len(those) > 1:
            visits.perform_all(session, _CANCEL, those, now(), form.reason_given())
        else:
            visits.perform(session, _CANCEL, row, now(), form.reason_given())

    return _settled(session, row.id, do, again, "cancelled")


def move(number: str) -> Any:
    """Old and new time side by side, one click."""
    session, row = db.session(), _load(number)
    form = MoveForm(codes.choices(session, "visit_reason"), request.form if request.method == "POST" else None)
    if request.method == "GET":
        audit.declare(session, "reservation", "show", "来庁予約", 番号=row.id, 画面="日時の変更")
        return _move_page(row, form, visits.why_not_moved(row, now()))
    audit.declare(session, "reservation", "move", "来庁予約", 番号=row.id)
    if not form.validate():
        audit.note(session, 入力エラー=form.wrong)
        return _move_page(row, form, ""), 422

    def do() -> None:
        audit.declare(session, "reservation", "move", "来庁予約", 番号=row.id, **form.told())
        visits.move(session, row, int(form.slot.data or 0), channels(), now())

    return _settled(session, row.id, do, lambda told="": _move_page(_load(number), form, told), "moved")


def _move_page(row: Reservation, form: MoveForm, told: str) -> str:
    session, moment = db.session(), now()
    category = session.get_one(BookingCategory, row.category_id)
    places = slots.counters_for(session, category)
    wish = request.values.get("at", "")
    counter = next((p for p in places if p.code == wish), next((p for p in places if p.id == row.counter_id), None))
    window = slots.window(category, moment, Channel.COUNTER)
    first = _first_day(row, window)
    times = slots.days(session, category, counter, channels(), first, first + WEEK - timedelta(days=1), moment) if counter else {}
    return render_template(
        "booking/operator_move.html",
        row=row,
        form=form,
        told=told,
        places=places,
        counter=counter,
        first=first,
        week=WEEK,
        window=window,
        times=times,
    )


def _first_day(row: Reservation, window: tuple[date, date] | None) -> date:
    try:
        wish = date.fromisoformat(request.values.get("from", ""))
    except ValueError:
        wish = row.booking_date
    return min(max(wish, window[0]), window[1]) if window else wish


def _settled(session: Session, number: int, do: Callable[[], None], again: Callable[..., Any], done: str) -> Any:
    """Does it; what is refused is rolled back before the page is shown anew, since places may have been given back already."""
    try:
        do()
        session.flush()
    except (StaleDataError, IntegrityError):
        raise Conflict(visits.MEANWHILE) from None
    except AppError as error:
        session.rollback()
        audit.note(session, 結果=error.message)
        if isinstance(error, Conflict) and not isinstance(error, SlotFull):
            raise
        return again(error.message), error.status
    return redirect(url_for(".reservation", number=number, done=done), 303)


def _load(number: str) -> Reservation:
    key = whole(number, table_of(Reservation).c.id.type)
    row = db.session().get(Reservation, key) if key else None
    counters = g.context.actor.counters
    if row is None or (counters is not None and row.counter_id not in counters):
        raise NotFound
    return row


def channels() -> tuple[Channel, ...]:
    """Whose places the person at work may take."""
    found: tuple[Channel, ...] = g.booking.channels
    return found
