"""交付通知書: the number on it and the birth date of its owner unlock the booking of a card that is ready to be fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for

from app import audit
from app.context import TOKYO
from app.extensions import db
from app.keys import keys_of
from app.limits import limit_lookup, limiter
from app.rules import holds, parties, pickups
from app.rules.parties import Party
from app.rules.pickups import Claim, NotShown, Ticket, Used
from booking import keeping, seals
from booking.forms import NoticeForm
from booking.keeping import now
from booking.tongue import N_, Sentence
from models import DraftStep, Reservation, ReservationState

PER_NUMBER = "10 per day"
NOT_FOUND = N_(
    "番号か生年月日が一致しないか、まだ受け取りの準備ができていません。交付通知書をご覧になり、もう一度お確かめください。"
    "それでも進めないときは、コールセンターへお電話ください。"
)
NOT_NOW = N_("確認した交付通知書では、いまは予約できません。もう一度、番号と生年月日を確認してください。")
APART = N_("このカードは、先に確認したカードと同じ窓口では受け取れません。お手数ですが、別々に予約してください。")


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/book/<category>/notice", "notice", notice)
    pages.add_url_rule("/book/<category>/notice", "unlock", _limited(unlock), methods=["POST"])
    pages.register_error_handler(NotShown, lambda _error: redirect(url_for(".notice", **_procedure()), 303))


def _procedure() -> dict[str, Any]:
    return {"category": (request.view_args or {})["category"]}


def _limited(view: Callable[..., Any]) -> Callable[..., Any]:
    """Counted per address, and per number wherever the tries come from; only wrong guesses count, so that a family shuts nobody out."""
    guesses = limiter.limit(PER_NUMBER, key_func=_number_asked, deduct_when=_is_wrong_guess)
    return limiter.limit(limit_lookup, deduct_when=_is_wrong_guess)(guesses(view))


def _is_wrong_guess(response: Response) -> bool:
    return response.status_code == 404


def _number_asked() -> str:
    """The number as it will be looked for; only a digest is counted, because it opens something."""
    return f"notice:{seals.digest(pickups.as_notice(request.form.get('number', '')))[:32]}"


def notice(category: str) -> str:
    return _page(_party(category), NoticeForm(None, today=_today()), keeping.told())


def unlock(category: str) -> Any:
    """A number and a birth date come in. Everything that is wrong gets one answer, so that nobody learns what it was."""
    if request.form.get("change") == "forget":
        _keep({}, ())
        return redirect(url_for(".notice", category=category), 303)
    party, form = _party(category), NoticeForm(request.form, today=_today())
    if request.form.get("lang"):
        return _page(party, form, "")  # in another language, with what is typed
    found = pickups.find(db.session(), form.number.value, form.born, now()) if form.validate() and form.born else None
    _log(form, found)
    if found is None:
        is_filled_in = not form.complaints()
        return _page(party, form, NOT_FOUND if is_filled_in else ""), 404 if is_filled_in else 422
    if (visit := pickups.visit_of(db.session(), found.ref)) is not None and _is_in_the_way(visit):
        return _page(party, form, Used(visit).sentence), 409
    return _unlocked(party, form, found)


def _unlocked(party: Party, form: NoticeForm, found: Ticket) -> Any:
    """One more card, and on to the places where all of them can be fetched."""
    mark = pickups.notice_mark(keys_of(db.session()), form.number.value)
    cards = _cards()
    if found.ref not in [card.ref for card in cards]:
        cards = (*cards, Claim(found.ref, mark))[: _most(party)]
    if not pickups.reach(db.session(), cards, now()).counters:
        return _page(party, form, APART), 409
    prefix = f"m{len(cards)}-" if len(cards) > 1 else ""
    _keep({f"{prefix}{name}": typed for name, typed in form.birth_typed().items()}, cards)
    g.booking.company = replace(g.booking.company, people=len(cards))
    return redirect(url_for(".counters", category=party.first.code), 303)


def refused(category: str, error: Used) -> Any:
    """The page for a card that somebody has a visit for, or is about to."""
    return _page(_party(category), NoticeForm(None, today=_today()), error.sentence), error.status


def _party(category: str) -> Party:
    """For what they come, as the address says it; who comes is found out here."""
    company = g.booking.company
    return parties.party_of(db.session(), (category, *company.also), company.people, now())


def _cards() -> tuple[Claim, ...]:
    """The cards named so far, as long as all of them can be fetched."""
    named = keeping.claims()
    try:
        return named if named and pickups.reach(db.session(), named, now()) else ()
    except NotShown:
        return ()


def _is_in_the_way(visit: Reservation) -> bool:
    """Not a time that this form holds itself, nor one that somebody's form held until a moment ago."""
    if visit.state is not ReservationState.HELD:
        return True
    is_over = visit.held_until is not None and visit.held_until < now()
    return not is_over and visit.id not in [row.id for row in holds.held_by(db.session(), keeping.token())]


def _keep(typed: dict[str, str], cards: tuple[Claim, ...]) -> None:
    """The form that follows knows the birth date already."""
    draft = keeping.draft()
    entry = {**(draft.entry if draft else {}), **typed, "form_token": keeping.token()}
    keeping.keep(entry.items(), draft.step if draft else DraftStep.TYPED, cards=cards)


def _most(party: Party) -> int:
    return min(category.max_party for category in party.categories)


def _today() -> date:
    return now().astimezone(TOKYO).date()


def _page(party: Party, form: NoticeForm, told: Sentence | str) -> str:
    cards = _cards()
    return render_template(
        "booking/notice.html",
        party=party,
        category=party.first,
        form=form,
        told=told,
        known=len(cards),
        is_named=bool(keeping.claims()),
        may_add=len(cards) < _most(party),
    )


def _log(form: NoticeForm, found: Ticket | None) -> None:
    """Neither number nor birth date: only whether they went together."""
    act = audit.declare(db.session(), "reservation", "unlock", "来庁予約", 照合="一致" if found else "不一致")
    act.personal_number = bool(form.refused)


__all__ = ["NOT_FOUND", "NOT_NOW", "refused", "register"]
