"""仮押え: choosing a time keeps it for ten minutes, while the form is filled in."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import Blueprint, g, redirect, request, url_for

from app import audit
from app.errors import SlotFull
from app.extensions import db
from app.limits import limit_hold, limiter
from app.rules import holds, pickups, slots
from booking import keeping, seals, unlocking, work
from booking.choice import gone
from booking.choosing import channel, the_party
from booking.keeping import now
from booking.tongue import N_
from models import DraftStep, Reservation, ReservationState

_RNG = secrets.SystemRandom()
_BIGGEST = 2**63 - 1


def register(pages: Blueprint) -> None:
    view = limiter.limit(limit_hold)(hold)
    pages.add_url_rule("/book/<category>/<counter>/<day>/", "hold", view, methods=["POST"])


def hold(category: str, counter: str, day: str) -> Any:
    """Keeps the chosen time for who comes, and leads on to the form, or back to where they were before they chose again."""
    number = _slot_sent()
    token, found = keeping.token(), keeping.draft()
    entry = {**(found.entry if found else {}), "form_token": token}
    work.count()
    audit.declare(db.session(), "reservation", "hold", "来庁予約", 予約枠=number)
    try:
        holds.hold(db.session(), _wish(category, counter, number, token), now(), rng=_RNG)
    except (SlotFull, slots.NotOffered) as error:
        return gone(category, counter, day, error, number)
    except pickups.Used as error:
        return unlocking.refused(category, error)
    keeping.keep(entry.items(), found.step if found else DraftStep.TYPED)
    return redirect(url_for(f".{keeping.onward()}", category=category, counter=counter, day=day, slot=number), 303)


def _slot_sent() -> int:
    words = request.form.get("slot", "")
    number = int(words) if words.isascii() and words.isdecimal() and len(words) < 20 else 0
    return number if number <= _BIGGEST else 0


def _wish(category: str, counter: str, slot: int, token: str) -> holds.Wish:
    cards = keeping.claims()
    cards = cards if cards and the_party(category).asks_notice else ()
    company = g.booking.company
    return holds.Wish(
        categories=(category, *company.also),
        counter=counter,
        slot_id=slot,
        form_token=token,
        people=company.people,
        channel=channel(),
        holder="" if g.booking.desk else seals.digest(keeping.browser()),
        claims=cards,
        assisted=g.booking.desk is not None,
    )


class Held:
    """What the form of this request holds, for its page: until when, and on which times."""

    def __init__(self, token: str, slot: int) -> None:
        self.rows = holds.held_by(db.session(), token)
        self.is_here = bool(self.rows) and self.rows[0].slot_id == slot
        self.is_live = self.is_here and self.rows[0].state is ReservationState.HELD and self.until > now()

    @property
    def until(self) -> datetime:
        found: Reservation = self.rows[0]
        assert found.held_until
        return found.held_until

    @property
    def is_over(self) -> bool:
        """The time was kept, and is kept no more."""
        return self.is_here and not self.is_live

    @property
    def may_extend(self) -> bool:
        return self.is_live and not self.rows[0].is_extended

    @property
    def is_spread(self) -> bool:
        """Not everybody is seated at the chosen time."""
        return len({(row.start_time, row.slot_id) for row in self.rows}) > 1


def extend(token: str) -> str:
    """Ten more minutes; the sentence for the person."""
    audit.declare(db.session(), "reservation", "hold", "来庁予約", 延長="10分")
    if not holds.extend(db.session(), token, now()):
        return N_("この時間は、これ以上延長できません。")
    g.wrote = True
    return N_("もう10分、この時間をおさえました。")


__all__ = ["Held", "extend", "register"]
