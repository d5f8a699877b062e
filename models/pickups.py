"""交付通知書番号での予約: what may be known outside of a card that is ready, and, kept apart from it, which card that is."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

REF = 22  # characters of a reference: 128 random bits
MARK = 64  # of a keyed hash with the name of its key


class PickupCard(Base):
    """受取の参照 of a card: the only way from a reference back to the card. The residents' database role has no right on it."""

    __tablename__, __label__, __internal__ = "pickup_card", "受取の参照", True
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    ref: Mapped[str] = mapped_column(String(REF), unique=True)
    card_stamp: Mapped[int] = mapped_column(Integer)  # the RowStamp of the card when its ticket was last looked at
    key_id: Mapped[str] = mapped_column(String(16))


class PickupTicket(Base):
    """受取の引換券: all that the residents' site can see of a card that is ready. It is written by the staff side alone
    (`app.rules.projection`), tells of no card and no person, and is gone as soon as its card cannot be fetched any more."""

    __tablename__, __label__, __internal__ = "pickup_ticket", "受取の引換券", True
    ref: Mapped[str] = mapped_column(ForeignKey("pickup_card.ref", ondelete="CASCADE"), primary_key=True)
    # Of number and birth date together. Not unique: a mistake in two cards must not keep the office from saving one of them.
    key_hash: Mapped[str] = mapped_column(String(MARK), index=True)
    counters: Mapped[dict[str, Any]] = mapped_column(JSON)  # where it can be fetched: number of the counter → from which day
    valid_until: Mapped[date] = mapped_column(Date, index=True)
