"""送信メール: what is to be told is written in the transaction of the act that it tells of, once for each act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, cast, literal, select
from sqlalchemy.orm import Session

from app import audit
from app.context import TOKYO
from app.dialects import insert_new
from app.errors import Conflict
from app.schema import specs
from models import MailKind, MailState, Outbox, Reservation, ReservationState, WaitingEntry
from models.base import table_of

_TABLE, _RESERVATION = table_of(Outbox), table_of(Reservation)
_TO_GROUP = select(Reservation.email).where(
    Reservation.group_id == bindparam("group"), Reservation.email != "", Reservation.state != ReservationState.HELD
)
CONCERNS = {
    MailKind.CONFIRMED: (ReservationState.BOOKED,),
    MailKind.CHANGED: (ReservationState.BOOKED,),
    MailKind.REMINDER: (ReservationState.BOOKED,),
    MailKind.CANCELLED: (ReservationState.CANCELLED,),
    MailKind.CLOSED: (ReservationState.CANCELLED,),
}
"""The states in which a mail is still true. One that was overtaken (cancelled before its confirmation had gone) is not sent."""
REMIND_FROM = 9  # o'clock of the day before


def address_of(session: Session, row: Reservation) -> str:
    """Where a reservation's mail goes: to its own address, or to that of the person who booked for the household."""
    if row.email or not row.group_id:
        return row.email
    return session.scalar(_TO_GROUP.limit(1).execution_options(unscoped=True), {"group": row.group_id}) or ""


def tell(session: Session, kind: MailKind, rows: Sequence[Reservation], now: datetime, **detail: Any) -> None:
    """Writes the mail about an act done with these reservations of one household; nothing when nobody left an address.

    The same act told twice is one mail: its key is that of the act.
    """
    if not rows or not address_of(session, rows[0]):
        return
    first, what = rows[0], dict(detail)
    if len(rows) > 1:
        what["reservations"] = [row.id for row in rows]
    session.execute(_written(session), _values(kind, first.id, key_of(kind, first), what, now))


def offer(session: Session, entry: WaitingEntry, now: datetime) -> None:
    """Writes the mail that a place is held for somebody who waits; nothing for who left no address, whom the office telephones."""
    if entry.email:
        values = _values(MailKind.OFFER, None, f"offer:{entry.id}:{entry.row_stamp}", {}, now)
        session.execute(_written(session), {**values, "waiting_id": entry.id})


def _written(session: Session) -> Any:
    """The INSERT of one mail. Whoever may only write mails is not told the number of the row."""
    return insert_new(session, _TABLE).inline()


def key_of(kind: MailKind, row: Reservation) -> str:
    """What makes an act one: a change of date by the version of the reservation that it made, a reminder by its day."""
    match kind:
        case MailKind.CHANGED:
            return f"changed:{row.id}:{row.row_stamp}"
        case MailKind.REMINDER:
            return f"reminder:{row.id}:{row.booking_date}"
        case MailKind.CANCELLED | MailKind.CLOSED:
            return f"cancelled:{row.id}"
    return f"{kind.value}:{row.id}"


def _values(kind: MailKind, reservation: int | None, key: str, detail: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "state": MailState.WAITING,
        "dedupe_key": key,
        "detail": detail,
        "created_at": now,
        "due_at": now,
        "attempts": 0,
        "last_error": "",
        "reservation_id": reservation,
        "waiting_id": None,
        "row_stamp": 1,
    }


def remind(session: Session, now: datetime) -> int:
    """Writes the reminders of tomorrow's visits, from nine o'clock on; those that are written already stay alone. Says how many."""
    local = now.astimezone(TOKYO)
    if local.hour < REMIND_FROM:
        return 0
    tomorrow = local.date() + timedelta(days=1)
    return len(session.execute(_reminders(session, tomorrow, now).returning(_TABLE.c.id)).all())


def _reminders(session: Session, day: date, now: datetime) -> Any:
    made = _RESERVATION.c
    values = _values(MailKind.REMINDER, 0, "", {}, now)
    given: dict[str, Any] = {name: literal(value, _TABLE.c[name].type) for name, value in values.items()}
    given |= {"reservation_id": made.id, "dedupe_key": literal("reminder:") + cast(made.id, String) + literal(f":{day}")}
    rows = select(*given.values()).where(
        made.booking_date == day,
        made.state == ReservationState.BOOKED,
        made.email != "",
        made.requested_date < day - timedelta(days=1),
    )
    return insert_new(session, _TABLE).from_select(list(given), rows)


def resend(session: Session, row: Outbox, now: datetime) -> None:
    """Puts a mail that was given up, or one whose receiver did not get it, back among those that wait."""
    if row.state is MailState.WAITING:
        raise Conflict("このメールは送信待ちです。")
    row.state, row.due_at, row.attempts, row.sent_at, row.last_error = MailState.WAITING, now, 0, None, ""
    row.detail = {**row.detail, "resent": row.detail.get("resent", 0) + 1}
    session.flush()


def forget_sent(session: Session, now: datetime, kept: timedelta = timedelta(days=400)) -> int:
    """Deletes what was sent more than a year ago: the log says that it was."""
    found = session.execute(_TABLE.delete().where(_TABLE.c.state != MailState.WAITING, _TABLE.c.created_at < now - kept))
    count = int(found.rowcount)  # type: ignore[attr-defined]
    if count:
        audit.tell(session, specs()[Outbox], "delete", 古い送信メール=f"{count}件")
    return count


__all__ = ["CONCERNS", "address_of", "forget_sent", "key_of", "remind", "resend", "tell"]
