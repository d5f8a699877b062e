"""お客さま → 確認: a POST checks and keeps what was sent, and leads to a page that a GET can show again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException

from app import audit, edge
from app.context import TOKYO, Actor, context
from app.errors import AppError, SlotFull
from app.extensions import db
from app.headers import STALE
from app.limits import first_in_a_minute, limit_booking, limiter
from app.rules import bookings, fairness, holds, pickups, slots
from booking import booked, door, holding, keeping, language, notice, postal, seals, unlocking, work
from booking.choice import Choice, chosen, gone
from booking.choosing import channel
from booking.forms import ApplicantForm, AssistedForm
from booking.holding import Held
from booking.keeping import now
from booking.party import PartyForms
from booking.reading import is_in_kobe
from booking.tongue import N_, Sentence
from models import DraftStep, Intake

_PATH = "/book/<category>/<counter>/<day>/<int(max=9223372036854775807):slot>/"
_RNG = secrets.SystemRandom()
_AWAY: dict[str, tuple[str, tuple[str, ...]]] = {
    "category": ("categories", ()),
    "counter": ("counters", ("category",)),
    "time": ("month", ("category", "counter")),
}
"""What a person may want to choose again while they fill in the form: the page for it, and what its address names."""
PER_FORM = "60 per hour"
CHECK_AGAIN = N_("もう一度、内容をお確かめください。よろしければ、同意のうえ「この内容で予約する」を押してください。")
MOST_PEOPLE = 10
TOO_FAST = N_("入力をもう一度お確かめのうえ、数秒たってから「確認画面へ進む」を押してください。")
UNSEEN = N_("自動入力のしくみが、使わない欄に文字を入れたようです。お手数ですが、もう一度「確認画面へ進む」を押してください。")
COOKIE_LOST = N_(
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
    choice, forms, draft = chosen(**address), _drafted(), keeping.draft()
    held = _held(choice, forms)
    sheet = forms.sheet(_person())
    if draft and draft.step is DraftStep.FAULTY:
        sheet.validate()
    return _form_page(choice, forms, held, keeping.told())


def send(**address: Any) -> Any:
    """The entry comes in, to be checked, to be helped along, or on the way to choosing something else."""
    forms, change = _posted(), request.form.get("change", "")
    if change in _AWAY:
        page, parts = _AWAY[change]
        step = DraftStep.FAULTY if forms.refused else DraftStep.TYPED
        return _keep_and_go(page, forms, step, {part: address[part] for part in parts})
    if change in _HELP:
        return _HELP[change](forms, address)
    if request.form.get("lang"):
        return _in_other_words(forms, address)
    if told := _looks_like_a_program():
        return _keep_and_go("form", forms, DraftStep.TYPED, _at_person(address), told)
    if not forms.sheet(_person()).validate():
        return _keep_and_go("form", forms, DraftStep.FAULTY, _at_person(address))
    if open_ := forms.unfinished():
        step = DraftStep.TYPED if forms.sheet(open_).is_blank else DraftStep.FAULTY
        return _keep_and_go("form", forms, step, _at_person(address, open_))
    return _keep_and_go("check", forms, DraftStep.CHECKED, address)


def _extend(forms: PartyForms, address: dict[str, Any]) -> Any:
    """Ten more minutes, from the form or from the check page; the entry stays as it is."""
    told = holding.extend(forms.first.form_token.data or "")
    if request.form.get("page") == "check":
        return _keep_and_go("check", forms, DraftStep.CHECKED, address, told)
    return _keep_and_go("form", forms, DraftStep.TYPED, _at_person(address), told)


def _in_other_words(forms: PartyForms, address: dict[str, Any]) -> Any:
    """The same page in another language, with everything that is typed; what was wrong is still wrong, and said again."""
    found = keeping.draft()
    is_faulty = bool(forms.refused) or (found is not None and found.step is DraftStep.FAULTY)
    return _keep_and_go("form", forms, DraftStep.FAULTY if is_faulty else DraftStep.TYPED, _at_person(address))


def _fill_address(forms: PartyForms, address: dict[str, Any]) -> Any:
    """The town of the postal code, for whoever has no script to do it while they type."""
    return _keep_and_go("form", forms, DraftStep.TYPED, _at_person(address), postal.fill(forms.first))


def _let_go(forms: PartyForms, _address: dict[str, Any]) -> Any:
    """Somebody has thought better of it: the place is free again, and what they typed is gone."""
    audit.declare(db.session(), "reservation", "let_go", "来庁予約")
    g.wrote = holds.let_go(db.session(), forms.first.form_token.data or "")
    keeping.drop()
    return redirect(url_for(".start", let_go="yes"), 303)


_HELP: dict[str, Callable[[PartyForms, dict[str, Any]], Any]] = {
    "extend": _extend,
    "postal": _fill_address,
    "let_go": _let_go,
}


def _looks_like_a_program() -> str:
    """What a person is told whose entry came faster than anybody types, or with an answer in the box that nobody sees."""
    if g.booking.desk:
        return ""
    if request.form.get("website"):
        return UNSEEN
    quick = seals.age(keeping.reference(), now()).total_seconds() < current_app.config["FORM_SECONDS"]
    return TOO_FAST if quick and keeping.reference() else ""


def check(**address: Any) -> Any:
    choice, forms, draft = chosen(**address), _drafted(), keeping.draft()
    held = _held(choice, forms)
    if draft is None:
        return _form_page(choice, forms, held, keeping.told() or keeping.LOST)
    if open_ := forms.unfinished():
        return redirect(choice.url("form", person=open_), 303)
    puzzle = work.puzzle() if g.booking.desk is None and work.is_asked(choice.category) else ""
    sealed = (*choice.also, work.MARK) if puzzle else choice.also
    return render_template(
        "booking/check.html",
        choice=choice,
        forms=forms,
        people=forms.people(),
        held=held,
        seal=seals.seal(forms.entry(), choice.opening.slot_id, notice.VERSION, sealed),
        told=draft.told,
        puzzle=puzzle,
        missing_consent=draft.step is DraftStep.UNCONSENTED,
        outside=not is_in_kobe(forms.first.address.value, forms.first.postal_code.value),
    )


def confirm(category: str, counter: str, day: str, slot: int) -> Any:
    """Books. Everything is checked again, as if no step before had been; the entry comes with it, so no draft is needed."""
    forms, address = _posted(), {"category": category, "counter": counter, "day": day, "slot": slot}
    if open_ := forms.unfinished():
        return _keep_and_go("form", forms, DraftStep.FAULTY, _at_person(address, open_))
    if told := _unsealed(forms, slot):
        return _keep_and_go("check", forms, DraftStep.CHECKED, address, told)
    if not request.form.get("consent"):
        return _keep_and_go("check", forms, DraftStep.UNCONSENTED, address)
    wish = _request(forms, category, counter, slot)
    audit.declare(db.session(), "reservation", "book", "来庁予約")
    try:
        holds.confirm(db.session(), wish, now(), rng=_RNG)
    except (SlotFull, slots.NotOffered) as error:
        _note_refusal(error)
        return _keep_and_go("check", forms, DraftStep.CHECKED, address)
    except pickups.NotShown as error:
        _note_refusal(error)
        return _keep_and_go("notice", forms, DraftStep.CHECKED, {"category": category}, unlocking.NOT_NOW)
    except (fairness.Refused, pickups.Used) as error:
        _note_refusal(error)
        return _keep_and_go("check", forms, DraftStep.CHECKED, address, error.sentence)
    except bookings.AlreadyUsed as error:
        _note_refusal(error)
        return booked.lead_to(bookings.token_digest(wish.form_token), again=True)
    return booked.lead_to(bookings.token_digest(wish.form_token))


def _unsealed(forms: PartyForms, slot: int) -> str:
    """What keeps a confirmation from counting: it is not of what the check page showed, or that page's puzzle is not solved."""
    mark, entry, also = request.form.get("seal", ""), list(forms.entry()), g.booking.company.also
    if seals.is_sealed(mark, entry, slot, notice.VERSION, also):
        return ""
    if not seals.is_sealed(mark, entry, slot, notice.VERSION, (*also, work.MARK)):
        return CHECK_AGAIN
    return "" if work.is_done(request.form.get("altcha", "")) else work.UNDONE


def _note_refusal(error: AppError) -> None:
    """Booking was refused: told by the log once a minute and caller, because nothing was booked and anybody can try again."""
    if first_in_a_minute("not booked"):
        audit.note(db.session(), 結果=error.message)
    else:
        context(db.session()).act = None


def token_lost(_error: CSRFError) -> Any:
    """The browser lost its cookie (closed, or a day later): what was typed comes back, to be sent once more."""
    edge.begin(current_app.extensions["who"])  # the anti-forgery check stands in front of the edge
    language.choose()
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
    """A resident, as the operation log names them, or the operator who has signed in. Free places of every counter are public."""
    if request.blueprint == "operator":
        return door.actor()
    return Actor(user_id="resident", name="住民", client=edge.client(), counters=None)


def _today() -> date:
    return now().astimezone(TOKYO).date()


def _person() -> int:
    """Whose answers a page is about: the first person, unless the address names another of the household."""
    words = request.args.get("person", "")
    return int(words) if words.isascii() and words.isdecimal() and len(words) <= 2 else 1


def _at_person(address: dict[str, Any], person: int = 0) -> dict[str, Any]:
    number = person or _person()
    return {**address, "person": number if number > 1 else None}


def _people() -> int:
    """How many people the address names; a category that takes fewer at once says so where it is chosen."""
    found: int = g.booking.company.people
    return min(found, MOST_PEOPLE)


def _kind() -> type[ApplicantForm]:
    """The form of who books: the office also writes down how it was asked, and what was said."""
    return AssistedForm if g.booking.desk else ApplicantForm


def _posted() -> PartyForms:
    """The entry as sent; one that does not come from a form of ours has no token and goes no further."""
    forms = PartyForms(request.form, people=_people(), today=_today(), kind=_kind())
    if not forms.first.has_token:
        abort(400)
    return forms


def _drafted() -> PartyForms:
    """The entry as its draft holds it, or an empty one with a token of its own."""
    draft = keeping.draft()
    forms = PartyForms(ImmutableMultiDict(draft.entry) if draft else None, people=_people(), today=_today(), kind=_kind())
    if not forms.first.has_token:
        forms.first.form_token.data = seals.new_form_token()
    return forms


def _held(choice: Choice, forms: PartyForms) -> Held:
    """What the form holds at the time of the address. A time that it does not hold must be free for others still."""
    held = Held(forms.first.form_token.data or "", choice.opening.slot_id)
    if not held.is_live and choice.opening.free < 1:
        raise SlotFull
    return held


def _form_page(choice: Choice, forms: PartyForms, held: Held, told: Sentence | str) -> str:
    person = min(_person(), len(forms.sheets))
    return render_template(
        "booking/form.html", choice=choice, forms=forms, person=person, form=forms.sheet(person), held=held, told=told
    )


def _keep_and_go(page: str, forms: PartyForms, step: DraftStep, address: dict[str, Any], told: Sentence | str = "") -> Any:
    """The answer to every POST but the one that books: the entry is kept, and a page that shows it is named."""
    if forms.refused and first_in_a_minute("personal number"):
        act = audit.declare(db.session(), "reservation", "refused", "個人番号の入力", 項目=forms.refused)
        act.personal_number = True
    keeping.keep(forms.entry(), step, told)
    return redirect(url_for(f".{page}", **address), 303)


def _request(forms: PartyForms, category: str, counter: str, slot: int) -> bookings.BookingRequest:
    first, *others = forms.people()
    return bookings.BookingRequest(
        category=category,
        also=g.booking.company.also,
        counter=counter,
        slot_id=slot,
        applicant=first,
        others=tuple(others),
        channel=channel(),
        form_token=forms.first.form_token.data or "",
        consent_version=notice.VERSION,
        language=language.current(),
        assisted=g.booking.desk is not None,
        **_assisted(forms.first),
    )


def _assisted(form: ApplicantForm) -> dict[str, Any]:
    """What the office adds to somebody else's booking."""
    if not isinstance(form, AssistedForm):
        return {}
    who = context(db.session()).actor.user_id
    return {"intake": Intake(form.intake.data or "phone"), "intake_note": form.intake_note.value, "booked_by": who[:64]}


__all__ = ["register", "token_lost", "visitor"]
