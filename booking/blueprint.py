"""`blueprint(mode)`: the one factory of the booking pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, current_app, g
from flask_wtf.csrf import CSRFError

from booking import applying, choosing, looking_up, words
from models import Channel

ModeName = Literal["resident", "operator"]
STATIC = "/assets/booking"


@dataclass(frozen=True)
class Mode:
    """What differs between the people who book: whose places they take."""

    name: ModeName
    channel: Channel


MODES = {"resident": Mode("resident", Channel.WEB), "operator": Mode("operator", Channel.CALLCENTER)}


def blueprint(mode: ModeName) -> Blueprint:
    """The booking pages for residents on the Internet, or for operators who book on a caller's behalf."""
    pages = Blueprint("booking", __name__, template_folder="templates", static_folder="static", static_url_path=STATIC)
    pages.url_value_preprocessor(lambda _endpoint, _values: setattr(g, "booking", MODES[mode]))
    pages.register_error_handler(CSRFError, applying.token_lost)
    pages.context_processor(lambda: {"words": words, "callcenter": current_app.config["CALLCENTER"]})
    for module in (choosing, applying, looking_up):
        module.register(pages)
    return pages
