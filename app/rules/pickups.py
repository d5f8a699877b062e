"""受取の引換券: 交付通知書番号 and birth date unlock the booking of a card that is ready.

Both sites ask here. Nothing here reads a card: the residents' site sees the projection alone (`app.rules.projection` writes it).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.keys import Keys, keys_of
from app.plans import PREPARED
from app.text import alnum, tidy
from models import PickupTicket, Reservation
from models.base import table_of

_TABLE = table_of(PickupTicket)
_COLUMNS = (_TABLE.c.ref, _TABLE.c.counters, _TABLE.c.valid_until)
_OF_MARKS = select(*_COLUMNS).where(_TABLE.c.key_hash.in_(bindparam("marks", expanding=True)))
_OF_REF = select(*_COLUMNS).where(_TABLE.c.ref == bindparam("of")).execution_options(**PREPARED)
# As the index of one visit for one card has it, so that SQLite uses it.
_LIVE = select(Reservation).where(Reservation.pickup_ref == bindparam("of"), text("state IN ('held', 'booked')"))


@dataclass(frozen=True)
class Ticket:
    """A card that can be fetched, as far as anybody outside may know: where from when (number of the counter → day), until when."""

    ref: str
    counters: dict[int, date]
    valid_until: date

    def is_valid(self, now: datetime) -> bool:
        today = now.astimezone(TOKYO).date()
        return min(self.counters.values()) <= today <= self.valid_until


def as_notice(typed: str) -> str:
    """A 交付通知書番号 in its one spelling, however it was typed."""
    return alnum(tidy(typed))


def is_notice(number: str) -> bool:
    return re.fullmatch("[0-9A-Z]{3}[0-9]{6}", number) is not None


def key_mark(keys: Keys, number: str, born: date) -> str:
    """What a ticket is found by."""
    return keys.mark("key_hash", _both(number, born))


def notice_mark(keys: Keys, number: str) -> str:
    """What a reservation is found by."""
    return keys.mark("notice_hash", number)


def _both(number: str, born: date) -> str:
    return f"{number} {born.isoformat()}"


def find(session: Session, number: str, born: date, now: datetime) -> Ticket | None:
    """The ticket of a number and a birth date. Whatever is wrong (no such number, another birth date, a card that is not ready, not
    there or has been fetched), the same question is asked and finds nothing: only keyed hashes are compared."""
    rows = session.execute(_OF_MARKS, {"marks": keys_of(session).marks("key_hash", _both(number, born))}).all()
    valid = [ticket for row in rows if (ticket := _ticket(*row)).is_valid(now)]
    return valid[0] if len(valid) == 1 else None


def ticket(session: Session, ref: str, now: datetime) -> Ticket | None:
    """The ticket of a reference, as long as its card can be fetched."""
    row = session.execute(_OF_REF, {"of": ref}).first()
    found = _ticket(*row) if row else None
    return found if found and found.is_valid(now) else None


def visit_of(session: Session, ref: str) -> Reservation | None:
    """The visit for which a ticket is used already, booked or held."""
    return session.scalar(_LIVE, {"of": ref})


def _ticket(ref: str, counters: dict[str, str], valid_until: date) -> Ticket:
    return Ticket(ref, {int(key): date.fromisoformat(day) for key, day in counters.items()}, valid_until)
