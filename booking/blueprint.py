"""`blueprint(mode)`: the one factory of the booking pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from flask import Blueprint, g, request
from flask_wtf.csrf import CSRFError

from app import edge, i18n
from app.callcenter import CALLCENTERS
from app.schema import specs
from booking import (
    applying,
    booked,
    choosing,
    door,
    entrance,
    holding,
    keeping,
    language,
    looking_up,
    operating,
    own,
    papers,
    party,
    postal,
    seals,
    tongue,
    unlocking,
    waiting_line,
    words,
)
from booking.party import Company
from models import Channel, Reservation

ModeName = Literal["resident", "operator"]
STATIC = "/assets/booking"


@dataclass(frozen=True)
class Desk:
    """The office behind the pages of operator mode. `admit` answers who may not go on, `channels` says whose places they may
    take, their own first; `door`: they sign in here, and not with an account of the staff site."""

    admit: Callable[[], Any]
    channels: Callable[[], tuple[Channel, ...]]
    door: bool = False


@dataclass
class Booking:
    """What a request of these pages is about: whose places, the draft that its address names, and who comes along."""

    desk: Desk | None
    asked: str
    reference: str
    company: Company

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        return self.desk.channels() if self.desk else (Channel.WEB,)

    @property
    def channel(self) -> Channel:
        """The channel that the address asks for, if it is one of theirs; otherwise their own."""
        return next((channel for channel in self.channels if channel.value == self.asked), self.channels[0])


def blueprint(mode: ModeName, desk: Desk | None = None) -> Blueprint:
    """The booking pages for residents on the Internet, or for operators who book on a caller's behalf."""
    i18n.compile_catalogues(i18n.RESIDENTS)  # where nobody ran `make setup`
    name = "booking" if mode == "resident" else "operator"
    pages = Blueprint(name, __name__, template_folder="templates", static_folder="static", static_url_path=STATIC)
    pages.url_value_preprocessor(lambda _endpoint, _values: _begin(desk))
    pages.url_defaults(keeping.carry)
    if desk is None or desk.door:  # on the staff site that site says what becomes of a form that comes too late
        pages.register_error_handler(CSRFError, applying.token_lost)
    # On the residents' own site also for the page of an address that leads nowhere.
    everywhere = pages.app_context_processor if mode == "resident" else pages.context_processor
    everywhere(_words)
    if desk:
        pages.before_request(lambda: None if edge.is_plain(request.endpoint) else desk.admit())
    else:
        language.register(pages)
    for module in _modules(desk):
        module.register(pages)
    return pages


def _modules(desk: Desk | None) -> Iterator[Any]:
    yield from (choosing, unlocking, holding, postal, applying, booked, papers)
    if desk is None:
        yield from (entrance, looking_up, own, waiting_line)
    else:
        yield operating
        if desk.door:
            yield door


def _words() -> dict[str, Any]:
    """What every template speaks with. `site`: the pages' own name, before their addresses."""
    own = request.blueprint in ("booking", "operator")
    return {
        "_": tongue.in_page,
        "say": tongue.say,
        "office": tongue.Office,
        "local": tongue.local,
        "tongue": tongue,
        "language": language,
        "words": words,
        "callcenter": CALLCENTERS[language.current()],
        "onward": keeping.onward,
        "site": request.blueprint if own else "booking",
        "operating": own and g.booking.desk is not None,
        "spec": specs()[Reservation],
    }


def _begin(desk: Desk | None) -> None:
    named = request.args.get("draft", "")
    g.booking = Booking(desk, request.args.get("channel", ""), named if seals.is_reference(named) else "", party.asked())
