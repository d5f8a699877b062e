"""来庁予約のその後: people come, do not come, cancel or move to another time. One table says which act leads from where to where.

[諮問書 事務の流れ ⑤〜⑧: 予約の変更とキャンセルは電話で受け、来庁時に消し込む]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit
from app.context import TOKYO, context
from app.errors import AppError, Conflict, SlotFull
from app.rules import outbox, slots, waiting
from app.rules.pickups import Reach
from app.rules.taking import exchange, give_back
from app.schema import specs
from app.scope import widened
from app.sentences import N_
from models import BookingCategory, Channel, Counter, MailKind, Reservation, ReservationState

BOOKED, ARRIVED, CANCELLED, NO_SHOW, HELD = (
    ReservationState.BOOKED,
    ReservationState.ARRIVED,
    ReservationState.CANCELLED,
    ReservationState.NO_SHOW,
    ReservationState.HELD,
)

CHECK_IN, BOOK = "can_check_in", "can_book"
"""Rights (`Reservation.__acts__`): at the counter, and for somebody who telephones."""
CLOSURE = "closure"
"""The reason of 区分コード visit_reason that is the office's own doing: its mail apologises."""
MEANWHILE = "この予約は、ほかの人が先に変更しました。いまの内容を確かめてください。"


class MovedAlready(Conflict):
    """The reservation is no longer where the person saw it."""

    def __init__(self) -> None:
        super().__init__("この予約は、この画面を開いたあとで、ほかの人が別の日時に変更しました。いまの予約を確かめてください。")


@dataclass(frozen=True)
class Act:
    """What may be done with a reservation. `right`: who may. `is_same_day`: on its own day only. `asks_reason`: why has to be said.
    `gives_back`: its places are free again."""

    key: str
    label: str
    done: str
    begins: tuple[ReservationState, ...]
    ends: ReservationState
    right: str
    is_same_day: bool = False
    asks_reason: bool = False
    gives_back: bool = False


ACTS = {
    act.key: act
    for act in (
        Act("arrive", "来庁を記録する", "来庁を記録しました", (BOOKED, NO_SHOW), ARRIVED, CHECK_IN, is_same_day=True),
        Act(
            "undo",
            "来庁の記録を取り消す",
            "来庁の記録を取り消しました",
            (ARRIVED,),
            BOOKED,
            CHECK_IN,
            is_same_day=True,
            asks_reason=True,
        ),
        Act(
            "cancel",
            "キャンセルする",
            "キャンセルしました",
            (HELD, BOOKED),
            CANCELLED,
            BOOK,
            asks_reason=True,
            gives_back=True,
        ),
    )
}


@dataclass(frozen=True)
class Reason:
    """Why, as chosen from 区分コード, and in the caller's words."""

    code: str = ""
    note: str = ""


def why_not(act: Act, row: Reservation, now: datetime) -> str:
    """The sentence that says why an act cannot be done with a reservation now; empty when it can."""
    if row.state not in act.begins:
        return f"この予約は「{row.state.label}」のため、{act.label}ことはできません。"
    today = now.astimezone(TOKYO).date()
    if act.is_same_day and row.booking_date != today:
        return f"予約の日（{row.booking_date:%Y-%m-%d}）ではないため、{act.label}ことはできません。"
    if act.gives_back and row.booking_date < today:
        return f"予約の日（{row.booking_date:%Y-%m-%d}）が過ぎているため、{act.label}ことはできません。"
    return ""


def perform(session: Session, act: Act, row: Reservation, now: datetime, reason: Reason | None = None) -> bool:
    """Does an act, with the mail that tells of it; False when it was done already, so that a second click or scan gets the same
    answer and changes nothing.

    Raises Conflict when the state of the reservation does not allow it, and StaleDataError when somebody else changed it meanwhile.
    """
    if not _do(session, act, row, now, reason):
        return False
    _tell(session, act, [row], now)
    return True


def _tell(session: Session, act: Act, rows: Sequence[Reservation], now: datetime) -> None:
    if act.ends is CANCELLED and rows:
        kind = MailKind.CLOSED if rows[0].state_reason == CLOSURE else MailKind.CANCELLED
        outbox.tell(session, kind, rows, now)


def _do(session: Session, act: Act, row: Reservation, now: datetime, reason: Reason | None) -> bool:
    if row.state is act.ends and not act.asks_reason:
        return False
    if why := why_not(act, row, now):
        raise Conflict(why)
    given = reason or Reason()
    if act.asks_reason and not given.code:
        raise AppError("理由を選んでください。", field="reason")
    if act.ends is ARRIVED and row.queue_number is None:
        row.queue_number = next_number(session, row)
    row.state, row.state_at = act.ends, now
    row.state_reason, row.state_note = given.code, given.note
    row.arrived_at = now if act.ends is ARRIVED else None
    session.flush()
    if act.gives_back:  # after the row: 来庁予約 are locked before 予約枠 everywhere
        give_back(session, row.slot_id, row.units)
        waiting.serve(session, row.counter_id, row.booking_date, now)
    return True


def next_number(session: Session, row: Reservation) -> int:
    """The next 受付番号 of a counter's day. Whoever draws one waits for the one before, so that no number is drawn twice."""
    session.execute(select(Counter.id).where(Counter.id == row.counter_id).with_for_update())
    day = (Reservation.counter_id == row.counter_id) & (Reservation.booking_date == row.booking_date)
    last = session.scalar(select(func.max(Reservation.queue_number)).where(day, Reservation.queue_number.is_not(None)))
    return (last or 0) + 1


def already(act: Act, row: Reservation) -> str:
    """What a second click or scan is told."""
    at = f"（{row.state_at.astimezone(TOKYO):%H:%M}）" if row.state_at else ""
    return f"{row} は、すでに{act.ends.label}です{at}。"


def household(session: Session, row: Reservation) -> Sequence[Reservation]:
    """Everybody who was booked together, this reservation among them, in the order they were written."""
    if not row.group_id:
        return [row]
    return session.scalars(select(Reservation).where(Reservation.group_id == row.group_id).order_by(Reservation.id)).all()


def perform_all(session: Session, act: Act, rows: Sequence[Reservation], now: datetime, reason: Reason | None = None) -> int:
    """The same with several of a household, all or none; those for whom it does not come into question are left as they are."""
    able = [row for row in rows if not why_not(act, row, now)]
    for row in sorted(able, key=lambda row: row.slot_id):  # locks of 予約枠 are taken in one order everywhere
        _do(session, act, row, now, reason)
    _tell(session, act, able, now)
    return len(able)


class Dated(Protocol):
    """A reservation, or as much of it as a calendar reads."""

    @property
    def state(self) -> ReservationState: ...
    @property
    def booking_date(self) -> date: ...


def why_not_moved(row: Dated, now: datetime) -> str:
    if row.state is not BOOKED:
        return f"この予約は「{row.state.label}」のため、日時を変更できません。"
    if row.booking_date < now.astimezone(TOKYO).date():
        return f"予約の日（{row.booking_date:%Y-%m-%d}）が過ぎているため、日時を変更できません。新しい予約を登録してください。"
    return ""


def move(
    session: Session,
    row: Reservation,
    slot_id: int,
    channels: Sequence[Channel],
    now: datetime,
    *,
    was: int | None = None,
    reach: Reach | None = None,
) -> None:
    """Another time, counter or both: the new places or nothing. Number, person and answers stay as they are. `was`: the 予約枠 from
    which it is to be moved, as the person saw it. `reach`: where its card can be fetched, for who moves it by themselves.

    Raises SlotFull or NotOffered when the time cannot be had on one of these channels; the caller's transaction is then worth
    nothing more. Raises MovedAlready when it is no longer where it was.
    """
    if was not in (None, row.slot_id):
        raise MovedAlready
    if why := why_not_moved(row, now):
        raise Conflict(why)
    session.execute(select(Reservation.id).where(Reservation.id == row.id).with_for_update())
    before = {"day": f"{row.booking_date}", "start": f"{row.start_time}", "counter": row.counter.name}
    told = row.booking_date, row.start_time, row.counter_id
    category = session.get_one(BookingCategory, row.category_id)
    offer, channel = slots.offered_on(session, slot_id, category.code, channels, now)
    slot = offer.slot
    if slot.id == row.slot_id:
        raise AppError(N_("いまと同じ日時です。別の日時を選んでください。"), field="slot")
    if reach and not reach.holds(slot.counter_id, slot.slot_date):
        raise slots.NotOffered
    if not exchange(session, row, slot, slots.terms(category, channel, now)):
        raise SlotFull
    with widened(session, "予約の変更"):
        row.slot, row.counter = slot, slot.counter
        row.booking_date, row.start_time, row.end_time = slot.slot_date, slot.start_time, slot.end_time
        row.channel, row.queue_number = channel, None
    if (row.booking_date, row.start_time, row.counter_id) != told:  # another desk at the same time is nothing to the visitor
        outbox.tell(session, MailKind.CHANGED, [row], now, before=before)


def close_days(session: Session, now: datetime) -> int:
    """Whoever was expected on a day that is over has not come. Says how many."""
    today = now.astimezone(TOKYO).date()
    late = (Reservation.state == BOOKED) & (Reservation.booking_date < today)
    changed = session.execute(
        update(Reservation)
        .where(late)
        .values(state=NO_SHOW, state_at=context(session).now(), row_stamp=Reservation.row_stamp + 1),
        execution_options={"by_rule": "visits.close_days", "synchronize_session": False},
    )
    count = int(changed.rowcount)  # type: ignore[attr-defined]
    if count:
        audit.tell(session, specs()[Reservation], "edit", 無断欠席にした予約=f"{today:%Y-%m-%d}より前の{count}件")
    return count
