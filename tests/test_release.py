"""Timed release: what a channel has not used goes to 公開 in time, once, whatever is booked and changed meanwhile."""

from __future__ import annotations

import random
import time as clock
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import jobs
from app.context import TOKYO
from app.errors import Conflict, SlotFull
from app.rules import bookings, invariants, opening, slots, visits
from app.rules.release import release_places
from app.rules.visits import ACTS
from models import Channel, Counter, CounterClosure, DeskPool, OperationLog, Reservation, ReservationState, Slot
from tests.booking_pages import counter, free_slot, today
from tests.conftest import House
from tests.pages import fill, table, words
from tests.test_booking_race import race
from tests.test_booking_rules import RNG, request
from tests.test_jobs import opener
from tests.test_visits import WHY

CALLCENTER, COUNTER, RESERVE, WEB = Channel.CALLCENTER, Channel.COUNTER, Channel.RESERVE, Channel.WEB
DAY = today() + timedelta(days=5)
HOUR = timedelta(hours=1)
TEN = datetime.combine(DAY, time(10), TOKYO)
"""When the one time of the desk below begins."""


@pytest.fixture
def desk(session: Session) -> DeskPool:
    """A desk with one time a day, at 10:00: 公開 2, コールセンター 3 until 48 hours before, 予備 1 until 24 hours before."""
    for other in session.scalars(select(Counter)):
        other.is_open = other.code == "sannomiya"
    for closure in session.scalars(select(CounterClosure)):
        session.delete(closure)
    first, *others = session.scalars(select(DeskPool).join(Counter).where(Counter.code == "sannomiya").order_by(DeskPool.id))
    for pool in others:
        pool.web_places = pool.callcenter_places = pool.counter_places = pool.reserve_places = 0
    for hours in counter(session).hours:
        hours.opens, hours.closes = time(10), time(10, 30)
    places(first, web=2, callcenter=3, reserve=1)
    first.callcenter_release_hours, first.counter_release_hours, first.reserve_release_hours = 48, None, 24
    session.flush()
    open_slots(session)
    session.commit()
    return first


def places(pool: DeskPool, *, web: int = 0, callcenter: int = 0, counter: int = 0, reserve: int = 0) -> None:
    pool.web_places, pool.callcenter_places, pool.counter_places, pool.reserve_places = web, callcenter, counter, reserve


def open_slots(session: Session) -> int:
    return opening.open_slots(session, today=DAY, days=0)


def now(before: float) -> datetime:
    """So many hours before the time begins."""
    return (TEN - before * HOUR).astimezone(UTC)


def rows(session: Session) -> dict[Channel, tuple[int, int, int, int]]:
    """wanted, used, capacity, released of each channel's row."""
    session.expire_all()
    found = session.scalars(select(Slot).where(Slot.slot_date == DAY))
    return {s.channel: (s.wanted, s.used, s.capacity, s.released) for s in found}


def book(session: Session, channel: Channel, token: str = "a" * 43) -> Reservation:
    slot = session.scalars(select(Slot).where(Slot.slot_date == DAY, Slot.channel == channel)).one()
    number = bookings.book(session, request(slot, token, channel=channel), datetime.now(UTC), rng=RNG)
    session.expire_all()
    return session.get_one(Reservation, number)


def cancel(session: Session, row: Reservation) -> None:
    visits.perform(session, ACTS["cancel"], row, datetime.now(UTC), WHY)


def broken(session: Session) -> list[str]:
    session.flush()
    return [finding.rule for finding in invariants.check(session, datetime.now(UTC)) if finding.broken]


# -- one by one -------------------------------------------------------------------------------------------------------


def test_what_is_left_goes_to_the_public_when_its_hour_comes(session: Session, desk: DeskPool) -> None:
    book(session, CALLCENTER)
    assert release_places(session, now(48.1)) == 0
    assert release_places(session, now(48)) == 2
    assert rows(session) == {WEB: (4, 0, 4, 2), CALLCENTER: (1, 1, 1, -2), RESERVE: (1, 0, 1, 0)}
    assert release_places(session, now(23)) == 1
    assert rows(session) == {WEB: (5, 0, 5, 3), CALLCENTER: (1, 1, 1, -2), RESERVE: (0, 0, 0, -1)}
    assert broken(session) == []


def test_a_second_run_moves_nothing_and_logs_nothing(session: Session, desk: DeskPool) -> None:
    assert release_places(session, now(20)) == 4
    session.commit()
    before = rows(session), session.scalar(select(func.count(OperationLog.id)))
    assert release_places(session, now(20)) == 0
    session.commit()
    assert (rows(session), session.scalar(select(func.count(OperationLog.id)))) == before


def test_the_log_says_once_how_many_went(session: Session, desk: DeskPool) -> None:
    name, task = next((name, task) for name, task in jobs.EVERY_HOUR.items() if task is release_places)
    assert jobs.do(opener(session), now(20), {name: task}) == []
    told = session.scalars(select(OperationLog).where(OperationLog.user_name == name)).one()
    assert told.detail["変更"][0]["項目"] == {"公開へ移した枠": [None, "4"], "時間帯": [None, "1"]}


def test_a_place_that_is_cancelled_later_goes_too(session: Session, desk: DeskPool) -> None:
    row = book(session, CALLCENTER)
    release_places(session, now(48))
    cancel(session, row)
    assert rows(session)[CALLCENTER] == (1, 0, 1, -2)
    assert release_places(session, now(47)) == 1
    assert rows(session) == {WEB: (5, 0, 5, 3), CALLCENTER: (0, 0, 0, -3), RESERVE: (1, 0, 1, 0)}


def test_a_row_of_the_public_is_made_where_there_is_none(session: Session, desk: DeskPool) -> None:
    session.execute(
        update(Slot).where(Slot.channel == WEB).values(slot_date=DAY - HOUR * 240), execution_options={"by_rule": "x"}
    )
    desk.web_places = 0
    assert release_places(session, now(48)) == 3
    assert rows(session)[WEB] == (3, 0, 3, 3)
    assert open_slots(session) == 0, "opening again does not take them back"
    assert broken(session) == []


def test_what_has_begun_or_stands_at_a_closed_counter_stays(session: Session, desk: DeskPool) -> None:
    assert release_places(session, now(0)) == 0
    assert release_places(session, now(-1)) == 0
    counter(session).is_open = False
    assert release_places(session, now(1)) == 0
    counter(session).is_open = True
    assert release_places(session, now(1)) == 4


def test_residents_find_what_was_given_to_them(session: Session, desk: DeskPool) -> None:
    desk.callcenter_release_hours = 200
    for n in range(2):
        book(session, WEB, f"{n:043}")
    with pytest.raises(SlotFull):
        book(session, WEB, "b" * 43)
    release_places(session, datetime.now(UTC))
    assert book(session, WEB, "b" * 43).channel is WEB
    offered = slots.day(session, session.scalars(select(DeskPool)).first().categories[0], counter(session), WEB, DAY, now(100))  # type: ignore[union-attr]
    assert [(o.start, o.free) for o in offered] == [(time(10), 2)]


# -- masters that change afterwards -----------------------------------------------------------------------------------


def test_opening_again_neither_undoes_nor_doubles(session: Session, desk: DeskPool) -> None:
    release_places(session, now(20))
    before = rows(session)
    assert open_slots(session) == 0 and rows(session) == before


def test_more_places_come_on_top_and_go_in_their_turn(session: Session, desk: DeskPool) -> None:
    release_places(session, now(48))
    places(desk, web=3, callcenter=5, reserve=1)
    open_slots(session)
    assert rows(session) == {WEB: (6, 0, 6, 3), CALLCENTER: (2, 0, 2, -3), RESERVE: (1, 0, 1, 0)}
    assert release_places(session, now(47)) == 2
    assert rows(session)[WEB] == (8, 0, 8, 5)


def test_fewer_places_are_taken_back_from_the_public_never_below_what_is_booked(session: Session, desk: DeskPool) -> None:
    book(session, CALLCENTER)
    release_places(session, now(48))
    places(desk, web=2, callcenter=2, reserve=1)
    open_slots(session)
    assert rows(session) == {WEB: (3, 0, 3, 1), CALLCENTER: (1, 1, 1, -1), RESERVE: (1, 0, 1, 0)}
    assert broken(session) == []


def test_a_closed_day_takes_everything_back_and_an_opened_one_begins_anew(session: Session, desk: DeskPool) -> None:
    release_places(session, now(20))
    closure = CounterClosure(counter=desk.counter, starts_on=DAY, ends_on=DAY, reason="設備点検")
    session.add(closure)
    open_slots(session)
    assert set(rows(session).values()) == {(0, 0, 0, 0)}
    assert release_places(session, now(20)) == 0
    session.delete(closure)
    open_slots(session)
    assert rows(session) == {WEB: (2, 0, 2, 0), CALLCENTER: (3, 0, 3, 0), RESERVE: (1, 0, 1, 0)}
    assert broken(session) == []


def test_what_has_gone_stays_when_its_hours_are_changed(session: Session, desk: DeskPool) -> None:
    release_places(session, now(48))
    before = rows(session)
    desk.callcenter_release_hours = None
    open_slots(session)
    assert release_places(session, now(47)) == 0 and rows(session) == before


# -- every order ------------------------------------------------------------------------------------------------------

GIVERS = {CALLCENTER: "callcenter", COUNTER: "counter", RESERVE: "reserve"}
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["book", "book", "book", "cancel", "want", "want", "release", "release", "hours", "open"]),
        st.sampled_from(list(Channel)),
        st.integers(0, 4),
    ),
    max_size=30,
)


class Model:
    """What should be there: of each channel the masters' number, what it has given away, and who has booked."""

    def __init__(self, session: Session, desk: DeskPool) -> None:
        self.session, self.desk = session, desk
        self.planned = {WEB: 2, CALLCENTER: 3, COUNTER: 0, RESERVE: 1}
        self.given = dict.fromkeys(GIVERS, 0)
        self.hours: dict[Channel, int | None] = {CALLCENTER: 48, COUNTER: None, RESERVE: 24}
        self.booked: dict[Channel, list[Reservation]] = {channel: [] for channel in Channel}
        self.tokens = 0

    def wanted(self, channel: Channel) -> int:
        received = sum(self.given.values()) if channel is WEB else -self.given[channel]
        return self.planned[channel] + received

    def free(self, channel: Channel) -> int:
        return max(self.wanted(channel) - len(self.booked[channel]), 0)

    def do_book(self, channel: Channel, _n: int) -> None:
        if channel not in rows(self.session):
            return
        self.tokens += 1
        try:
            row = book(self.session, channel, f"{self.tokens:043}")
        except SlotFull:
            assert not self.free(channel)
            return
        assert self.free(channel)
        self.booked[channel].append(row)

    def do_cancel(self, channel: Channel, _n: int) -> None:
        if self.booked[channel]:
            cancel(self.session, self.booked[channel].pop())

    def do_want(self, channel: Channel, n: int) -> None:
        self.planned[channel] = n
        setattr(self.desk, f"{GIVERS.get(channel, 'web')}_places", n)
        open_slots(self.session)
        if channel in self.given:
            self.given[channel] = min(self.given[channel], max(n - len(self.booked[channel]), 0))

    def do_open(self, _channel: Channel, _n: int) -> None:
        assert open_slots(self.session) == 0

    def do_hours(self, channel: Channel, n: int) -> None:
        if channel in GIVERS:
            self.hours[channel] = [None, 0, 24, 48, 200][n]
            setattr(self.desk, f"{GIVERS[channel]}_release_hours", self.hours[channel])

    def do_release(self, _channel: Channel, n: int) -> None:
        before = [0, 1, 30, 60, 300][n]
        moving = {
            channel: self.free(channel) for channel, hours in self.hours.items() if hours is not None and 0 < before <= hours
        }
        assert release_places(self.session, now(before)) == sum(moving.values())
        for channel, count in moving.items():
            self.given[channel] += count

    def check(self) -> None:
        found = rows(self.session)
        for channel in Channel:
            wanted, used = self.wanted(channel), len(self.booked[channel])
            gone = sum(self.given.values()) if channel is WEB else -self.given[channel]
            assert found.get(channel, (0, 0, 0, 0)) == (wanted, used, max(wanted, used), gone), channel
        assert sum(row[0] for row in found.values()) == sum(self.planned.values())
        assert broken(self.session) == []


@given(orders=ORDERS)
@example(orders=[("book", CALLCENTER, 0), ("release", WEB, 2), ("book", WEB, 0), ("want", CALLCENTER, 0), ("release", WEB, 1)])
@example(orders=[("release", WEB, 2), ("want", WEB, 0), ("want", CALLCENTER, 1), ("want", CALLCENTER, 4), ("release", WEB, 1)])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_place_is_lost_or_made_whatever_is_done(
    session: Session, desk: DeskPool, orders: list[tuple[str, Channel, int]]
) -> None:
    session.rollback()
    model = Model(session, desk)
    for act, channel, n in orders:
        with session.no_autoflush:
            getattr(model, f"do_{act}")(channel, n)
        session.flush()
        model.check()
    session.rollback()


# -- at the same moment -----------------------------------------------------------------------------------------------

Attempt = Callable[[Session, int, random.Random], Any]
LOOK_TO_WRITE = 0.05
PLACES = 10


def among_others(release: Callable[[Session], Any]) -> Attempt:
    """Books on either channel, cancels, moves from one to the other, or has places released: what a busy hour is like."""

    def attempt(session: Session, slot_id: int, rng: random.Random) -> None:
        act = rng.choice(["callcenter", "callcenter", "callcenter", "web", "cancel", "move", "release"])
        if act == "release":
            release(session)
        elif act in ("cancel", "move"):
            _change_any(session, act, rng)
        else:
            _book(session, Channel(act), rng)

    return attempt


def _book(session: Session, channel: Channel, rng: random.Random) -> None:
    slot = session.scalars(
        select(Slot).where(Slot.slot_date == DAY, Slot.start_time == time(10), Slot.channel == channel)
    ).first()
    if slot is None:
        raise SlotFull
    wish = request(slot, f"{rng.getrandbits(128):043}", channel=channel)
    bookings.book(session, wish, datetime.now(UTC), rng=rng)


def _change_any(session: Session, act: str, rng: random.Random) -> None:
    booked = session.scalars(select(Reservation.id).where(Reservation.state == ReservationState.BOOKED)).all()
    if not booked:
        return
    try:
        row = session.get_one(Reservation, rng.choice(booked))
        if act == "cancel":
            cancel(session, row)
        else:
            other = session.scalars(select(Slot.id).where(Slot.slot_date == DAY, Slot.id != row.slot_id)).one()
            visits.move(session, row, other, (CALLCENTER, WEB), datetime.now(UTC))
    except (Conflict, StaleDataError, IntegrityError) as error:  # somebody else has just changed it, or the other time is full
        raise SlotFull from error


def by_rule(session: Session) -> None:
    release_places(session, datetime.now(UTC))


def read_then_written(session: Session) -> None:
    """The guard taken away: looks what is unused, and then writes it."""
    giving, public = (
        session.execute(select(Slot.id, Slot.wanted, Slot.used, Slot.released).where(Slot.channel == channel)).first()
        for channel in (CALLCENTER, WEB)
    )
    session.rollback()
    if giving is None or public is None or giving.wanted <= giving.used:
        return
    clock.sleep(LOOK_TO_WRITE)
    moved = giving.wanted - giving.used
    for row, wanted, released in (
        (giving, giving.used, giving.released - moved),
        (public, public.wanted + moved, public.released + moved),
    ):
        session.execute(
            update(Slot).where(Slot.id == row.id).values(wanted=wanted, released=released, capacity=max(wanted, row.used)),
            execution_options={"by_rule": "test"},
        )


@pytest.fixture
def shared_time(session: Session) -> Slot:
    """One time that the call centre and residents share: ten places, all of them the call centre's at first."""
    pool = session.scalars(select(DeskPool).join(Counter).where(DeskPool.name == "交付窓口", Counter.code == "sannomiya")).one()
    pool.callcenter_release_hours = 1000
    free_slot(session, places=0, channel=WEB)
    slot = free_slot(session, places=PLACES, channel=CALLCENTER)
    session.commit()
    return slot


def _fill(session: Session, channel: Channel) -> None:
    for _ in range(PLACES):
        with suppress(SlotFull):
            _book(session, channel, RNG)


def standing(session: Session) -> tuple[int, list[str]]:
    """Places that are wanted altogether, and which rules are broken."""
    session.rollback()
    session.expire_all()
    return session.scalar(select(func.sum(Slot.wanted)).where(Slot.slot_date == DAY)) or 0, broken(session)


def test_places_released_while_people_book_and_cancel_are_neither_lost_nor_made(
    database: House, session: Session, shared_time: Slot
) -> None:
    outcome = race(database, session, shared_time, among_others(by_rule))
    assert (outcome["refused by the database"], outcome["failed"]) == (0, 0) and outcome["booked"] > PLACES
    assert standing(session) == (PLACES, [])
    for channel in (CALLCENTER, WEB):
        _fill(session, channel)
    held = session.scalar(select(func.count()).where(Reservation.state == ReservationState.BOOKED))
    assert held == PLACES, "every place can be booked, and none twice"


def test_control_releasing_what_was_read_before_breaks_the_count(database: House, session: Session, shared_time: Slot) -> None:
    """If this one stops breaking anything, the race above has become too tame to prove anything."""
    number = shared_time.id
    for _ in range(5):
        outcome = race(database, session, session.get_one(Slot, number), among_others(read_then_written))
        if outcome["refused by the database"] or standing(session) != (PLACES, []):
            return
        session.execute(text("DELETE FROM reservation"))
        session.execute(text("UPDATE slot SET used = 0, released = 0, wanted = CASE channel WHEN 'web' THEN 0 ELSE 10 END"))
        session.execute(text("UPDATE slot SET capacity = wanted"))
        session.commit()
    pytest.fail("reading first never broke the count in five races")


# -- screens ----------------------------------------------------------------------------------------------------------

Browse = Callable[[str], FlaskClient]


def test_hours_are_typed_with_the_pool_and_must_make_sense(browse: Browse, session: Session) -> None:
    manager, pool = browse("manager"), session.scalars(select(DeskPool).order_by(DeskPool.id)).first()
    assert pool
    path = f"/masters/desk_pool/edit/{pool.id}"
    answer = fill(manager, path, counter_release_hours="1001")
    assert answer.status_code == 422 and "空にするか、0から1000までにしてください" in words(answer.text)
    assert fill(manager, path, counter_release_hours="72", callcenter_release_hours="").status_code == 303
    session.expire_all()
    assert (pool.callcenter_release_hours, pool.counter_release_hours) == (None, 72)


def tomorrow() -> date:
    return today() + timedelta(days=1)


def test_the_ladder_of_tomorrow_stands_below_a_pool_and_its_counter(browse: Browse, session: Session) -> None:
    free_slot(session, days=1, places=4, used=1, channel=WEB)
    free_slot(session, days=1, places=3, channel=COUNTER)
    free_slot(session, days=1, places=2, used=2, channel=CALLCENTER)
    pool = session.scalars(select(DeskPool).join(Counter).where(DeskPool.name == "交付窓口", Counter.code == "sannomiya")).one()
    pool.counter_release_hours = 1
    session.commit()
    manager = browse("manager")
    for path in (f"/masters/desk_pool/show/{pool.id}", f"/masters/counter/show/{pool.counter_id}"):
        page = manager.get(path).text
        line = next(row for row in table(page) if row[:1] == ["10:00〜10:30"])
        assert line == ["10:00〜10:30", "1/4", "2/2", f"0/3 残りは {tomorrow():%m-%d} 09:00 に公開へ"], path
        assert "過ぎてから公開へ移る枠があります" in words(page), "residents book until the day before"
    assert "この日に開く枠はありません" in words(manager.get(f"/masters/desk_pool/show/{pool.id}?day={DAY}").text)
    for day in ("x", "0001-01-01", "9999-12-31", ""):
        assert manager.get(f"/masters/desk_pool/show/{pool.id}?day={day}").status_code == 200


def test_the_ladder_shows_what_has_gone(browse: Browse, session: Session, desk: DeskPool) -> None:
    book(session, CALLCENTER)
    release_places(session, now(48))
    session.commit()
    page = browse("staff").get(f"/masters/desk_pool/show/{desk.id}?day={DAY}").text
    line = next(row for row in table(page) if row[:1] == ["10:00〜10:30"])
    assert line[1:3] == ["0/4 ほかの経路から2枠", "1/1 公開へ2枠"] and line[3].startswith("0/1 残りは ")


@pytest.mark.parametrize("what", [{"released": -1, "wanted": 1}, {"released": -2, "wanted": 0, "capacity": 0}])
def test_what_was_given_and_not_received_is_found(session: Session, desk: DeskPool, what: dict[str, int]) -> None:
    session.execute(update(Slot).where(Slot.channel == RESERVE).values(**what), execution_options={"by_rule": "test"})
    assert broken(session) == ["ほかの経路が公開へ渡した枠の数は、公開が受けた枠の数と同じ"]
