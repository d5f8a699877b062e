"""`blueprint(mode)`: the one factory of the booking pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, g, request
from flask_wtf.csrf import CSRFError

from app.callcenter import CALLCENTER
from booking import applying, booked, choosing, holding, keeping, looking_up, papers, party, postal, seals, words
from booking.party import Company
from models import Channel

ModeName = Literal["resident", "operator"]
STATIC = "/assets/booking"


CHANNELS: dict[ModeName, Channel] = {"resident": Channel.WEB, "operator": Channel.CALLCENTER}
"""Whose places the people of each mode take."""


@dataclass
class Booking:
    """What a request of these pages is about: whose places, the draft that its address names, and who comes along."""

    channel: Channel
    reference: str
    company: Company


def blueprint(mode: ModeName) -> Blueprint:
    """The booking pages for residents on the Internet, or for operators who book on a caller's behalf."""
    pages = Blueprint("booking", __name__, template_folder="templates", static_folder="static", static_url_path=STATIC)
    pages.url_value_preprocessor(lambda _endpoint, _values: _begin(CHANNELS[mode]))
    pages.url_defaults(keeping.carry)
    pages.register_error_handler(CSRFError, applying.token_lost)
    # On the residents' own site also for the page of an address that leads nowhere.
    everywhere = pages.app_context_processor if mode == "resident" else pages.context_processor
    everywhere(lambda: {"words": words, "callcenter": CALLCENTER, "onward": keeping.onward})
    for module in (choosing, holding, postal, applying, booked, papers, looking_up):
        module.register(pages)
    return pages


def _begin(channel: Channel) -> None:
    named = request.args.get("draft", "")
    g.booking = Booking(channel, named if seals.is_reference(named) else "", party.asked())
