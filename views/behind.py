"""The card that a visitor comes for, as far as the person at the screen may see it."""

from __future__ import annotations

from collections.abc import Iterable

from app.context import context
from app.extensions import db
from app.rules import cards, projection
from models import Card, Reservation
from views.access import may


def cards_of(rows: Iterable[Reservation]) -> dict[str, Card]:
    """By the reference that their reservations hold. Nobody who may not see cards learns that there is one."""
    if not may("can_show", Card.__name__):
        return {}
    return projection.cards_behind(db.session(), (row.pickup_ref for row in rows))


def why_not(card: Card) -> str:
    """Why the card cannot be handed over today; empty when it can."""
    return cards.why_not_ready(card, context(db.session()).now())
