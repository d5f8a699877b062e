"""来庁予約 on the panel: a visitor is checked in with one click; whoever telephones cancels or gets another time on one screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import flash, request
from flask_appbuilder import expose
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import audit, codes
from app.context import context
from app.criteria import whole
from app.errors import AppError, Conflict, NotFound, SlotFull
from app.extensions import db
from app.rules import accounts, slots, visits
from app.rules.visits import ACTS, Act, MovedAlready
from app.visit_forms import ActForm, MoveForm
from models import BookingCategory, Card, Channel, Counter, Reservation, Slot
from models.base import table_of
from views import behind, calendar_question, chosen_time, records
from views.access import allowed, must_have
from views.address import page_of
from views.lists import ListScreen
from views.panel import PanelView

WEEK = timedelta(days=7)
Done = Callable[[Session, Reservation], str]
"""Does something with a reservation, and says what in a sentence."""


class VisitView(PanelView):
    """Reservations: besides what every table has, their acts (`app.rules.visits.ACTS`) and the change of date."""

    list_template, show_template = "panel/visit_list.html", "panel/visit.html"

    def offered(self, row: Reservation) -> list[Act]:
        """What this person may do with the reservation now."""
        now = context(db.session()).now()
        return [act for act in ACTS.values() if self._may(act.right) and not visits.why_not(act, row, now)]

    def may_move(self, row: Reservation) -> bool:
        return self._may(visits.BOOK) and not visits.why_not_moved(row, context(db.session()).now())

    def calendar(self, screen: ListScreen) -> str:
        """The calendar that asks the same as the list."""
        return calendar_question.like_list(db.session(), screen.want, request.args)

    def in_calendar(self, row: Reservation) -> str:
        return calendar_question.on_calendar(row, {})

    def household(self, row: Reservation) -> list[Reservation]:
        return list(visits.household(db.session(), row))

    def card(self, row: Reservation) -> Card | None:
        """The card that the visitor comes for, which is then logged as shown."""
        card = behind.cards_of([row]).get(row.pickup_ref or "")
        if card and (act := context(db.session()).act):
            act.application_id = card.id
        return card

    def why_not(self, card: Card) -> str:
        return behind.why_not(card)

    def _may(self, right: str) -> bool:
        return self.may(right.removeprefix("can_"))

    @expose("/act/<key>/<pk>", methods=["GET", "POST"])
    @allowed("show")
    def act(self, key: str, pk: str) -> Any:
        """GET asks what an act needs to know; POST does it. An act that asks nothing is one POST."""
        if key not in ACTS:
            raise NotFound
        act = ACTS[key]
        must_have(act.right, self.spec.permission)
        return self._act_done(act, pk) if request.method == "POST" else self._asked(act, pk)

    def _asked(self, act: Act, pk: str) -> Any:
        session = db.session()
        row = records.load(session, self.spec, pk)
        audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id, 画面=act.label)
        if why := visits.why_not(act, row, context(session).now()):
            flash(why, "warning")
            return self.to(page_of(row))
        return self._act_page(act, row, ActForm(act, _reasons(session)))

    def _act_page(self, act: Act, row: Reservation, form: ActForm) -> str:
        return self.page("panel/visit_act.html", act=act, row=row, form=form, members=self.household(row))

    def _act_done(self, act: Act, pk: str) -> Any:
        session = db.session()
        form = ActForm(act, _reasons(session), request.form)
        row = records.load(session, self.spec, pk)
        audit.declare(session, self.spec.name, act.key, self.spec.label, 番号=row.id)
        if not form.validate():
            audit.note(session, 入力エラー=form.wrong)
            return self._act_page(act, row, form), 422
        return self._settled(pk, lambda session, row: _perform(session, act, row, form), lambda: self._act_page(act, row, form))

    def _settled(self, pk: str, do: Done, again: Callable[[], str], then: Callable[[Reservation], str] = page_of) -> Any:
        """Does it, a second time when somebody else changed the reservation in the same moment: what they did then counts."""
        session = db.session()
        for _ in range(2):
            row = records.load(session, self.spec, pk)
            try:
                sentence = do(session, row)
            except (StaleDataError, IntegrityError):
                session.rollback()
                continue
            except AppError as error:
                return self._refused(pk, error, again)
            flash(sentence, "success")
            return self.to(then(row))
        raise Conflict(visits.MEANWHILE)

    def _refused(self, pk: str, error: AppError, again: Callable[[], str]) -> Any:
        """What was refused is rolled back before the page is shown anew: places may have been given back already."""
        session = db.session()
        session.rollback()
        audit.note(session, 結果=error.message)
        flash(error.message, "danger")
        if isinstance(error, Conflict) and not isinstance(error, SlotFull | MovedAlready):
            return self.to(page_of(records.load(session, self.spec, pk)))
        return again(), error.status

    @expose("/move/<pk>", methods=["GET", "POST"])
    @allowed("show")
    def move(self, pk: str) -> Any:
        """Old and new time side by side: who it is, where and when else, why; one click."""
        must_have(visits.BOOK, self.spec.permission)
        session = db.session()
        row = records.load(session, self.spec, pk)
        form = MoveForm(_reasons(session), request.form if request.method == "POST" else None)
        if request.method == "GET":
            audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id, 画面="日時の変更")
            if why := visits.why_not_moved(row, context(session).now()):
                flash(why, "warning")
                return self.to(page_of(row))
            return self._move_page(row, form)
        audit.declare(session, self.spec.name, "move", self.spec.label, 番号=row.id)
        if not form.validate():
            audit.note(session, 入力エラー=form.wrong)
            return self._move_page(row, form), 422
        return self._settled(
            pk, lambda session, row: _move(session, row, form), lambda: self._move_page(row, form), chosen_time.after
        )

    def _move_page(self, row: Reservation, form: MoveForm) -> str:
        session, now = db.session(), context(db.session()).now()
        row = records.load(session, self.spec, str(row.id))
        category = session.get_one(BookingCategory, row.category_id)
        places = slots.counters_for(session, category)
        counter = _wished_counter(places, row)
        window = slots.window(category, now, Channel.COUNTER)
        first = _wished_day(row, window)
        times = (
            slots.days(session, category, counter, _channels(), first, first + WEEK - timedelta(days=1), now) if counter else {}
        )
        return self.page(
            "panel/visit_move.html",
            row=row,
            form=form,
            places=places,
            counter=counter,
            first=first,
            week=WEEK,
            times=times,
            window=window,
            chosen=chosen_time.chosen(session, row, category, _channels(), now),
            leave=chosen_time.leaving(row),
        )


def _perform(session: Session, act: Act, row: Reservation, form: ActForm) -> str:
    now, members = context(session).now(), [row]
    if form.whom.data == "all":
        members = list(visits.household(session, row))
    audit.declare(session, "reservation", act.key, "来庁予約", 番号=row.id, **form.told())
    if len(members) > 1:
        done = visits.perform_all(session, act, members, now, form.reason_given())
        return f"{row} と一緒に予約した{done}人の{act.done}。"
    if visits.perform(session, act, row, now, form.reason_given()):
        return f"{row} の{act.done}。"
    return visits.already(act, row)


def _move(session: Session, row: Reservation, form: MoveForm) -> str:
    before = f"{row.booking_date:%Y-%m-%d} {row.start_time:%H:%M}"
    audit.declare(session, "reservation", "move", "来庁予約", 番号=row.id, **form.told())
    now, was = context(session).now(), whole(form.was.data, table_of(Slot).c.id.type)
    visits.move(session, row, int(form.slot.data or 0), _channels(), now, was=was)
    session.flush()
    return f"{row} を {before} から {row.booking_date:%Y-%m-%d} {row.start_time:%H:%M} {row.counter} に変更しました。"


def _channels() -> tuple[Channel, ...]:
    return accounts.channels([role.name for role in current_user.roles])


def _reasons(session: Session) -> list[tuple[str, str]]:
    return codes.choices(session, "visit_reason")


def _wished_counter(places: Any, row: Reservation) -> Counter | None:
    """The counter that was asked for, or the reservation's own."""
    wish = request.values.get("at", "")
    return next((place for place in places if place.code == wish), next((p for p in places if p.id == row.counter_id), None))


def _wished_day(row: Reservation, window: tuple[date, date] | None) -> date:
    """The day that the week begins with: as asked, or the reservation's own, within what can be booked."""
    try:
        wish = date.fromisoformat(request.values.get("from", ""))
    except ValueError:
        wish = row.booking_date
    return min(max(wish, window[0]), window[1]) if window else wish
