"""完了: the page of a booking for the browser that made it, and what a person meets who goes back afterwards."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from app.extensions import db
from app.rules import bookings
from booking import keeping, papers, seals


def register(pages: Blueprint) -> None:
    pages.before_request(_already_booked)
    pages.add_url_rule("/booked/<reference>", "done", done)


def _already_booked() -> Any:
    """The pages of a form that has made its booking lead to that booking, so that nobody who goes back, reloads or has a second
    tab thinks it is not made yet, and books once more."""
    if request.method != "GET" or keeping.page_of(request.endpoint) not in keeping.TRAVELS:
        return None
    draft = keeping.draft()
    digest = bookings.token_digest(draft.entry["form_token"]) if draft else ""
    return lead_to(digest, again=True) if digest and bookings.is_made(db.session(), digest) else None


def lead_to(digest: str, *, again: bool = False) -> Any:
    """Sends on to the page of the booking that a form made."""
    reference = seals.done_reference(digest, keeping.browser())
    return redirect(url_for(".done", reference=reference, again="yes" if again else None), 303)


def done(reference: str) -> Any:
    """Its address opens it in one browser for an hour. Everybody else meets the look-up page, which asks for a second fact."""
    digest = seals.booked_under(reference, keeping.browser())
    made = bookings.made_by(db.session(), digest) if digest else None
    if made is None:
        return keeping.elsewhere()
    return render_template("booking/done.html", again="again" in request.args, **papers.shown(made))


__all__ = ["lead_to", "register"]
