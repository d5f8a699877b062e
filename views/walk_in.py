"""予約なしの来庁 at 当日受付: four answers, and the number of the queue."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form, SelectField, StringField
from wtforms.validators import ValidationError

from app import audit, text
from app.context import context
from app.errors import AppError, PersonalNumberFound
from app.extensions import db
from app.rules import accounts, slots, walkin
from app.rules.bookings import Applicant
from app.rules.visits import BOOK
from models import BookingCategory, Counter
from views.access import must_have
from views.reception import HOME

_RNG = secrets.SystemRandom()


def _tidy(typed: str | None) -> str:
    return text.tidy(typed or "")


class WalkInForm(Form):
    category = SelectField("手続き", choices=[], validate_choice=False)
    counter = SelectField("窓口", choices=[], validate_choice=False)
    name = StringField("氏名", filters=[_tidy])
    name_kana = StringField("カナ", filters=[_tidy])
    phone = StringField("電話番号", filters=[_tidy])

    def __init__(self, categories: list[BookingCategory], counters: list[Counter], sent: Any = None) -> None:
        super().__init__(sent)
        self.category.choices = [(row.code, row.name) for row in categories]
        self.counter.choices = [(row.code, row.name) for row in counters]

    def validate_category(self, field: SelectField) -> None:
        _one_of(field, "手続きを選んでください。")

    def validate_counter(self, field: SelectField) -> None:
        _one_of(field, "窓口を選んでください。")

    def validate_name(self, field: StringField) -> None:
        if not field.data or len(field.data) > 200:
            raise ValidationError("氏名を200文字以内で入力してください。")
        _refuse_number(field)

    def validate_name_kana(self, field: StringField) -> None:
        _refuse_number(field)
        field.data = _read(field, text.read_kana)[:200]

    def validate_phone(self, field: StringField) -> None:
        field.data = _read(field, text.read_phone)


def _one_of(field: SelectField, words: str) -> None:
    if field.data not in dict(field.choices):
        raise ValidationError(words)


def _refuse_number(field: StringField) -> None:
    if text.has_personal_number(field.data):
        field.data = ""
        raise ValidationError(PersonalNumberFound(label=field.label.text).message)


def _read(field: StringField, read: Callable[[str], str]) -> str:
    try:
        return read(field.data)
    except text.Unreadable as error:
        raise ValidationError(f"{field.label.text}は{error}。") from None


class WalkInView(BaseView):
    route_base, default_view, class_permission_name = "/walk-in", "ask", "Reservation"

    @expose("/", methods=["GET"])
    def ask(self) -> Any:
        must_have(BOOK, "Reservation")
        return self._page(_form(db.session()), "")

    @staticmethod
    def _page(form: WalkInForm, told: str) -> str:
        return render_template("panel/walk_in.html", form=form, told=told)

    @expose("/", methods=["POST"])
    def receive(self) -> Any:
        must_have(BOOK, "Reservation")
        session = db.session()
        form = _form(session, request.form)
        audit.declare(session, "reservation", "book", "来庁予約", 画面="予約なしの来庁")
        if not form.validate():
            audit.note(session, 入力エラー=[field.label.text for field in form if field.errors])
            return self._page(form, ""), 422
        try:
            row = _received(session, form)
        except AppError as error:
            session.rollback()
            audit.note(session, 結果=error.message)
            return self._page(_form(session, request.form), error.message), error.status
        flash(f"{row} を受け付けました。受付番号は {row.queue_number} です。", "success")
        return redirect(f"{HOME}?of={row.id}", 303)


def _form(session: Session, sent: Any = None) -> WalkInForm:
    mine = context(session).actor.counters
    counters = select(Counter).where(Counter.is_open).order_by(Counter.sort_order, Counter.id)
    own = [row for row in session.scalars(counters) if mine is None or row.id in mine]
    return WalkInForm(slots.procedures(session, context(session).now()), own, sent)


def _received(session: Session, form: WalkInForm) -> Any:
    now = context(session).now()
    category = slots.procedure(session, form.category.data, now)
    counter = slots.open_counter(session, form.counter.data)
    person = Applicant(name=form.name.data or "", name_kana=form.name_kana.data or "", address="", phone=form.phone.data or "")
    channels = accounts.channels([role.name for role in current_user.roles])
    return walkin.receive(session, category, counter, person, channels, now, rng=_RNG)
