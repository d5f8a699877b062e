"""自分の予約: where the office allows it, residents cancel, change the time or bring somebody along by themselves, after the look-up."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app import audit
from app.context import TOKYO
from app.errors import AppError, SlotFull
from app.extensions import db
from app.limits import limit_booking, limiter
from app.rules import holds, parties, pickups, regroup, slots, visits
from app.rules.bookings import Applicant
from app.rules.visits import ACTS, Reason
from booking import keeping, seals
from booking.forms import MemberForm
from booking.keeping import now
from booking.tongue import Sentence
from models import BookingCategory, Channel, Reservation, ReservationState

DAYS = 14
_RNG = secrets.SystemRandom()


def register(pages: Blueprint) -> None:
    for name, view in (("cancel", cancel), ("move", move), ("add", add)):
        pages.add_url_rule(f"/visit/<reference>/{name}", name, view)
        pages.add_url_rule(f"/visit/<reference>/{name}", f"{name}_done", _DO[name], methods=["POST"])


def offered(row: Reservation) -> dict[str, Any]:
    """What the page of a booking may offer its owner, and until when."""
    return {
        "may_cancel": not regroup.why_not(row, now(), cancel=True),
        "may_change": not regroup.why_not(row, now(), cancel=False),
        "until": regroup.until(row),
    }


def _visit(reference: str) -> Reservation | None:
    number = seals.visit_under(reference, keeping.browser())
    return db.session().get(Reservation, number) if number else None


def _members(row: Reservation) -> list[Reservation]:
    return [other for other in holds.seats_of(db.session(), row) if other.state is ReservationState.BOOKED]


def _page(template: str, reference: str, row: Reservation, **shown: Any) -> str:
    return render_template(f"booking/{template}.html", made=row, reference=reference, members=_members(row), **shown)


def _refused(row: Reservation, *, cancel: bool) -> None:
    if why := regroup.why_not(row, now(), cancel=cancel):
        raise AppError(why)


def cancel(reference: str) -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=True)
    return _page("own_cancel", reference, row)


@limiter.limit(limit_booking)
def cancelled(reference: str) -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=True)
    those = _members(row) if request.form.get("whom") == "all" else [row]
    audit.declare(db.session(), "reservation", "cancel", "来庁予約", 番号=row.id, 理由="本人の操作")
    visits.perform_all(db.session(), ACTS["cancel"], those, now(), Reason("own", "本人がインターネットで"))
    return redirect(url_for(".slip", reference=reference, done="cancelled"), 303)


def move(reference: str, told: Sentence | str = "") -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=False)
    session, moment = db.session(), now()
    party = _party(row)
    places = slots.counters_for(session, party.first, party.reach)
    counter = next((p for p in places if p.code == request.args.get("at", "")), row.counter)
    window = slots.window(party.first, moment, within=party.within(counter)) or (row.booking_date, row.booking_date)
    first = _first_day(window)
    days = [first + timedelta(days=n) for n in range(DAYS) if first + timedelta(days=n) <= window[1]]
    found = {day: parties.day(session, party, counter, Channel.WEB, day, moment) for day in days}
    times = {day: [o for o in openings if o.free and o.slot_id != row.slot_id] for day, openings in found.items()}
    return _page(
        "own_move",
        reference,
        row,
        told=told,
        places=places,
        counter=counter,
        first=first,
        window=window,
        times={day: openings for day, openings in times.items() if openings},
        step=timedelta(days=DAYS),
    )


def _party(row: Reservation) -> parties.Party:
    """Everybody who would move, as the calendar counts them."""
    members = _members(row)
    kinds = [db.session().get_one(BookingCategory, key) for key in dict.fromkeys(m.category_id for m in members)]
    reach = pickups.reach_of(db.session(), members, now())
    return parties.Party(categories=tuple(kinds), people=max(1, len(members) // len(kinds)), reach=reach)


def _first_day(window: tuple[date, date]) -> date:
    try:
        wish = date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        wish = window[0]
    return min(max(wish, window[0], now().astimezone(TOKYO).date()), window[1])


@limiter.limit(limit_booking)
def moved(reference: str) -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=False)
    words = request.form.get("slot", "")
    number = int(words) if words.isascii() and words.isdecimal() and len(words) < 19 else 0
    audit.declare(db.session(), "reservation", "move", "来庁予約", 番号=row.id, 理由="本人の操作")
    try:
        regroup.move_party(db.session(), _members(row), number, Channel.WEB, now())
    except (SlotFull, slots.NotOffered, AppError) as error:
        db.session().rollback()
        audit.note(db.session(), 結果=error.message)
        return move(reference, error.sentence), error.status
    return redirect(url_for(".slip", reference=reference, done="moved"), 303)


def add(reference: str) -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=False)
    if row.category.asks_notice:
        raise AppError(regroup.EACH_A_NOTICE)
    return _page("own_add", reference, row, form=_form(), told="")


def _form(sent: Any = None) -> MemberForm:
    return MemberForm(sent, prefix="m2-", today=now().astimezone(TOKYO).date())


@limiter.limit(limit_booking)
def added(reference: str) -> Any:
    row = _visit(reference)
    if row is None:
        return keeping.elsewhere()
    _refused(row, cancel=False)
    form = _form(request.form)
    if request.form.get("lang"):
        return _page("own_add", reference, row, form=form, told="")  # in another language, with what is typed
    if not form.validate():
        if form.refused:
            audit.declare(db.session(), "reservation", "refused", "個人番号の入力", 項目=form.refused).personal_number = True
        return _page("own_add", reference, row, form=form, told=""), 422
    first = Applicant(
        name="",
        name_kana="",
        address=row.address,
        phone=row.phone,
        postal_code=row.postal_code,
        building=row.building,
    )
    audit.declare(db.session(), "reservation", "book", "来庁予約", 理由="家族の追加")
    try:
        regroup.add_person(db.session(), row, _members(row), form.applicant(first), now(), rng=_RNG)
    except AppError as error:
        db.session().rollback()
        audit.note(db.session(), 結果=error.message)
        return _page("own_add", reference, _visit(reference) or row, form=form, told=error.sentence), error.status
    return redirect(url_for(".slip", reference=reference, done="added"), 303)


_DO = {"cancel": cancelled, "move": moved, "add": added}
__all__ = ["offered", "register"]
