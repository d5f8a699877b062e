"""お客さま → 確認 → 完了: the entry travels in POSTed fields and is checked again at every step; nothing is kept in between."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from functools import wraps
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError

from app import audit, edge
from app.context import Actor, context
from app.errors import AppError, NotFound, SlotFull
from app.extensions import db, reading
from app.headers import STALE
from app.limits import limit_booking, limiter
from app.rules import bookings, slots
from booking import notice, seals, words
from booking.choosing import channel, the_category, the_counter, the_day
from booking.forms import ApplicantForm
from booking.reading import is_in_kobe
from models import BookingCategory, Counter, Reservation

_PATH = "/book/<category>/<counter>/<day>/<int(max=9223372036854775807):slot>/"
_RNG = secrets.SystemRandom()
CHECK_AGAIN = "もう一度、内容をお確かめください。よろしければ、同意のうえ「この内容で予約する」を押してください。"
COOKIE_LOST = (
    "しばらく時間がたったため、もう一度お確かめください。入力した内容は残っています（Cookieを使えない設定では予約できません）。"
)


@dataclass(frozen=True)
class Choice:
    """What was chosen so far: procedure, place and time."""

    category: BookingCategory
    counter: Counter
    opening: slots.Opening

    def url(self, endpoint: str, opening: slots.Opening | None = None, counter: Counter | None = None) -> str:
        at = opening or self.opening
        return url_for(
            f".{endpoint}",
            category=self.category.code,
            counter=(counter or self.counter).code,
            day=at.date.isoformat(),
            slot=at.slot_id,
        )


def register(pages: Blueprint) -> None:
    pages.add_url_rule(_PATH, "form", form)
    pages.add_url_rule(_PATH, "check", _or_other_times(check), methods=["POST"])
    pages.add_url_rule(f"{_PATH}edit", "edit", _or_other_times(edit), methods=["POST"])
    pages.add_url_rule(f"{_PATH}confirm", "confirm", limiter.limit(limit_booking)(_or_other_times(confirm)), methods=["POST"])
    pages.add_url_rule("/booked/<reference>", "done", done)


def _or_other_times(view: Callable[..., Any]) -> Callable[..., Any]:
    """A time that is not offered any more costs nobody what they have typed: others are offered, and the entry goes along."""

    @wraps(view)
    def answer(**address: Any) -> Any:
        try:
            return view(**address)
        except slots.NotOffered as error:
            return _gone(_gone_choice(**address), _posted(), error)

    return answer


def form(category: str, counter: str, day: str, slot: int) -> Any:
    choice = _choice(category, counter, day, slot)
    sheet = _sheet()
    sheet.form_token.data = seals.new_form_token()
    return _gone(choice, sheet, SlotFull()) if choice.opening.free < 1 else _form_page(choice, sheet)


def check(category: str, counter: str, day: str, slot: int) -> Any:
    reading.set(True)  # nothing is written yet: SQLite's one writer is left to those who book
    sheet = _posted()
    choice = _choice(category, counter, day, slot)
    if not sheet.validate():
        return _form_page(choice, sheet)
    return _gone(choice, sheet, SlotFull()) if choice.opening.free < 1 else _check_page(choice, sheet)


def edit(category: str, counter: str, day: str, slot: int) -> Any:
    reading.set(True)
    return _form_page(_choice(category, counter, day, slot), _posted())


def confirm(category: str, counter: str, day: str, slot: int) -> Any:
    """Books. Everything is checked again, as if no step before had been."""
    sheet, consents = _posted(), bool(request.form.get("consent"))
    audit.declare(db.session(), "reservation", "book", "来庁予約")
    is_valid, is_sealed = sheet.validate(), seals.is_sealed(request.form.get("seal", ""), sheet.entry(), slot, notice.VERSION)
    if not (is_valid and is_sealed and consents):
        return _once_more(_choice(category, counter, day, slot), sheet, is_sealed=is_sealed)
    try:
        made = bookings.book(db.session(), _request(category, counter, slot, sheet), _now(), rng=_RNG)
    except SlotFull as error:
        return _gone(_choice(category, counter, day, slot), sheet, error)
    except bookings.AlreadyUsed as error:
        return _second_booking(_choice(category, counter, day, slot), sheet, error.earlier)
    return redirect(url_for(".done", reference=seals.done_reference(made.id)), 303)


def done(reference: str) -> str:
    number = seals.reservation_of(reference)
    made = db.session.get(Reservation, number) if number else None
    if made is None:
        raise NotFound("この画面は表示できる時間を過ぎました。予約の内容は「予約を確認する」でご覧ください。")
    return render_template("booking/done.html", made=made)


def token_lost(_error: CSRFError) -> Any:
    """The browser lost its cookie (closed, or a day later): what was typed comes back, to be sent once more."""
    edge.begin(visitor)  # the anti-forgery check stands in front of the edge
    reading.set(True)
    if not request.view_args or not _sheet().has_token:
        return edge.page(400, STALE)
    try:
        return _or_other_times(_ask_again)(**request.view_args)
    except AppError as error:
        return edge.page(error.status, error.message)


def _ask_again(**address: Any) -> Any:
    return _form_page(_choice(**address), _posted(), status=400, told=COOKIE_LOST)


def visitor() -> Actor:
    """A resident, as the operation log names them. Free places of every counter are public."""
    return Actor(user_id="resident", name="住民", client=edge.client(), counters=None)


def _now() -> datetime:
    return context(db.session()).now()


def _sheet() -> ApplicantForm:
    today = context(db.session()).local().date()
    return ApplicantForm(request.form if request.method == "POST" else None, today=today)


def _posted() -> ApplicantForm:
    """The entry as posted; one that does not come from a form of ours has no token and goes no further."""
    sheet = _sheet()
    if not sheet.has_token:
        abort(400)
    return sheet


def _choice(category: str, counter: str, day: str, slot: int) -> Choice:
    """What the address says, if it is offered, and if its parts belong together."""
    found = slots.offer(db.session(), slot, category, channel(), _now())
    if (found.counter.code, found.slot.slot_date) != (counter, the_day(day)):
        raise slots.NotOffered
    at = found.slot
    return Choice(
        found.category, found.counter, slots.Opening(at.id, at.counter_id, at.slot_date, at.start_time, at.end_time, at.free)
    )


def _gone_choice(category: str, counter: str, day: str, slot: int) -> Choice:
    """What the address says of a time that is not offered any more: enough to find others near it."""
    place, noon = the_counter(counter), time(12)
    return Choice(the_category(category), place, slots.Opening(slot, place.id, the_day(day), noon, noon, 0))


def _request(category: str, counter: str, slot: int, sheet: ApplicantForm) -> bookings.BookingRequest:
    return bookings.BookingRequest(
        category=category,
        counter=counter,
        slot_id=slot,
        applicant=sheet.applicant(),
        channel=channel(),
        form_token=sheet.form_token.data or "",
        consent_version=notice.VERSION,
    )


def _form_page(choice: Choice, sheet: ApplicantForm, *, status: int = 200, told: str = "") -> Any:
    if sheet.refused:
        act = audit.declare(db.session(), "reservation", "refused", "個人番号の入力", 項目=sheet.refused)
        act.personal_number = True
    body = render_template("booking/form.html", choice=choice, form=sheet, told=told)
    return body, 422 if sheet.errors else status


def _check_page(choice: Choice, sheet: ApplicantForm, *, status: int = 200, told: str = "", missing_consent: bool = False) -> Any:
    mark = seals.seal(sheet.entry(), choice.opening.slot_id, notice.VERSION)
    body = render_template(
        "booking/check.html",
        choice=choice,
        form=sheet,
        person=sheet.applicant(),
        seal=mark,
        told=told,
        missing_consent=missing_consent,
        outside=not is_in_kobe(sheet.address.value, sheet.postal_code.value),
    )
    return body, status


def _once_more(choice: Choice, sheet: ApplicantForm, *, is_sealed: bool) -> Any:
    """A confirmation that does not count: back to the form, or to a check page that shows what would be booked."""
    if sheet.errors:
        return _form_page(choice, sheet)
    return _check_page(choice, sheet, status=422, told="" if is_sealed else CHECK_AGAIN, missing_consent=is_sealed)


def _second_booking(choice: Choice, sheet: ApplicantForm, earlier: Reservation) -> Any:
    """The form of a finished booking came again with other words: shown as what it is, a further booking."""
    sheet.form_token.data = seals.new_form_token()
    told = (
        f"この画面からは、{words.short_day(earlier.booking_date)} {words.hour(earlier.start_time)}の予約をすでに受け付けています。"
        "別の予約としてもう1件申し込むときだけ、もう一度「この内容で予約する」を押してください。"
    )
    return _check_page(choice, sheet, status=409, told=told)


def _gone(choice: Choice, sheet: ApplicantForm, error: AppError) -> Any:
    """The time has gone: the sentence and the nearest other times, each a button that takes the entry along."""
    wish = datetime.combine(choice.opening.date, choice.opening.start)
    session, now = db.session(), _now()
    others = slots.near(session, choice.category, choice.counter, channel(), wish, now)
    elsewhere = [(c, o) for c, o in slots.earliest(session, choice.category, channel(), now) if c.id != choice.counter.id]
    body = render_template("booking/gone.html", choice=choice, form=sheet, told=error.message, others=others, elsewhere=elsewhere)
    return body, error.status


__all__ = ["register", "token_lost", "visitor"]
