"""Saving a master that concerns people who have booked: what becomes of them is decided with it, in one transaction or not at all."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.rules import effects, holds, opening, places, visits
from app.rules.effects import Effect, Visit
from app.rules.elsewhere import REACH, Proposal, propose
from app.rules.standing import Change
from app.rules.visits import ACTS, CLOSURE, Reason
from models import Channel, Reservation
from models.base import table_of

MOST = 500  # reservations moved or cancelled at once, while somebody waits at the screen
_VISIT = table_of(Reservation)


class Choice(StrEnum):
    KEEP, MOVE, CANCEL = "keep", "move", "cancel"


@dataclass(frozen=True)
class Decision:
    """What a person chose, and what they had been shown: the seal of it."""

    choice: Choice
    seen: str


@dataclass(frozen=True)
class Foreseen:
    """What a change would do; nothing is decided yet, and the transaction is to be rolled back."""

    effect: Effect
    proposals: Mapping[int, Proposal]

    @property
    def booked(self) -> int:
        """How many are people; the others are places that somebody is just about to book."""
        return sum(not visit.is_held for visit in self.effect.visits)

    @property
    def is_too_much(self) -> bool:
        return self.booked > MOST

    @property
    def seal(self) -> str:
        """Stands for those concerned, and behind the dot for where they would move."""
        concerned = _digest(f"{visit.number}.{visit.row_stamp}" for visit in self.effect.visits)
        return f"{concerned}.{_digest(f'{number} {p.at} {p.channel}' for number, p in sorted(self.proposals.items()))}"

    def is_as_seen(self, decision: Decision) -> bool:
        if decision.choice is Choice.MOVE:
            return decision.seen == self.seal
        return decision.seen.partition(".")[0] == self.seal.partition(".")[0]


@dataclass(frozen=True)
class Done:
    """What became of whom."""

    kept: int = 0
    moved: int = 0
    cancelled: int = 0
    ended: int = 0


def settle(
    session: Session, change: Change, decision: Decision | None, channels: Sequence[Channel], now: datetime
) -> Done | Foreseen:
    """Makes the places follow a master that has been flushed, with what was decided of those whom it concerns.

    Nobody concerned: it is done. Otherwise, unless the decision is about exactly these, it says what it would do. `channels`: those
    whose places the person may take for others; none for who may neither move nor cancel.
    """
    if decision is None and (effect := effects.foresee(session, change, now)).visits:
        return Foreseen(effect, _tried(session, change, effect, channels, now))
    if decision and decision.choice is not Choice.KEEP:
        _hold(session, change, channels, now)
    effect = effects.apply(session, change, now)
    if not effect.visits:
        return Done()
    found = Foreseen(effect, _proposals(session, effect, channels, now))
    if decision is None or not found.is_as_seen(decision):
        return found
    if decision.choice is Choice.KEEP:
        return Done(kept=len(effect.visits))
    if found.is_too_much or not channels:
        return found
    return _carried_out(session, found, decision.choice, now)


def _proposals(session: Session, effect: Effect, channels: Sequence[Channel], now: datetime) -> dict[int, Proposal]:
    if not channels or Foreseen(effect, {}).is_too_much:
        return {}
    return propose(session, effect.visits, channels, now)


def _tried(session: Session, change: Change, effect: Effect, channels: Sequence[Channel], now: datetime) -> dict[int, Proposal]:
    """Where people could move if the places agreed: found by having them agree on the days in question, and taking it back."""
    if not channels or Foreseen(effect, {}).is_too_much:
        return {}
    trial = session.begin_nested()
    if change.counters != frozenset():
        opening.agree(session, effect.visits[0].day, effect.visits[-1].day + REACH, change.counters)
    found = propose(session, effect.visits, channels, now)
    trial.rollback()
    return found


def _hold(session: Session, change: Change, channels: Sequence[Channel], now: datetime) -> None:
    """Locks what will be needed in the order that everybody keeps: the turn to change places, reservations, then 予約枠, each by their
    numbers. On SQLite nobody else writes meanwhile."""
    if session.get_bind().dialect.name != "postgresql":
        return
    effect = effects.foresee(session, change, now)
    targets = _tried(session, change, effect, channels, now) if effect.visits else {}
    places.alone(session)
    for some in places.pieces(visit.number for visit in effect.visits):
        rows = select(_VISIT.c.id).where(_VISIT.c.id.in_(some)).order_by(_VISIT.c.id)
        session.execute(rows.with_for_update()).all()
    slots = {visit.slot_id for visit in effect.visits} | {proposal.slot_id for proposal in targets.values()}
    places.hold(session, slots | effects.touched(session, change, now))


def _carried_out(session: Session, found: Foreseen, choice: Choice, now: datetime) -> Done:
    """Each reservation with its own row of the log. Those that the person may not see stay as they are."""
    concerned = found.effect.visits
    ended = holds.end(session, [visit.number for visit in concerned if visit.is_held], now)
    booked = _read(session, [visit for visit in concerned if not visit.is_held])
    moved = cancelled = 0
    if choice is Choice.MOVE:
        moved = sum(_moved(session, booked[number], p, now) for number, p in found.proposals.items() if number in booked)
    else:
        cancelled = sum(_cancelled(session, party, now) for party in _parties(concerned, booked))
    return Done(len(concerned) - ended - moved - cancelled, moved, cancelled, ended)


def _read(session: Session, concerned: Sequence[Visit]) -> dict[int, Reservation]:
    found: dict[int, Reservation] = {}
    for some in places.pieces(visit.number for visit in concerned):
        rows = select(Reservation).where(Reservation.id.in_(some)).execution_options(populate_existing=True)
        found |= {row.id: row for row in session.scalars(rows)}
    return found


def _moved(session: Session, row: Reservation, proposal: Proposal, now: datetime) -> int:
    with audit.apart(session, "reservation", "move", "来庁予約", 番号=row.id, 理由="マスタの変更"):
        visits.move(session, row, proposal.slot_id, (proposal.channel,), now)
    return 1


def _cancelled(session: Session, party: Sequence[Reservation], now: datetime) -> int:
    with audit.apart(session, "reservation", "cancel", "来庁予約", 番号=party[0].id, 理由="マスタの変更"):
        return visits.perform_all(session, ACTS["cancel"], party, now, Reason(CLOSURE))


def _parties(concerned: Sequence[Visit], booked: Mapping[int, Reservation]) -> Iterable[list[Reservation]]:
    """Those who booked together, who are told together."""
    found: dict[str, list[Reservation]] = {}
    for visit in concerned:
        if visit.number in booked:
            found.setdefault(visit.group_id or f"{visit.number}", []).append(booked[visit.number])
    return found.values()


def _digest(words: Iterable[str]) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256("\n".join(words).encode()).digest()).decode().rstrip("=")
