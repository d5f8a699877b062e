"""お客さま → 確認: a POST checks and keeps what was sent, and leads to a page that a GET can show again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from app import audit, edge
from app.context import TOKYO, Actor, context
from app.errors import AppError, SlotFull
from app.extensions import db
from app.headers import STALE
from app.limits import first_in_a_minute, limit_booking, limiter
from app.rules import bookings, slots
from booking import booked, keeping, notice, seals
from booking.choice import Choice, chosen, gone
from booking.choosing import channel
from booking.forms import ApplicantForm
from booking.keeping import now
from booking.reading import is_in_kobe
from models import DraftStep

_PATH = "/book/<category>/<counter>/<day>/<int(max=9223372036854775807):slot>/"
_RNG = secrets.SystemRandom()
_AWAY: dict[str, tuple[str, tuple[str, ...]]] = {
    "category": ("categories", ()),
    "counter": ("counters", ("category",)),
    "time": ("month", ("category", "counter")),
}
"""What a person may want to choose again while they fill in the form: the page for it, and what its address names."""
PER_FORM = "60 per hour"
CHECK_AGAIN = "もう一度、内容をお確かめください。よろしければ、同意のうえ「この内容で予約する」を押してください。"
COOKIE_LOST = (
    "しばらく時間がたったため、もう一度お確かめください。入力した内容は残っています（Cookieを使えない設定では予約できません）。"
)


def register(pages: Blueprint) -> None:
    pages.add_url_rule(_PATH, "form", _or_other_times(form))
    pages.add_url_rule(_PATH, "send", _counted(send), methods=["POST"])
    pages.add_url_rule(f"{_PATH}check", "check", _or_other_times(check))
    pages.add_url_rule(f"{_PATH}confirm", "confirm", _counted(confirm), methods=["POST"])


def _counted(view: Callable[..., Any]) -> Callable[..., Any]:
    """Counted per address, and per form wherever it comes from: nobody fills the log or the drafts."""
    return limiter.limit(limit_booking)(limiter.limit(PER_FORM, key_func=keeping.counted_as)(view))


def _or_other_times(view: Callable[..., Any]) -> Callable[..., Any]:
    """A time that cannot be had any more costs nobody what they have typed: others are offered, and the draft goes along."""

    @wraps(view)
    def answer(**address: Any) -> Any:
        try:
            return view(**address)
        except (slots.NotOffered, SlotFull) as error:
            return gone(**address, error=error)

    return answer


def form(**address: Any) -> Any:
    """Each opening of a form has a reference of its own, so that two tabs are two drafts and going back finds what was sent."""
    if not keeping.reference():
        keeping.browser()
        return redirect(url_for(".form", **address, draft=seals.new_reference(now())), 303)
    choice, sheet, draft = _free(**address), _drafted(), keeping.draft()
    if draft and draft.step is DraftStep.FAULTY:
        sheet.validate()
    return _form_page(choice, sheet, keeping.told())


def send(**address: Any) -> Any:
    """The entry comes in, to be checked or on the way to choosing something else."""
    sheet, away = _posted(), _AWAY.get(request.form.get("change", ""))
    if away:
        page, parts = away
        step = DraftStep.FAULTY if sheet.refused else DraftStep.TYPED
        return _keep_and_go(page, sheet, step, {part: address[part] for part in parts})
    if not sheet.validate():
        return _keep_and_go("form", sheet, DraftStep.FAULTY, address)
    return _keep_and_go("check", sheet, DraftStep.CHECKED, address)


def check(**address: Any) -> Any:
    choice, sheet, draft = _free(**address), _drafted(), keeping.draft()
    if draft is None:
        return _form_page(choice, sheet, keeping.told() or keeping.LOST)
    if not sheet.validate():
        return redirect(choice.url("form"), 303)
    return render_template(
        "booking/check.html",
        choice=choice,
        form=sheet,
        person=sheet.applicant(),
        seal=seals.seal(sheet.entry(), choice.opening.slot_id, notice.VERSION),
        told=draft.told,
        missing_consent=draft.step is DraftStep.UNCONSENTED,
        outside=not is_in_kobe(sheet.address.value, sheet.postal_code.value),
    )


def confirm(category: str, counter: str, day: str, slot: int) -> Any:
    """Books. Everything is checked again, as if no step before had been; the entry comes with it, so no draft is needed."""
    sheet, address = _posted(), {"category": category, "counter": counter, "day": day, "slot": slot}
    if not sheet.validate():
        return _keep_and_go("form", sheet, DraftStep.FAULTY, address)
    if not seals.is_sealed(request.form.get("seal", ""), sheet.entry(), slot, notice.VERSION):
        return _keep_and_go("check", sheet, DraftStep.CHECKED, address, CHECK_AGAIN)
    if not request.form.get("consent"):
        return _keep_and_go("check", sheet, DraftStep.UNCONSENTED, address)
    wish = _request(sheet, category, counter, slot)
    audit.declare(db.session(), "reservation", "book", "来庁予約")
    try:
        bookings.book(db.session(), wish, now(), rng=_RNG)
    except (SlotFull, slots.NotOffered) as error:
        _note_refusal(error)
        return _keep_and_go("check", sheet, DraftStep.CHECKED, address)
    except bookings.AlreadyUsed as error:
        _note_refusal(error)
        return booked.lead_to(bookings.token_digest(wish.form_token), again=True)
    return booked.lead_to(bookings.token_digest(wish.form_token))


def _note_refusal(error: AppError) -> None:
    """Booking was refused: told by the log once a minute and caller, because nothing was booked and anybody can try again."""
    if first_in_a_minute("not booked"):
        audit.note(db.session(), 結果=error.message)
    else:
        context(db.session()).act = None


def token_lost(_error: CSRFError) -> Any:
    """The browser lost its cookie (closed, or a day later): what was typed comes back, to be sent once more."""
    edge.begin(visitor)  # the anti-forgery check stands in front of the edge
    if not request.view_args:
        return edge.page(400, STALE)
    try:
        return _once_more(**request.view_args)
    except (AppError, HTTPException) as error:
        return current_app.handle_user_exception(error)


@_counted
def _once_more(**address: Any) -> Any:
    return _keep_and_go("form", _posted(), DraftStep.TYPED, address, COOKIE_LOST)


def visitor() -> Actor:
    """A resident, as the operation log names them. Free places of every counter are public."""
    return Actor(user_id="resident", name="住民", client=edge.client(), counters=None)


def _today() -> date:
    return now().astimezone(TOKYO).date()


def _posted() -> ApplicantForm:
    """The entry as sent; one that does not come from a form of ours has no token and goes no further."""
    sheet = ApplicantForm(request.form, today=_today())
    if not sheet.has_token:
        abort(400)
    return sheet


def _drafted() -> ApplicantForm:
    """The entry as its draft holds it, or an empty one with a token of its own."""
    draft = keeping.draft()
    sheet = ApplicantForm(ImmutableMultiDict(draft.entry) if draft else None, today=_today())
    if draft is None:
        sheet.form_token.data = seals.new_form_token()
    return sheet


def _free(**address: Any) -> Choice:
    """The time of the address, if it can be had."""
    choice = chosen(**address)
    if choice.opening.free < 1:
        raise SlotFull
    return choice


def _form_page(choice: Choice, sheet: ApplicantForm, told: str) -> str:
    return render_template("booking/form.html", choice=choice, form=sheet, told=told)


def _keep_and_go(page: str, sheet: ApplicantForm, step: DraftStep, address: dict[str, Any], told: str = "") -> Any:
    """The answer to every POST but the one that books: the entry is kept, and a page that shows it is named."""
    if sheet.refused and first_in_a_minute("personal number"):
        act = audit.declare(db.session(), "reservation", "refused", "個人番号の入力", 項目=sheet.refused)
        act.personal_number = True
    keeping.keep(sheet, step, told)
    return redirect(url_for(f".{page}", **address), 303)


def _request(sheet: ApplicantForm, category: str, counter: str, slot: int) -> bookings.BookingRequest:
    return bookings.BookingRequest(
        category=category,
        counter=counter,
        slot_id=slot,
        applicant=sheet.applicant(),
        channel=channel(),
        form_token=sheet.form_token.data or "",
        consent_version=notice.VERSION,
    )


__all__ = ["register", "token_lost", "visitor"]
