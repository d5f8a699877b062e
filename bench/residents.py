"""What the residents of the bench do, each from an address of their own: send a finished booking, or walk all the way to one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flask import Flask

from bench.browsing import Answer, Browser, Fields, fields
from bench.houses import KEY
from booking import notice, seals


@dataclass(frozen=True)
class Place:
    """A slot as the address of its form."""

    id: int
    path: str


class Ended(NamedTuple):
    how: str
    seconds: float


Resident = Callable[[int], Ended]
"""Books once, under a number of their own."""


def bare(port: int, places: list[Place]) -> Resident:
    """Sends the entry to the bare view."""

    def send(number: int) -> Ended:
        entry = {**_person(number), "form_token": secrets.token_urlsafe(32)}
        begun = time.perf_counter()
        answer = _browser(port).ask(f"/book/{places[number % len(places)].id}/confirm", entry)
        return _ended(answer, begun)

    return send


def sender(port: int, places: list[Place]) -> Resident:
    """Sends finished check pages, one after the other: only the request that books is timed."""
    signer = Flask(__name__)
    signer.secret_key = KEY
    browser = _browser(port)
    token = fields(browser.open(places[0].path).page)["csrf_token"]

    def send(number: int) -> Ended:
        place, entry = places[number % len(places)], {**_person(number), "form_token": seals.new_form_token()}
        with signer.app_context():
            mark = seals.seal(entry.items(), place.id, notice.VERSION)
        one, begun = browser.elsewhere(_address()), time.perf_counter()
        return _ended(one.ask(f"{place.path}confirm", {**entry, "csrf_token": token, "seal": mark, "consent": "y"}), begun)

    return send


def walker(port: int, places: list[Place]) -> Resident:
    """Walks like a person: procedures, counters, month, times, form, check page, booking, done page. The whole walk is timed."""

    def walk(number: int) -> Ended:
        place, browser, begun = places[number % len(places)], _browser(port), time.perf_counter()
        steps = place.path.split("/")  # "", book, procedure, counter, day, slot, ""
        for end in range(2, 6):
            browser.open("/".join(steps[:end]) + "/")
        form = browser.open(place.path)
        check = browser.open(browser.ask(form.path, {**fields(form.page), **_person(number)}).location)
        answer = browser.ask(check.path.replace("/check", "/confirm"), {**fields(check.page), "consent": "y"})
        if answer.status == 303:
            browser.open(answer.location)
        return _ended(answer, begun)

    return walk


def _ended(answer: Answer, begun: float) -> Ended:
    """Booked, refused (the way leads back to a page that offers other times), or what went wrong."""
    if answer.status == 303:
        how = "booked" if answer.location.startswith("/booked/") else "refused"
    else:
        how = "refused" if answer.status == 409 else f"answered {answer.status}"
    return Ended(how, time.perf_counter() - begun)


def _browser(port: int) -> Browser:
    return Browser(port, _address())


def _address() -> str:
    number = secrets.randbits(24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _person(number: int) -> Fields:
    return {
        "name": f"神戸 花子{number}",
        "name_kana": "コウベ ハナコ",
        "birth_year": "昭和35",
        "birth_month": "4",
        "birth_day": "1",
        "sex": "",
        "postal_code": "650-0001",
        "address": "神戸市中央区加納町6丁目5番1号",
        "building": "",
        "phone": f"080{number % 10**8:08}",
        "email": "hanako@example.jp",
        "message": "",
    }
