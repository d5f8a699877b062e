"""What the residents of the bench do, each from an address of their own: send a finished booking, hold and book, or walk all the way."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from flask import Flask

from bench.browsing import Answer, Browser, Fields, fields
from bench.houses import KEY
from bench.walking import Place, Walk, address, somebody
from booking import notice, seals


class Ended(NamedTuple):
    """How it ended, the seconds of what was timed, and those of each page on the way."""

    how: str
    seconds: float
    pages: tuple[float, ...] = ()


Resident = Callable[[int], Ended]
"""Books once, under a number of their own, which says at which of the places."""


def bare(port: int, places: list[Place], path: str = "book") -> Resident:
    """Sends the entry to a bare view."""

    def send(number: int) -> Ended:
        entry = {**somebody(), "form_token": secrets.token_urlsafe(32)}
        begun = time.perf_counter()
        answer = Browser(port, address()).ask(f"/{path}/{places[number % len(places)].id}/confirm", entry)
        return _ended(answer, begun)

    return send


class _Sealed:
    """Finished check pages without walking there: the seal is made as the site makes it."""

    def __init__(self, port: int, place: Place) -> None:
        self._signer = Flask(__name__)
        self._signer.secret_key = KEY
        self.browser = Browser(port, address())
        self.token = fields(self.browser.open(place.day).page)["csrf_token"]

    def form(self, place: Place, entry: Fields) -> Fields:
        with self._signer.app_context():
            mark = seals.seal(entry.items(), place.id, notice.VERSION)
        return {**entry, "csrf_token": self.token, "seal": mark, "consent": "y"}


def sender(port: int, places: list[Place]) -> Resident:
    """Holds a time, and sends the finished check page: only the request that books is timed."""
    sealed = _Sealed(port, places[0])

    def send(number: int) -> Ended:
        held = _held(sealed, places[number % len(places)])
        return held if isinstance(held, Ended) else _confirmed(sealed, *held, time.perf_counter())

    return send


def holder(port: int, places: list[Place]) -> Resident:
    """The same, with the request that holds the time counted in."""
    sealed = _Sealed(port, places[0])

    def send(number: int) -> Ended:
        begun = time.perf_counter()
        held = _held(sealed, places[number % len(places)])
        return held if isinstance(held, Ended) else _confirmed(sealed, *held, begun)

    return send


def _held(sealed: _Sealed, place: Place) -> tuple[Browser, Place, str] | Ended:
    """The browser that holds a place and the token of its form, or how it ended. Nobody's browser is anybody else's."""
    begun = time.perf_counter()
    browser = sealed.browser.elsewhere(address())
    answer = browser.ask(place.day, {"slot": str(place.id), "csrf_token": sealed.token})
    if answer.status != 303:
        return _ended(answer, begun)
    return browser, place, fields(browser.open(answer.location).page, having="form_token")["form_token"]


def _confirmed(sealed: _Sealed, browser: Browser, place: Place, token: str, begun: float) -> Ended:
    entry = {**somebody(), "form_token": token}
    return _ended(browser.ask(f"{place.form}confirm", sealed.form(place, entry)), begun)


def walker(port: int, places: list[Place]) -> Resident:
    """Walks like a person, from the procedures to the page of their booking. The whole walk is timed."""

    def walk(number: int) -> Ended:
        browser, begun = Browser(port, address()), time.perf_counter()
        return _ended(Walk(browser, places[number % len(places)], somebody()).to_the_end(), begun)

    return walk


def _ended(answer: Answer, begun: float) -> Ended:
    """Booked, refused (the way leads back to a page that offers other times), or what went wrong."""
    if answer.status == 303:
        how = "booked" if answer.location.startswith("/booked/") else "refused"
    else:
        how = "refused" if answer.status == 409 else f"answered {answer.status}"
    return Ended(how, time.perf_counter() - begun)
