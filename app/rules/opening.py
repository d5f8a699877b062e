"""Opening places ahead: the rows of 予約枠 are made to agree with what the masters want of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.orm import Session

from app import audit
from app.rules import places
from app.rules.places import Key
from app.rules.planning import Counters, Plan, Plans, are_open
from app.schema import specs
from models import BookingCategory, Counter, Reservation, Slot

SPARE_DAYS = 15  # slots stand this much further ahead than anybody may book, so that a few failed nights are not felt


class Stored(NamedTuple):
    """A row that is there: its number, what it was opened for, what it has given or received since, and how many are booked."""

    number: int
    plan: Plan
    released: int
    used: int

    @property
    def wanted(self) -> int:
        return self.plan.places + self.released


Rows = dict[Key, Stored]


class Agreed(NamedTuple):
    """What was written: how many rows are new and how many changed, which of these are wanted less than before, and which of these
    lie in a time that is closed now for every channel."""

    new: int = 0
    changed: int = 0
    shrunk: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()


def days_ahead(session: Session) -> int:
    """How far slots have to be open."""
    return furthest(session.scalars(select(BookingCategory.earliest_days)))


def furthest(earliest_days: Iterable[int]) -> int:
    """As far as the earliest 予約区分 may be booked, and a little more."""
    return max(earliest_days, default=0) + SPARE_DAYS


def days_there(session: Session, today: date) -> int:
    """How far slots are open, be it further than they have to be now."""
    last = session.scalar(select(func.max(Slot.slot_date)).execution_options(unscoped=True))
    return max(days_ahead(session), (last - today).days if last else 0)


def open_slots(session: Session, *, today: date, days: int) -> int:
    """Makes the places of today and the `days` after it agree with the masters; says how many rows it wrote. Running it again writes
    nothing."""
    done = agree(session, today, today + timedelta(days=days))
    return done.new + done.changed


def agree(session: Session, first: date, last: date, at: Counters = None) -> Agreed:
    """The same for some days at some counters or at all, with what changed.

    A row that the masters no longer want (closed day, shorter hours, fewer desks) stays and keeps the places already taken:
    `capacity` is max(wanted, used). What a channel has given to 公開 it has given, as far as the masters still leave it that much.
    Counters that are not 受付中 are left as they are. Public holidays (国民の祝日) are open days unless the counter or a 休業日 says
    otherwise, because the satellites serve on weekends as well; whether that is right for every counter is a question to the office.
    """
    places.alone(session)
    plans = Plans(session, at)
    plan, there = plans.between(first, last), existing(session, first, last, at)
    missing = [{**key._asdict(), **_of_new(row)} for key, row in plan.items() if key not in there]
    places.add(session, missing)
    changed = differing(plans, there)
    shrunk = _change(session, there, changed) if changed else frozenset()
    closed = frozenset(there[key].number for key in changed if plans.is_closed(key))
    if missing or changed:
        audit.tell(session, specs()[Slot], "edit", 期間=f"{first} 〜 {last}", 追加=len(missing), 変更=len(changed))
    return Agreed(len(missing), len(changed), shrunk, closed)


def foresee(session: Session, first: date, last: date, at: Counters) -> dict[int, tuple[int, bool]]:
    """Which slots would have fewer places than before and than are booked, if it were done: by their numbers how many too few, and
    whether the time would be closed. Only reads, and only what is booked or was given away."""
    plans = Plans(session, at)
    there = existing(session, first, last, at, or_(Slot.used > 0, Slot.released != 0))
    wanted: dict[Key, int] = {}
    taken_back: dict[Key, int] = defaultdict(int)
    for key, plan in differing(plans, there).items():
        row = there[key]
        kept = max(row.released, -max(plan.places - row.used, 0))
        wanted[key] = plan.places + kept
        if row.released < 0:
            taken_back[key.public] += row.released - kept
    for key, count in taken_back.items():
        wanted[key] = wanted.get(key, there[key].wanted) + count
    lacking = (key for key, count in wanted.items() if count < there[key].wanted and count < there[key].used)
    return {there[key].number: (there[key].used - wanted[key], plans.is_closed(key)) for key in lacking}


def differing(plans: Plans, there: Rows) -> dict[Key, Plan]:
    """What the masters want of the rows that were opened for something else."""
    found = ((key, plans.of(key) or row.plan._replace(places=0)) for key, row in there.items())
    return {key: plan for key, plan in found if plan != there[key].plan}


def locked(there: Rows, changed: Iterable[Key]) -> set[int]:
    """The rows that a change of some touches: themselves, and 公開 where it has something of theirs."""
    return {number for key in changed for number in (there[key].number, _public(there, key).number)}


def _public(there: Rows, key: Key) -> Stored:
    return there[key.public] if there[key].released < 0 else there[key]


def existing(session: Session, first: date, last: date, at: Counters, *where: ColumnElement[bool]) -> Rows:
    """Rows of the days in question, of counters that are open, whoever asks."""
    key = (Slot.desk_pool_id, Slot.slot_date, Slot.start_time, Slot.channel)
    planned = (Slot.counter_id, Slot.end_time, Slot.wanted - Slot.released)
    rows = session.execute(
        select(*key, *planned, Slot.id, Slot.released, Slot.used)
        .join(Counter, Counter.id == Slot.counter_id)
        .where(*are_open(at), Slot.slot_date.between(first, last), *where)
        .execution_options(unscoped=True)
    )
    return {Key._make(row[:4]): Stored(row[7], Plan._make(row[4:7]), row[8], row[9]) for row in rows}


def _of_new(plan: Plan) -> dict[str, Any]:
    return {"counter_id": plan.counter_id, "end_time": plan.end_time, "wanted": plan.places}


def _change(session: Session, there: Rows, changed: dict[Key, Plan]) -> frozenset[int]:
    """Lets rows want something else, and says which of them less. A channel that is left with less than it has given away takes the
    rest back from 公開."""
    longer = [there[key].number for key, plan in changed.items() if plan.end_time != there[key].plan.end_time]
    _hold_visits(session, longer)
    places.hold(session, locked(there, changed))
    more: dict[int, int] = defaultdict(int)
    taken_back: dict[int, int] = defaultdict(int)
    for plan, rows in _by_plan(there, changed).items():
        kept = _still_given(plan.places)
        released = places.change(session, rows, wanted=plan.places + kept, released=kept, end_time=plan.end_time)
        for number, (row, public) in rows.items():
            more[number] += plan.places + released[number] - row.wanted
            taken_back[public] += row.released - released[number]
    for number, count in taken_back.items():
        more[number] += count
    places.receive(session, {number: count for number, count in taken_back.items() if count})
    _end_visits(session, longer)
    return frozenset(number for number, count in more.items() if count < 0)


def _by_plan(there: Rows, changed: dict[Key, Plan]) -> dict[Plan, dict[int, tuple[Stored, int]]]:
    """The rows that are to be the same: each with how it stands, and the number of the row of 公開 that has what it gave away."""
    found: dict[Plan, dict[int, tuple[Stored, int]]] = defaultdict(dict)
    for key, plan in changed.items():
        found[plan][there[key].number] = there[key], _public(there, key).number
    return found


def _still_given(planned_places: int) -> ColumnElement[int]:
    """What a row has given away (below zero) or received, when the masters leave it so many places: no more than nobody uses."""
    unused = case((Slot.used < planned_places, planned_places - Slot.used), else_=0)
    return case((Slot.released < -unused, -unused), else_=Slot.released)


def _hold_visits(session: Session, slots: Iterable[int]) -> None:
    """Locks the reservations of times whose length changes. Rows of 来庁予約 are locked before 予約枠, everywhere."""
    for some in places.pieces(slots):
        visits = select(Reservation.id).where(Reservation.slot_id.in_(some)).order_by(Reservation.id)
        session.execute(visits.with_for_update().execution_options(unscoped=True)).all()


def _end_visits(session: Session, slots: Iterable[int]) -> None:
    """A reservation ends when its time does, whatever has become of it."""
    end = select(Slot.end_time).where(Slot.id == Reservation.slot_id).scalar_subquery()
    for some in places.pieces(slots):
        session.execute(
            update(Reservation)
            .where(Reservation.slot_id.in_(some), Reservation.end_time != end)
            .values(end_time=end, row_stamp=Reservation.row_stamp + 1),
            execution_options={"by_rule": "opening.agree", "synchronize_session": False},
        )
