"""空き待ち: joining the line of a full day, looking where one stands, and taking up an offer."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for

from app import audit
from app.errors import AppError
from app.extensions import db
from app.limits import limit_booking, limit_lookup, limiter
from app.rules import holds, pickups, slots, waiting
from booking import keeping, seals
from booking.choosing import the_day, the_party
from booking.forms import LookupForm, WaitingForm
from booking.keeping import now
from booking.language import current
from booking.tongue import N_, Sentence
from models import DraftStep, ReservationState, WaitingEntry, WaitingState

NOT_FOUND = N_("空き待ちが見つかりません。受付番号と電話番号をお確かめください。")
OVER = N_("ご案内の期限が過ぎたため、予約に進めません。もう一度、空き待ちに登録するか、ほかの日をお選びください。")


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/waiting", "waiting", look_up)
    pages.add_url_rule("/waiting", "waiting_found", limiter.limit(limit_lookup)(found), methods=["POST"])
    pages.add_url_rule("/waiting/<category>/<counter>/<day>/", "join", join)
    pages.add_url_rule("/waiting/<category>/<counter>/<day>/", "joined", limiter.limit(limit_booking)(joined), methods=["POST"])
    pages.add_url_rule("/waiting/entry/<reference>", "entry", entry)
    pages.add_url_rule("/waiting/entry/<reference>/take", "take", take, methods=["POST"])
    pages.add_url_rule("/waiting/entry/<reference>/leave", "leave", leave, methods=["POST"])


def join(category: str, counter: str, day: str) -> str:
    return _join_page(category, counter, the_day(day), WaitingForm(), "")


def _join_page(category: str, counter: str, day: date, form: WaitingForm, told: Sentence | str) -> str:
    party, place = the_party(category), slots.open_counter(db.session(), counter)
    if not party.first.takes_waiting:
        raise slots.NotOffered
    return render_template(
        "booking/waiting_join.html", party=party, counter=place, day=day, form=form, told=told, lasts=waiting.OFFER_LASTS
    )


def joined(category: str, counter: str, day: str) -> Any:
    session, form, on = db.session(), WaitingForm(request.form), the_day(day)
    if request.form.get("lang"):
        return _join_page(category, counter, on, form, "")  # in another language, with what is typed
    if not form.validate():
        if form.refused:
            audit.declare(session, "waiting_entry", "refused", "個人番号の入力", 項目=form.refused).personal_number = True
        return _join_page(category, counter, on, form, ""), 422
    party = the_party(category)
    audit.declare(session, "waiting_entry", "add", "空き待ち")
    try:
        made = waiting.join(
            session,
            party.first,
            slots.open_counter(session, counter),
            on,
            people=party.people,
            name=form.name.value,
            phone=form.phone.value,
            email=form.email.value,
            language=current(),
            now=now(),
            cards=keeping.claims() if party.asks_notice else (),
        )
    except AppError as error:
        audit.note(session, 結果=error.message)
        return _join_page(category, counter, on, form, error.sentence), error.status
    return redirect(_address(made), 303)


def _address(made: WaitingEntry) -> str:
    return url_for(".entry", reference=seals.waiting_reference(made.id, keeping.browser()))


def look_up() -> str:
    return render_template("booking/waiting.html", form=LookupForm(), told="")


def found() -> Any:
    """One neutral answer to every wrong pair."""
    form = LookupForm(request.form)
    if request.form.get("lang"):
        return render_template("booking/waiting.html", form=form, told="")
    valid = form.validate()
    made = waiting.find(db.session(), form.code.value, form.phone.value) if valid else None
    audit.declare(db.session(), "waiting_entry", "lookup", "空き待ち", 照合="一致" if made else "不一致").personal_number = bool(
        form.refused
    )
    if made is None:
        return render_template("booking/waiting.html", form=form, told=NOT_FOUND if valid else ""), 404 if valid else 422
    return redirect(_address(made), 303)


def _entry(reference: str) -> WaitingEntry | None:
    number = seals.waiting_under(reference, keeping.browser())
    return db.session().get(WaitingEntry, number) if number else None


def entry(reference: str, told: str = "") -> Any:
    made = _entry(reference)
    if made is None:
        return redirect(url_for(".waiting"), 303)
    ahead = waiting.ahead(db.session(), made) if made.state is WaitingState.WAITING else 0
    return render_template("booking/waiting_entry.html", made=made, ahead=ahead, reference=reference, told=told)


def take(reference: str) -> Any:
    """Opens the form whose places are held, in this browser, with what is known already."""
    made = _entry(reference)
    if made is None:
        return redirect(url_for(".waiting"), 303)
    rows = holds.held_by(db.session(), made.form_token or "")
    if made.state is not WaitingState.OFFERED or not rows or rows[0].state is not ReservationState.HELD:
        return entry(reference, OVER), 409
    first, token = rows[0], made.form_token or ""
    g.booking.reference = ""
    known = {"form_token": token, "name": made.name, "phone": made.phone, "email": made.email}
    keeping.keep(known.items(), DraftStep.TYPED, cards=pickups.unpacked(made.cards))
    return redirect(
        url_for(
            ".form",
            category=made.category.code,
            counter=made.counter.code,
            day=first.booking_date.isoformat(),
            slot=first.slot_id,
            people=made.people if made.people > 1 else None,
        ),
        303,
    )


def leave(reference: str) -> Any:
    made = _entry(reference)
    if made is None:
        return redirect(url_for(".waiting"), 303)
    audit.declare(db.session(), "waiting_entry", "cancel", "空き待ち", 番号=made.id)
    waiting.withdraw(db.session(), made, now())
    return redirect(url_for(".entry", reference=reference), 303)


__all__ = ["register"]
