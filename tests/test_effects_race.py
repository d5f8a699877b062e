"""Real processes book, cancel and move while somebody closes the day: nobody is left in a closed time unasked, and no place is lost."""

from __future__ import annotations

import random
import threading
import time as clock
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.context import acting, system
from app.errors import AppError, SlotFull
from app.extensions import db
from app.rules import bookings, deciding, invariants, opening, visits
from app.rules.deciding import Choice, Decision, Foreseen
from app.rules.standing import Change, stand
from app.rules.visits import ACTS, CLOSURE, Reason
from models import Channel, Counter, CounterClosure, DeskPool, Reservation, ReservationState, Slot
from tests.booking_pages import counter
from tests.conftest import House
from tests.test_booking_race import race
from tests.test_booking_rules import request
from tests.test_effects import DAY, desk  # noqa: F401 - a fixture

Attempt = Callable[[Session, int, random.Random], Any]
BOOKED = Reservation.state == ReservationState.BOOKED
LOOK_TO_WRITE = 0.1
ROUNDS = 3
LATER = DAY + timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


def among_others(close: Callable[[Session, random.Random], Any]) -> Attempt:
    """What goes on while a day is closed."""

    def attempt(session: Session, _slot: int, rng: random.Random) -> None:
        act = rng.choice([*["book"] * 12, "cancel", "move", "close"])
        if act == "book":
            _book(session, rng)
        elif act == "close":
            close(session, rng)
        else:
            _change_any(session, act, rng)

    return attempt


def _any_slot(session: Session, rng: random.Random, *days: date) -> Slot:
    numbers = session.scalars(select(Slot.id).where(Slot.slot_date.in_(days), Slot.capacity > Slot.used)).all()
    if not numbers:
        raise SlotFull
    return session.get_one(Slot, rng.choice(numbers))


def _book(session: Session, rng: random.Random) -> None:
    place = _any_slot(session, rng, DAY, LATER)
    wish = request(place, f"{rng.getrandbits(128):043}", channel=place.channel)
    try:
        bookings.book(session, wish, now(), rng=rng)
    except AppError as error:
        raise SlotFull from error


def _change_any(session: Session, act: str, rng: random.Random) -> None:
    numbers = session.scalars(select(Reservation.id).where(BOOKED, Reservation.booking_date.in_([DAY, LATER]))).all()
    if not numbers:
        return
    try:
        row = session.get_one(Reservation, rng.choice(numbers))
        if act == "cancel":
            visits.perform(session, ACTS["cancel"], row, now(), Reason("own"))
        else:
            visits.move(session, row, _any_slot(session, rng, DAY, LATER).id, tuple(Channel), now())
    except (AppError, StaleDataError, IntegrityError) as error:  # somebody else was quicker
        raise SlotFull from error


def _is_closed(session: Session) -> bool:
    return session.scalar(select(CounterClosure.id).where(CounterClosure.starts_on == DAY).limit(1)) is not None


def _closure(session: Session) -> CounterClosure:
    row = CounterClosure(counter=counter(session), starts_on=DAY, ends_on=DAY, reason="台風")
    session.add(row)
    session.flush()
    return row


def by_rule(session: Session, rng: random.Random) -> None:
    """As the screen does it: shown, and then decided, until both are about the same people."""
    choice, decision = rng.choice([Choice.MOVE, Choice.CANCEL]), None
    while not _is_closed(session):
        closure = _closure(session)
        found = deciding.settle(session, Change(None, stand(closure)), decision, tuple(Channel), now())
        if not isinstance(found, Foreseen):
            return
        session.rollback()
        decision = Decision(choice, found.seal)


def looked_first(session: Session, _rng: random.Random) -> None:
    """The guard taken away: looks who is there, and then closes for these."""
    if _is_closed(session):
        return
    seen = session.scalars(select(Reservation.id).where(BOOKED, Reservation.booking_date == DAY)).all()
    session.rollback()
    clock.sleep(LOOK_TO_WRITE)
    if _is_closed(session):
        return
    _closure(session)
    opening.agree(session, DAY, DAY, frozenset({counter(session).id}))
    try:
        for row in session.scalars(select(Reservation).where(Reservation.id.in_(seen), BOOKED)).all():
            visits.perform(session, ACTS["cancel"], row, now(), Reason(CLOSURE))
    except StaleDataError as error:
        raise SlotFull from error


def renewed(session: Session) -> Slot:
    """Nobody has booked, and the day is open."""
    session.rollback()
    for table in ("outbox", "reservation"):
        session.execute(text(f"DELETE FROM {table}"))
    session.execute(delete(CounterClosure), execution_options={"by_rule": "test"})
    session.execute(text("UPDATE slot SET used = 0, capacity = wanted"))
    opening.agree(session, DAY, LATER)
    session.commit()
    session.expire_all()
    return session.scalars(select(Slot).where(Slot.slot_date == DAY, Slot.start_time == time(10)).limit(1)).one()


def left(session: Session) -> tuple[int, list[str]]:
    """How many are still expected on the closed day, and which rules are broken."""
    session.rollback()
    session.expire_all()
    wrong = [finding.rule for finding in invariants.check(session, now()) if finding.broken]
    return session.scalar(select(func.count(Reservation.id)).where(BOOKED, Reservation.booking_date == DAY)) or 0, wrong


@pytest.fixture
def busy(session: Session, desk: DeskPool) -> DeskPool:  # noqa: F811
    """Many places on two days, so that people are still booking when one of them closes."""
    desk.web_places, desk.callcenter_places = 20, 5
    session.commit()
    assert session.scalars(select(Counter.id).where(Counter.is_open)).all() == [desk.counter_id]
    return desk


@pytest.mark.usefixtures("busy")
def test_a_day_that_is_closed_while_people_book_is_empty_afterwards(database: House, session: Session) -> None:
    for _ in range(ROUNDS):
        outcome = race(database, session, renewed(session), among_others(by_rule))
        assert (outcome["failed"], outcome["refused by the database"]) == (0, 0)
        assert _is_closed(session)
        assert left(session) == (0, [])


@pytest.mark.usefixtures("busy")
def test_control_looking_first_leaves_people_in_a_closed_time(database: House, session: Session) -> None:
    """If this one leaves nobody, the race above has become too tame to prove anything."""
    for _ in range(6):
        outcome = race(database, session, renewed(session), among_others(looked_first))
        if outcome["failed"] or left(session) != (0, []):
            return
    pytest.fail("looking first left nobody behind in six races")


# -- one moment, made by hand ----------------------------------------------------------------------------------------


def beside(app: Flask, act: Callable[[Session], None]) -> None:
    """Does something in a transaction of its own, as another request would."""

    def run() -> None:
        with app.app_context(), acting(db.session(), system("隣")):
            act(db.session())
            db.session.commit()
            db.session.remove()

    other = threading.Thread(target=run)
    other.start()
    other.join(20)
    assert not other.is_alive()


def must_have_neighbours(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite lets one writer at a time into a request: there is no such moment")


@pytest.mark.usefixtures("busy")
def test_somebody_who_books_between_the_look_and_the_change_is_seen(resident_app: Flask, session: Session) -> None:
    must_have_neighbours(session)
    number = renewed(session).id
    closure = _closure(session)
    moments: list[str] = []

    def book(other: Session) -> None:
        place = other.get_one(Slot, number)
        bookings.book(other, request(place, "m" * 43, channel=place.channel), now(), rng=random.Random(1))

    def notice(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "pg_advisory_xact_lock" in statement and not moments:
            moments.append(statement)
            beside(resident_app, book)

    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", notice)
    try:
        found = deciding.settle(session, Change(None, stand(closure)), None, tuple(Channel), now())
    finally:
        event.remove(engine, "before_cursor_execute", notice)
    assert moments and isinstance(found, Foreseen) and len(found.effect.visits) == 1
    session.rollback()


@pytest.mark.usefixtures("busy")
def test_who_cancels_at_the_same_moment_and_who_closes_do_not_lock_each_other_out(resident_app: Flask, session: Session) -> None:
    must_have_neighbours(session)
    place = renewed(session)
    made = bookings.book(session, request(place, "n" * 43, channel=place.channel), now(), rng=random.Random(2))
    session.commit()
    seen = _seal(session)
    found: list[Any] = []

    def close(other: Session) -> None:
        found.append(deciding.settle(other, Change(None, stand(_closure(other))), seen, tuple(Channel), now()))
        other.rollback()

    session.execute(select(Reservation.id).where(Reservation.id == made).with_for_update())
    other = threading.Thread(target=beside, args=(resident_app, close))
    other.start()
    other.join(1)  # it waits for the reservation; if it held the slot already, neither could go on
    visits.perform(session, ACTS["cancel"], session.get_one(Reservation, made), now(), Reason("own"))
    session.commit()
    other.join(20)
    assert len(found) == 1 and not isinstance(found[0], Foreseen), "nobody is left to decide about"


def _seal(session: Session) -> Decision:
    found = deciding.settle(session, Change(None, stand(_closure(session))), None, tuple(Channel), now())
    assert isinstance(found, Foreseen)
    session.rollback()
    return Decision(Choice.CANCEL, found.seal)
