"""Sending what waits in the outbox: leased before, marked after, tried again ever more seldom, given up visibly.

Between the moment when the mail server has taken a mail and the moment when that is written down, a worker may die: the lease ends
and the mail goes again, with the same Message-ID. None is lost, and none goes without its reservation.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app import audit
from app.schema import specs
from models import MailState, Outbox

LEASE = timedelta(minutes=5)
FIRST_PAUSE = timedelta(minutes=1)
MOST = 8  # tries: the last about two hours after the first
AT_ONCE = 20


def lease(session: Session, now: datetime) -> list[int]:
    """Takes the next mails for this worker alone; gives their numbers. Two workers never get the same one."""
    free = or_(Outbox.leased_until.is_(None), Outbox.leased_until < now)
    due = (
        select(Outbox.id)
        .where(Outbox.state == MailState.WAITING, Outbox.due_at <= now, free)
        .order_by(Outbox.due_at, Outbox.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(
        update(Outbox)
        .where(Outbox.id.in_(session.scalars(due).all()))
        .values(leased_until=now + LEASE, attempts=Outbox.attempts + 1)
        .returning(Outbox.id),
        execution_options={"by_rule": "sending.lease", "synchronize_session": False},
    )
    return sorted(taken.scalars())


def sent(session: Session, number: int, now: datetime) -> None:
    _mark(session, number, state=MailState.SENT, sent_at=now, leased_until=None, last_error="")


def dropped(session: Session, number: int) -> None:
    _mark(session, number, state=MailState.DROPPED, leased_until=None)


def failed(session: Session, number: int, attempts: int, why: str, now: datetime) -> bool:
    """Puts a mail off, each time for twice as long; after the last try gives it up, and says so."""
    is_last = attempts >= MOST
    _mark(
        session,
        number,
        state=MailState.DEAD if is_last else MailState.WAITING,
        due_at=now + FIRST_PAUSE * 2 ** (attempts - 1),
        leased_until=None,
        last_error=why[:200],
    )
    if is_last:
        audit.tell(session, specs()[Outbox], "edit", 送信できなかったメール=f"{number}: {why[:200]}")
    return is_last


def _mark(session: Session, number: int, **values: object) -> None:
    session.execute(
        update(Outbox).where(Outbox.id == number).values(**values, row_stamp=Outbox.row_stamp + 1),
        execution_options={"by_rule": "sending.mark", "synchronize_session": False},
    )
