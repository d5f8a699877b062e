"""Tickets of the demo's cards that wait to be fetched, as `app.rules.projection` would write them.

The story knows numbers and birth dates, never a key: those become keyed hashes on their way into the database.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

from app.demo.diary import Row
from app.demo.visits import RESERVATION_COLUMNS
from app.keys import Keys
from app.rules import cards, pickups, projection

LINK_COLUMNS = ("card_id", "ref", "card_stamp", "key_id")
TICKET_COLUMNS = ("ref", "key_hash", "counters", "valid_until")
WAITING = "waiting"
"""The message that tells of cards that may have a ticket: (card, reference, what it depends on)."""
_DAYS = ("birth_date", "managed_from", "card_expiry", "preset_date", "notice_sent_date", "reminder_sent_date")


_NOTICE = RESERVATION_COLUMNS.index("notice_hash")


class Refs:
    """The reference of each card: it looks random, and the same seed gives the same."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def __call__(self, card: int) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(f"{self._seed} {card}".encode()).digest()[:16]).decode().rstrip("=")


def waiting(columns: dict[str, Any], ref_of: Callable[[int], str]) -> Row | None:
    """The row of the message for a card, if it is one of those that may have a ticket."""
    if columns["state"] not in cards.NOTIFIED:
        return None
    return columns["id"], ref_of(columns["id"]), {name: columns[name] for name in projection.READ}


def sealed(table: str, rows: list[Row], keys: Keys, today: date) -> Iterator[tuple[str, list[Row]]]:
    """What goes into which table, with keyed hashes instead of what they are made of."""
    if table == "reservation":
        yield table, [_with_mark(row, keys) if row[_NOTICE] else row for row in rows]
    elif table == WAITING:
        yield "pickup_card", [(card, ref, columns["row_stamp"], keys.current) for card, ref, columns in rows]
        yield "pickup_ticket", [made for _, ref, columns in rows if (made := _ticket(columns, ref, keys, today))]
    else:
        yield table, rows


def _with_mark(row: Row, keys: Keys) -> Row:
    return *row[:_NOTICE], pickups.notice_mark(keys, row[_NOTICE]), *row[_NOTICE + 1 :]


def _ticket(columns: dict[str, Any], ref: str, keys: Keys, today: date) -> Row | None:
    days = {name: date.fromisoformat(columns[name]) if columns[name] else None for name in _DAYS}
    found = projection.wanted(SimpleNamespace(**{**columns, **days}), ref, keys, today)
    if found is None:
        return None
    places = ", ".join(f'"{place}": "{day}"' for place, day in found["counters"].items())
    return (ref, found["key_hash"], f"{{{places}}}", found["valid_until"].isoformat())
