"""The staff side of 受取の引換券: writes, renews and withdraws tickets as cards change, and knows which card is behind one.

Each ticket follows from the columns of its card alone, so it changes only when they do: with the card itself, in the same
transaction, or a minute later (`renew_changed`) where cards came past the session (loaded, or after a change of keys).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, event, insert, inspect, or_, select, text, update
from sqlalchemy.orm import Session, load_only

from app import plans
from app.context import TOKYO, context
from app.keys import Keys, keys_of
from app.rules import cards, pickups
from models import Card, PickupCard, PickupTicket
from models.base import table_of

Row = dict[str, Any]
AT_ONCE = 500  # cards in one question
MOST = 2_000  # cards in one round of the job: others wait for the writer meanwhile
_CARD, _LINK, _TICKET = table_of(Card), table_of(PickupCard), table_of(PickupTicket)
_KNOWN = (
    select(_LINK, *(column.label(f"ticket_{column.key}") for column in _TICKET.c))
    .select_from(_LINK.outerjoin(_TICKET, _TICKET.c.ref == _LINK.c.ref))
    .where(_LINK.c.card_id.in_(bindparam("cards", expanding=True)))
)
_OF = _TICKET.c.ref == bindparam("of")
_NOTIFIED = text("card.state IN ('notified', 'reminded')")  # as the index `ix_card_notified` has it, so that SQLite uses it
READ = (
    *("id", "row_stamp", "state", "notice_no", "birth_date", "issue_site_id", "storage_site_id", "transit_to_id"),
    *("managed_from", "card_expiry", "preset_done", "preset_date", "notice_sent_date", "reminder_sent_date"),
    *("issue_done", "issue_cancelled", "reissue_requested", "revocation_done", "disposal_done"),
)
"""The columns of a card on which its ticket depends."""


def new_ref() -> str:
    return secrets.token_urlsafe(16)


def wanted(card: Any, ref: str, keys: Keys, today: date) -> Row | None:
    """The ticket that a card has, as columns; None when it has none: nobody can name what has no number or no birth date."""
    window = cards.window(card)
    if window is None or window.last < today or not card.notice_no or card.birth_date is None:
        return None
    return {
        "ref": ref,
        "key_hash": pickups.key_mark(keys, card.notice_no, card.birth_date),
        "counters": {str(window.counter_id): window.first.isoformat()},
        "valid_until": window.last,
    }


def project(session: Session, card: Card, now: datetime) -> None:
    """Writes, renews or withdraws the ticket of one card."""
    renew(session, [card], now)


def renew(session: Session, rows: Sequence[Card], now: datetime) -> None:
    """The same for many. Only what differs is written. A card keeps its reference for life, so that its visits lead to it."""
    known = {row.card_id: row for row in session.execute(_KNOWN, {"cards": [card.id for card in rows]})}
    writes, keys, today = _Writes(), keys_of(session), now.astimezone(TOKYO).date()
    for card in rows:
        link = known.get(card.id) or writes.link(card)
        writes.mark(link, card.row_stamp, keys.current)
        writes.ticket(link, wanted(card, link.ref, keys, today))
    writes.run(session.connection())


class _Writes:
    """What has to be written, gathered by statement. A link is a row of `_KNOWN`, or a new one like it."""

    def __init__(self) -> None:
        self._links: list[Row] = []
        self._marks: list[Row] = []
        self._gone: list[Row] = []
        self._changed: list[Row] = []
        self._made: list[Row] = []

    def link(self, card: Card) -> Any:
        self._links.append({"card_id": card.id, "ref": new_ref(), "card_stamp": 0, "key_id": ""})
        return SimpleNamespace(**self._links[-1], ticket_ref=None)

    def mark(self, link: Any, stamp: int, key_id: str) -> None:
        """Remembers which version of the card is looked at, and with which key."""
        if (link.card_stamp, link.key_id) != (stamp, key_id):
            self._marks.append({"of": link.card_id, "card_stamp": stamp, "key_id": key_id})

    def ticket(self, link: Any, wanted: Row | None) -> None:
        there = link.ticket_ref is not None
        if wanted is None:
            self._gone += [{"of": link.ref}] if there else []
        elif not there:
            self._made.append(wanted)
        elif any(value != getattr(link, f"ticket_{name}") for name, value in wanted.items()):
            self._changed.append({"of": link.ref, **{name: value for name, value in wanted.items() if name != "ref"}})

    def run(self, connection: Connection) -> None:
        for statement, rows in (
            (insert(_LINK), self._links),
            (update(_LINK).where(_LINK.c.card_id == bindparam("of")), self._marks),
            (delete(_TICKET).where(_OF), self._gone),
            (update(_TICKET).where(_OF), self._changed),
            (insert(_TICKET), self._made),
        ):
            if rows:
                connection.execute(statement, rows)


def renew_changed(session: Session, now: datetime) -> int:
    """Looks at the cards that changed since they were last looked at, and withdraws what is out of date. Says at how many.

    A round ends after so many; the next goes on, because what has been looked at is not found again.
    """
    session.execute(delete(_TICKET).where(_TICKET.c.valid_until < now.astimezone(TOKYO).date()))
    looked_at = 0
    for question in (_unseen(keys_of(session).current), _STALE):
        while looked_at < MOST and (keys := session.scalars(question).all()):
            renew(session, session.scalars(_cards(keys)).all(), now)
            session.expire_all()
            looked_at += len(keys)
    return looked_at


def _unseen(key_id: str) -> Any:
    """Cards whose owner has the notice, and of which no ticket was made since they changed, or none by this key."""
    seen = or_(_LINK.c.card_id.is_(None), _LINK.c.card_stamp != _CARD.c.row_stamp, _LINK.c.key_id != key_id)
    cards_and_links = _CARD.outerjoin(_LINK, _LINK.c.card_id == _CARD.c.id)
    return select(_CARD.c.id).select_from(cards_and_links).where(_NOTIFIED, seen).order_by(_CARD.c.id).limit(AT_ONCE)


_STAMP = select(_CARD.c.row_stamp).where(_CARD.c.id == _LINK.c.card_id).correlate(_LINK).scalar_subquery()
_HAS_TICKET = plans.column(_TICKET.c.ref, walk=True) == _LINK.c.ref
_STALE = select(_LINK.c.card_id).select_from(_TICKET.join(_LINK, _HAS_TICKET)).where(_LINK.c.card_stamp != _STAMP).limit(AT_ONCE)
"""Cards that changed past the session and still have a ticket, whatever state they are in: from the tickets, which are few, to link
and stamp by their keys. Both databases are led that way, because they would rather read every link or every card there is."""


def _cards(keys: Sequence[int]) -> Any:
    """Locked, so that whoever saves one meanwhile writes its ticket after us."""
    columns = load_only(*(getattr(Card, name) for name in READ))
    return select(Card).options(columns).where(Card.id.in_(keys)).order_by(Card.id).with_for_update()


def cards_behind(session: Session, refs: Iterable[str | None]) -> dict[str, Card]:
    """Which card each reference stands for, as far as the actor may see it."""
    asked = {ref for ref in refs if ref}
    if not asked:
        return {}
    columns = load_only(Card.application_no, Card.name, *(getattr(Card, name) for name in READ))
    found = session.execute(
        select(_LINK.c.ref, Card).join(Card, Card.id == _LINK.c.card_id).where(_LINK.c.ref.in_(sorted(asked))).options(columns)
    )
    return {ref: card for ref, card in found}  # noqa: C416 - a row is no pair to mypy


def _follow(session: Session, _flush: Any) -> None:
    rows = [card for card in (*session.new, *session.dirty) if isinstance(card, Card) and _concerns(session, card)]
    if rows:
        renew(session, rows, context(session).now())


def _concerns(session: Session, card: Card) -> bool:
    """Whether a card's owner has, or just had, the notice in hand."""
    before = inspect(card).attrs.state.history.deleted
    return (card.state in cards.NOTIFIED or any(state in cards.NOTIFIED for state in before)) and (
        card in session.new or session.is_modified(card)
    )


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "after_flush", _follow)
