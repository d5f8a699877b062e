"""予約票, its two-dimensional code and the calendar file: what a person takes away from a booking, for the browser that has just seen it."""

from __future__ import annotations

from typing import Any

import segno
from flask import Blueprint, Response, g, render_template, request
from markupsafe import Markup

from app.extensions import db
from app.letters.invitation import calendar_of
from app.rules import glossary, holds
from booking import keeping, own, seals
from booking.keeping import now
from booking.language import current
from models import Reservation


def register(pages: Blueprint) -> None:
    pages.add_url_rule("/visit/<reference>/", "slip", slip)
    pages.add_url_rule("/visit/<reference>/yoyaku.ics", "calendar", calendar)


def shown(made: Reservation) -> dict[str, Any]:
    """What every page of a booking shows: the reservation, who was booked together, its code as a picture, its papers' address."""
    return {
        "made": made,
        "rows": holds.seats_of(db.session(), made),
        "qr": picture(made.booking_code),
        **_own(made),
        "reference": seals.visit_reference(made.id, keeping.browser()),
    }


def _own(made: Reservation) -> dict[str, Any]:
    """What its owner may do with it by themselves; at the office's pages nothing, because there are other ways."""
    if g.booking.desk:
        return {"may_cancel": False, "may_change": False, "until": None}
    return own.offered(made)


def picture(code: str) -> Markup:
    """The code as a QR symbol, for the scanner at the counter; its words stand beside it."""
    drawn = segno.make(code, error="m", micro=False)
    return Markup(drawn.svg_inline(omitsize=True, border=2))  # noqa: S704 - drawn, not typed


def slip(reference: str) -> Any:
    made = _visit(reference)
    if made is None:
        return keeping.elsewhere()
    return render_template(
        "booking/slip.html", done=request.args.get("done", ""), large=request.args.get("size") == "large", **shown(made)
    )


def calendar(reference: str) -> Any:
    made = _visit(reference)
    if made is None:
        return keeping.elsewhere()
    body = calendar_of(holds.seats_of(db.session(), made), now(), current(), glossary.words_in(db.session(), current()))
    head = {"Content-Disposition": 'attachment; filename="yoyaku.ics"'}
    return Response(body, content_type="text/calendar; charset=utf-8", headers=head)


def _visit(reference: str) -> Reservation | None:
    number = seals.visit_under(reference, keeping.browser())
    return db.session().get(Reservation, number) if number else None


__all__ = ["picture", "register", "shown"]
