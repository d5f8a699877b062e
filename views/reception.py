"""受付: one field that a scanner types into, and everybody who is expected today, each checked in with one click."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.exc import StaleDataError

from app import audit
from app.context import TOKYO, context
from app.errors import AppError, Conflict, NotFound
from app.extensions import db
from app.rules import bookings, visits
from app.rules.visits import ACTS
from app.schema import specs
from app.text import has_personal_number
from models import Reservation, ReservationState
from models.bookings import CODE_ALPHABET
from views import behind, records
from views.access import must_have

HOME = "/reception/"
EXPECTED = (ReservationState.BOOKED, ReservationState.ARRIVED, ReservationState.NO_SHOW)
ON_TIME = 5  # minutes before and after
MOST = 500  # visits of a day on one page; the busiest counter has room for fewer
_ARRIVE = ACTS["arrive"]
_CODE = re.compile(rf"(?<![0-9A-Z])[{CODE_ALPHABET}]{{{bookings.CODE_LENGTH}}}(?![0-9A-Z])")
LONGEST = 300  # characters of anything scanned
NO_CODE = "予約番号を読み取れません。10文字の予約番号か、予約票の二次元コードを読み取ってください。"
NOBODY = "この番号の予約は、担当する窓口にありません。番号を確かめるか、氏名で探してください。"


@dataclass(frozen=True)
class Arrival:
    """Who has just been checked in, how their time compares with the clock, and who was booked together with them."""

    row: Reservation
    others: Sequence[Reservation]

    @property
    def remark(self) -> str:
        """Early or late, in words."""
        if self.row.arrived_at is None:
            return ""
        came, due = self.row.arrived_at.astimezone(TOKYO), datetime.combine(self.row.booking_date, self.row.start_time, TOKYO)
        minutes = int((came - due).total_seconds() // 60)
        return f"{_long(minutes)}遅れ" if minutes > ON_TIME else f"{_long(-minutes)}早い" if minutes < -ON_TIME else "時間どおり"


def _long(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours}時間{rest}分" if hours else f"{rest}分"


class ReceptionView(BaseView):
    route_base, default_view, class_permission_name = "/reception", "index", "Reservation"

    @expose("/")
    def index(self) -> Any:
        must_have(_ARRIVE.right, "Reservation")
        session = db.session()
        audit.declare(session, "reservation", "list", "来庁予約", 画面="当日受付")
        return self._page("", "")

    def _page(self, typed: str, error: str) -> str:
        session = db.session()
        rows = _of_today(session)
        arrival = _just_arrived(session)
        seen = [*rows, *([arrival.row, *arrival.others] if arrival else [])]
        cards = behind.cards_of(seen)
        audit.note(session, 件数=len(rows), **audit.keys_of(dict.fromkeys([*seen, *cards.values()])))
        return render_template(
            "panel/reception.html",
            rows=rows,
            spec=specs()[Reservation],
            typed=typed,
            error=error,
            arrival=arrival,
            cards=cards,
            why_not=behind.why_not,
            today=context(session).local().date(),
            count={state: sum(row.state is state for row in rows) for state in EXPECTED},
        )

    @expose("/check", methods=["POST"])
    def check(self) -> Any:
        """A code from the scanner or the keyboard. Scanned twice, it gets the same answer."""
        must_have(_ARRIVE.right, "Reservation")
        session, typed = db.session(), request.form.get("code", "")
        act = audit.declare(session, "reservation", "arrive", "来庁予約")
        code = _code_in(typed)
        row = session.scalar(select(Reservation).where(Reservation.booking_code == code)) if code else None
        if row is None:
            act.personal_number = has_personal_number(typed)
            act.detail["結果"] = "予約番号でない文字" if not code else "該当なし"
            return self._page(code, NOBODY if code else NO_CODE), 422
        return self._checked_in([str(row.id)])

    @expose("/arrive", methods=["POST"])
    def arrive(self) -> Any:
        """One click in the list, or everybody who was booked together."""
        must_have(_ARRIVE.right, "Reservation")
        return self._checked_in(request.form.getlist("id")[:MOST])

    def _checked_in(self, keys: list[str]) -> Any:
        session = db.session()
        for _ in range(2):
            try:
                rows = [records.load(session, specs()[Reservation], key) for key in dict.fromkeys(keys)]
                return self._arrived(session, rows)
            except (StaleDataError, IntegrityError):
                session.rollback()
            except AppError as error:
                session.rollback()
                if isinstance(error, NotFound):
                    raise
                audit.note(session, 結果=error.message)
                return self._page("", error.message), 409
        raise Conflict(visits.MEANWHILE)

    def _arrived(self, session: Session, rows: list[Reservation]) -> Any:
        now = context(session).now()
        audit.declare(session, "reservation", "arrive", "来庁予約", 番号=[row.id for row in rows])
        changed = [row for row in rows if visits.perform(session, _ARRIVE, row, now)]
        if rows and not changed:
            flash(visits.already(_ARRIVE, rows[0]), "warning")
        return redirect(f"{HOME}?of={rows[0].id}" if rows else HOME, 303)


def _code_in(typed: str) -> str:
    """The reservation code in what a scanner sent: the code itself, or an address that ends with it."""
    found = _CODE.findall(bookings.as_code(typed[:LONGEST]))
    return str(found[-1]) if found else ""


def _of_today(session: Session) -> Sequence[Reservation]:
    """Everybody of today at this person's counters, in the order of the clock."""
    today = context(session).local().date()
    wanted = select(Reservation).where(Reservation.booking_date == today, Reservation.state.in_(EXPECTED))
    return session.scalars(
        wanted.order_by(Reservation.start_time, Reservation.id).limit(MOST).options(selectinload(Reservation.counter))
    ).all()


def _just_arrived(session: Session) -> Arrival | None:
    key = request.args.get("of", "")
    row = records.get(session, Reservation, key) if key else None
    if row is None or row.state is not ReservationState.ARRIVED:
        return None
    others = [other for other in visits.household(session, row) if other.id != row.id]
    return Arrival(row, others)
