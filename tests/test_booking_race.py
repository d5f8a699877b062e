"""Real processes fight for the last places, and the same fight without the guard shows that the test would notice.

reliability.md §3.1: a count followed by an insert oversells on both databases; one conditional UPDATE never does.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app import audit, rows, scope
from app.context import acting, system
from app.errors import Busy, SlotFull
from app.extensions import engine_options, tune
from app.rules import bookings
from models import BookingCategory, OperationLog, Reservation, Slot
from tests.booking_pages import free_slot
from tests.conftest import House

PROCESSES, TRIES_EACH, PLACES = 4, 50, 10
LOOK_TO_WRITE = 0.005
"""Seconds between looking and writing in the control: a fast machine alone in the world would otherwise win every race."""
FORK = get_context("fork")
PERSON = bookings.Applicant(name="競走 太郎", name_kana="キョウソウ タロウ", address="神戸市中央区1", phone="0781234567")
Outcome = dict[str, int]
Attempt = Callable[[Session, int, random.Random], Any]


def by_rule(session: Session, slot_id: int, rng: random.Random) -> None:
    """One booking as the site makes it."""
    request = bookings.BookingRequest(
        category="pickup", counter="sannomiya", slot_id=slot_id, applicant=PERSON, form_token=secrets.token_urlsafe(32)
    )
    bookings.book(session, request, datetime.now(UTC), rng=rng)


def counted_first(session: Session, slot_id: int, rng: random.Random) -> None:
    """The guard taken away: looks how many there are, and then writes one more."""
    capacity = session.scalar(select(Slot.capacity).where(Slot.id == slot_id)) or 0
    held = session.scalar(select(func.count()).select_from(Reservation).where(Reservation.slot_id == slot_id)) or 0
    session.rollback()
    if held >= capacity:
        raise SlotFull
    time.sleep(LOOK_TO_WRITE)
    _insert(session, slot_id, rng)


def taken_unconditionally(session: Session, slot_id: int, rng: random.Random) -> None:
    """The condition taken away, the constraint left: the database says no by itself."""
    session.execute(update(Slot).where(Slot.id == slot_id).values(used=Slot.used + 1), execution_options={"by_rule": "test"})
    _insert(session, slot_id, rng)


def _insert(session: Session, slot_id: int, rng: random.Random) -> None:
    slot = session.get_one(Slot, slot_id)
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    session.add(
        Reservation(
            booking_code=bookings.new_code(rng),
            booking_date=slot.slot_date,
            start_time=slot.start_time,
            slot=slot,
            end_time=slot.end_time,
            category=category,
            procedure_name="x",
            counter=slot.counter,
            name="競走 太郎",
            address="神戸市中央区1",
            phone="0781234567",
        )
    )


def compete(url: str, slot_id: int, attempt: Attempt, start: Barrier, results: Any) -> None:
    """One process: its own engine, its own session with every hook of the product."""

    class Plain(Session):
        pass

    for hooks in (scope, rows, audit):
        hooks.attach(Plain)
    engine = create_engine(url, **engine_options(url))
    tune(engine)
    outcome: Outcome = {"booked": 0, "full": 0, "refused by the database": 0, "failed": 0}
    with Plain(engine) as session, acting(session, system("競走")):
        session.execute(text("SELECT 1"))
        session.rollback()
        start.wait(60)
        for _ in range(TRIES_EACH):
            outcome[_result(session, slot_id, attempt)] += 1
    engine.dispose()
    results.put(outcome)


def _result(session: Session, slot_id: int, attempt: Attempt) -> str:
    try:
        attempt(session, slot_id, random.SystemRandom())
        session.commit()
        return "booked"
    except SlotFull:
        session.rollback()
        return "full"
    except IntegrityError:
        session.rollback()
        return "refused by the database"
    except (DBAPIError, Busy):
        session.rollback()
        return "failed"


def race(house: House, session: Session, slot: Slot, attempt: Attempt) -> Outcome:
    slot_id = slot.id
    session.rollback()  # on SQLite the test itself would be the one writer
    house.let_go()  # no open connection may cross into a child
    start, results = FORK.Barrier(PROCESSES), FORK.Queue()
    runners = [
        FORK.Process(target=compete, args=(house.settings.database_url, slot_id, attempt, start, results), daemon=True)
        for _ in range(PROCESSES)
    ]
    for runner in runners:
        runner.start()
    outcomes = [results.get(timeout=90) for _ in runners]
    for runner in runners:
        runner.join(10)
    house.database.is_changed = True  # by processes that the fixture does not see
    return {key: sum(outcome[key] for outcome in outcomes) for key in outcomes[0]}


@pytest.fixture
def last_places(session: Session) -> Slot:
    slot = free_slot(session, places=PLACES)
    session.commit()
    return slot


def stored(session: Session, slot: Slot) -> tuple[int, int]:
    """Places in use, and reservations on them."""
    session.rollback()
    session.expire_all()
    return slot.used, session.scalar(select(func.count()).select_from(Reservation).where(Reservation.slot_id == slot.id)) or 0


def test_two_hundred_tries_on_the_last_ten_places_book_exactly_ten(database: House, session: Session, last_places: Slot) -> None:
    outcome = race(database, session, last_places, by_rule)
    assert outcome == {"booked": PLACES, "full": PROCESSES * TRIES_EACH - PLACES, "refused by the database": 0, "failed": 0}
    assert stored(session, last_places) == (PLACES, PLACES)
    logged = session.scalar(select(func.count()).select_from(OperationLog).where(OperationLog.user_name == "競走"))
    assert logged == PLACES, "a refused booking leaves no row behind, an accepted one exactly one"


def test_control_without_the_guard_the_same_race_oversells(database: House, session: Session, last_places: Slot) -> None:
    """If this one stops overselling, the race has become too tame to prove anything."""
    for _ in range(5):
        race(database, session, last_places, counted_first)
        if stored(session, last_places)[1] > PLACES:
            return
        session.execute(text("DELETE FROM reservation"))
        session.commit()
    pytest.fail("counting first never oversold in five races")


def test_without_the_condition_the_constraint_still_holds(database: House, session: Session, last_places: Slot) -> None:
    outcome = race(database, session, last_places, taken_unconditionally)
    assert outcome["booked"] == PLACES
    assert outcome["refused by the database"] == PROCESSES * TRIES_EACH - PLACES
    assert stored(session, last_places) == (PLACES, PLACES)
