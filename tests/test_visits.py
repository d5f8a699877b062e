"""What becomes of a reservation: whatever is done in whatever order, places and reservations agree, and no state is left the wrong way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.context import TOKYO, Actor, acting
from app.errors import AppError, Conflict, SlotFull
from app.rules import accounts, bookings, invariants, slots, visits
from app.rules.visits import ACTS, Reason
from models import Channel, OperationLog, Reservation, ReservationState, Slot
from models.bookings import HOLDING
from tests import samples
from tests.booking_pages import free_slot, today
from tests.test_booking_rules import RNG, request

WHY = Reason("own", "電話で申し出")
BOTH = (Channel.COUNTER, Channel.WEB)
MORNING = time(8)


def morning(days: int = 0) -> datetime:
    """Eight o'clock here, before any counter opens."""
    return datetime.combine(today() + timedelta(days=days), MORNING, TOKYO).astimezone(UTC)


def place(session: Session, hour: int = 10, **values: Any) -> Slot:
    """Places of the counter itself, today."""
    return free_slot(session, days=0, hour=hour, channel=Channel.COUNTER, **values)


def booked(session: Session, slot: Slot, **values: Any) -> Reservation:
    booked.count = getattr(booked, "count", 0) + 1  # type: ignore[attr-defined]
    wish = request(slot, f"{booked.count:043}", channel=slot.channel, **values)  # type: ignore[attr-defined]
    return session.get_one(Reservation, bookings.book(session, wish, morning(), rng=RNG))


def broken(session: Session) -> list[str]:
    session.flush()
    return [finding.rule for finding in invariants.check(session, morning()) if finding.broken]


# -- every order of acts ----------------------------------------------------------------------------------------------

ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["book", "book", "cancel", "move", "move", "arrive", "undo", "want", "close"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=25,
)
HOLDS = set(HOLDING)


class Office:
    """The small model: for each reservation its state and its slot, for each slot what the masters want."""

    def __init__(self, session: Session, wanted: list[int]) -> None:
        self.session = session
        self.slots = [place(session, 10 + n, places=many) for n, many in enumerate(wanted)]
        self.wanted, self.rows = list(wanted), []  # type: ignore[var-annotated]
        self.model: list[tuple[ReservationState, int]] = []

    def used(self, at: int) -> int:
        return sum(where == at and state in HOLDS for state, where in self.model)

    def capacity(self, at: int) -> int:
        return max(self.wanted[at], self.used(at))

    def is_refused(self, act: Callable[[], Any]) -> bool:
        """Tries it in a savepoint, as the edge does in a transaction."""
        try:
            with self.session.begin_nested():
                act()
        except AppError:
            self.session.expire_all()
            return True
        return False

    def do_book(self, _who: int, at: int) -> None:
        full = self.used(at) >= self.capacity(at)
        made: list[Reservation] = []
        assert self.is_refused(lambda: made.append(booked(self.session, self.slots[at]))) is full
        if made:
            self.rows.append(made[0])
            self.model.append((ReservationState.BOOKED, at))

    def turn(self, key: str, who: int) -> None:
        act = ACTS[key]
        if who >= len(self.rows):
            return
        state, at = self.model[who]
        repeats = state is act.ends and not act.asks_reason
        refused = self.is_refused(lambda: visits.perform(self.session, act, self.rows[who], morning(), WHY))
        assert refused is not (state in act.begins or repeats), (key, state)
        if state in act.begins:
            self.model[who] = act.ends, at

    def do_cancel(self, who: int, _at: int) -> None:
        self.turn("cancel", who)

    def do_arrive(self, who: int, _at: int) -> None:
        self.turn("arrive", who)

    def do_undo(self, who: int, _at: int) -> None:
        self.turn("undo", who)

    def do_move(self, who: int, at: int) -> None:
        if who >= len(self.rows):
            return
        state, before = self.model[who]
        may = state is ReservationState.BOOKED and before != at and self.used(at) < self.capacity(at)
        code = self.rows[who].booking_code
        refused = self.is_refused(lambda: visits.move(self.session, self.rows[who], self.slots[at].id, BOTH, morning()))
        assert refused is not may, (state, before, at)
        assert self.rows[who].booking_code == code
        if may:
            self.model[who] = state, at

    def do_want(self, many: int, at: int) -> None:
        self.wanted[at] = many
        self.session.execute(
            update(Slot).where(Slot.id == self.slots[at].id).values(wanted=many, capacity=max(many, self.used(at))),
            execution_options={"by_rule": "test"},
        )

    def do_close(self, _who: int, _at: int) -> None:
        """The night comes: whoever has not come is a no-show and keeps the place, which was theirs."""
        waiting = sum(state is ReservationState.BOOKED for state, _ in self.model)
        assert visits.close_days(self.session, morning(1)) == waiting
        self.session.expire_all()
        no_show = ReservationState.NO_SHOW
        self.model = [(no_show if state is ReservationState.BOOKED else state, at) for state, at in self.model]

    def check(self) -> None:
        self.session.expire_all()
        assert [(row.state, row.slot_id) for row in self.rows] == [(state, self.slots[at].id) for state, at in self.model]
        found = [(slot.used, slot.capacity) for slot in self.slots]
        assert found == [(self.used(at), self.capacity(at)) for at in range(len(self.slots))]
        assert broken(self.session) == []


@given(orders=ORDERS, wanted=st.lists(st.integers(0, 3), min_size=3, max_size=3))
@example(
    orders=[("book", 0, 0), ("book", 0, 2), ("move", 0, 1), ("move", 1, 1), ("want", 0, 1), ("move", 0, 2), ("move", 0, 0)],
    wanted=[1, 1, 1],
)
@example(
    orders=[("book", 0, 0), ("arrive", 0, 0), ("cancel", 0, 0), ("undo", 0, 0), ("cancel", 0, 0), ("book", 0, 0)],
    wanted=[1, 0, 0],
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_and_reservations_agree_whatever_is_done(
    session: Session, orders: list[tuple[str, int, int]], wanted: list[int]
) -> None:
    session.rollback()
    office = Office(session, wanted)
    for act, who, at in orders:
        getattr(office, f"do_{act}")(who, at)
        office.check()
    session.rollback()


# -- one by one -------------------------------------------------------------------------------------------------------


def test_a_cancelled_place_can_be_booked_again_and_is_given_back_once(session: Session) -> None:
    slot = place(session, places=1)
    row = booked(session, slot)
    assert visits.perform(session, ACTS["cancel"], row, morning(), WHY)
    assert (row.state, row.state_reason, row.state_note) == (ReservationState.CANCELLED, "own", "電話で申し出")
    with pytest.raises(Conflict, match="「キャンセル」のため、キャンセルすることはできません"):
        visits.perform(session, ACTS["cancel"], row, morning(), WHY)
    booked(session, slot)
    session.refresh(slot)
    assert slot.used == 1 and broken(session) == []


def test_a_second_click_changes_nothing(session: Session) -> None:
    row = booked(session, place(session))
    assert visits.perform(session, ACTS["arrive"], row, morning())
    seen = row.row_stamp, row.arrived_at
    assert not visits.perform(session, ACTS["arrive"], row, morning() + timedelta(minutes=1))
    assert (row.row_stamp, row.arrived_at) == seen


@pytest.mark.parametrize(("key", "days"), [("arrive", 1), ("arrive", -1), ("undo", 1), ("cancel", 1)])
def test_acts_have_their_day(session: Session, key: str, days: int) -> None:
    """On another day than its own nobody is checked in, and what is over is not cancelled."""
    row = booked(session, place(session))
    if key == "undo":
        visits.perform(session, ACTS["arrive"], row, morning())
    with pytest.raises(Conflict, match=f"予約の日（{today():%Y-%m-%d}）"):
        visits.perform(session, ACTS[key], row, morning(days), WHY)


def test_a_reason_is_asked_for(session: Session) -> None:
    row = booked(session, place(session))
    with pytest.raises(AppError, match="理由を選んでください"):
        visits.perform(session, ACTS["cancel"], row, morning())
    assert row.state is ReservationState.BOOKED


def test_a_full_time_moves_nobody(session: Session) -> None:
    first, full = place(session, 10), place(session, 11, places=1)
    booked(session, full)
    row = booked(session, first)
    session.commit()
    with pytest.raises(SlotFull):
        visits.move(session, row, full.id, BOTH, morning())
    session.rollback()
    assert row.slot_id == first.id and broken(session) == []


def test_moving_keeps_everything_but_the_time(session: Session) -> None:
    first, later = place(session, 10), place(session, 14, at="shin-nagata")
    row = booked(session, first)
    before = {c.key: getattr(row, c.key) for c in Reservation.__table__.columns if c.key != "search_key"}
    visits.move(session, row, later.id, BOTH, morning())
    session.flush()
    changed = {key for key, value in before.items() if getattr(row, key) != value}
    assert changed == {"slot_id", "counter_id", "start_time", "end_time", "row_stamp"}
    assert (row.start_time, row.counter.code) == (time(14), "shin-nagata") and broken(session) == []


def test_a_time_that_is_not_ones_own_to_give_cannot_be_had(session: Session) -> None:
    row, kept = booked(session, place(session)), place(session, 11)
    kept.channel = Channel.RESERVE
    session.flush()
    with pytest.raises(slots.NotOffered):
        visits.move(session, row, kept.id, accounts.channels(["staff"]), morning())
    visits.move(session, row, kept.id, accounts.channels(["manager"]), morning())
    with pytest.raises(AppError, match="いまと同じ日時です"):
        visits.move(session, row, kept.id, accounts.channels(["manager"]), morning())


def test_a_clerk_moves_to_another_counter_and_the_log_says_that_it_left(session: Session) -> None:
    here, there = samples.counter(session), place(session, 14, at="shin-nagata")
    row = booked(session, place(session))
    session.commit()
    with acting(session, Actor(user_id="staff", counters=frozenset({here.id}))):
        visits.move(session, session.get_one(Reservation, row.id), there.id, BOTH, morning())
        session.commit()
        told = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert told is not None and told.detail["変更"][0]["範囲を越える理由"] == "予約の変更"


def test_a_household_comes_and_cancels_together(session: Session) -> None:
    slot = place(session)
    rows = [booked(session, slot) for _ in range(3)]
    for row in rows:
        row.group_id = "g-1"
    session.flush()
    assert list(visits.household(session, rows[1])) == rows
    visits.perform(session, ACTS["cancel"], rows[0], morning(), WHY)
    assert visits.perform_all(session, ACTS["arrive"], rows, morning()) == 2
    assert [row.state for row in rows] == [ReservationState.CANCELLED, ReservationState.ARRIVED, ReservationState.ARRIVED]
    assert list(visits.household(session, booked(session, place(session, 15)))) != rows and broken(session) == []


def test_the_night_says_who_did_not_come_once(session: Session) -> None:
    row = booked(session, place(session))
    assert visits.close_days(session, morning()) == 0, "the day is not over"
    assert visits.close_days(session, morning(1)) == 1 and visits.close_days(session, morning(1)) == 0
    session.commit()
    session.refresh(row)
    assert (row.state, row.row_stamp) == (ReservationState.NO_SHOW, 2)
    told = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert told is not None and "1件" in str(told.detail)


# -- the count --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "rule"),
    [
        ({"used": 2}, "予約枠の予約数は、予約の使用枠数の合計と同じ"),
        ({"capacity": 9}, "予約枠の定員は、希望定員と予約数の大きい方"),
        ({"start_time": time(9)}, "予約の日時と窓口は、予約枠と同じ"),
    ],
)
def test_what_is_wrong_is_counted(session: Session, what: dict[str, Any], rule: str) -> None:
    slot = place(session)
    booked(session, slot)
    assert broken(session) == []
    session.execute(update(Slot).where(Slot.id == slot.id).values(**what), execution_options={"by_rule": "test"})
    assert broken(session) == [rule]
