"""予約の確認: a booking shown to whoever knows its code and its telephone number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, render_template, request

from app import audit
from app.extensions import db, reading
from app.limits import limit_lookup, limiter
from app.rules import bookings
from booking import papers, seals
from booking.forms import LookupForm
from booking.tongue import N_
from models import Reservation

PER_CODE = "10 per day"
NOT_FOUND = N_("予約が見つかりません。予約番号と電話番号をお確かめください。")
INSTEAD = N_(
    "予約完了の画面は、予約したブラウザーで1時間だけ表示できます。予約の内容は、予約番号と電話番号を入力すると確認できます。"
)


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/lookup", "lookup", lookup)
    pages.add_url_rule("/lookup", "looked_up", _limited(looked_up), methods=["POST"])


def _limited(view: Callable[[], Any]) -> Callable[[], Any]:
    """Counted per address, and per code wherever the tries come from: nobody guesses the number that belongs to a code. Of a code
    only wrong guesses count, so that who looks at their own booking often is never shut out."""
    guesses = limiter.limit(PER_CODE, key_func=_code_asked, deduct_when=_is_wrong_guess)
    return limiter.limit(limit_lookup)(guesses(view))


def _is_wrong_guess(response: Response) -> bool:
    return response.status_code == 404


def _code_asked() -> str:
    """The code as it will be looked up; only a digest is counted, because anything may be typed into the box."""
    return f"code:{seals.digest(bookings.as_code(request.form.get('code', '')))[:32]}"


def lookup() -> str:
    """Also where the address of a done page leads that cannot be shown, in another browser or too late."""
    told = INSTEAD if "instead" in request.args else ""
    return render_template("booking/lookup.html", form=LookupForm(), told=told)


def looked_up() -> Any:
    """One neutral answer to every wrong pair, so that nobody learns which half was right."""
    reading.set(True)
    form = LookupForm(request.form)
    if request.form.get("lang") and not request.form.get("found"):
        return render_template("booking/lookup.html", form=form, told="")  # in another language, with what is typed
    valid = form.validate()
    found = bookings.look_up(db.session(), form.code.value, form.phone.value) if valid else None
    _log(form, found)
    if found is None:
        return render_template("booking/lookup.html", form=form, told=NOT_FOUND if valid else ""), 404 if valid else 422
    return render_template("booking/found.html", form=form, **papers.shown(found))


def _log(form: LookupForm, found: Reservation | None) -> None:
    """The code is kept only when it has the shape of one: anything else might be a name."""
    code = bookings.as_code(form.code.value)
    act = audit.declare(
        db.session(),
        "reservation",
        "lookup",
        "来庁予約",
        予約番号=code if bookings.is_code(code) else "",
        照合="一致" if found else "不一致",
    )
    act.personal_number = bool(form.refused)


__all__ = ["NOT_FOUND", "register"]
