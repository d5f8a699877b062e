"""Real processes fight for places through what the site does (hold, then confirm), exchange places, and come as households.

Each race has its control: the same race with the guard taken out breaks what the race asserts, or the race has become too tame.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter as Tally
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.errors import AppError, SlotFull
from app.rules import holds, invariants, taking, visits
from app.rules.bookings import Applicant, BookingRequest
from app.rules.holds import Wish
from app.rules.taking import Taken
from models import BookingCategory, Channel, Reservation, ReservationState, Slot
from tests.booking_pages import free_slot
from tests.conftest import House
from tests.test_booking_race import LOOK_TO_WRITE, PERSON, PLACES, PROCESSES, TRIES_EACH, Attempt, race

CLIENTS = PROCESSES * TRIES_EACH
HELD, BOOKED, EXPIRED = ReservationState.HELD, ReservationState.BOOKED, ReservationState.EXPIRED
BY_TEST = {"by_rule": "test"}


def somebody(rng: random.Random) -> Applicant:
    """Nobody is anybody else, so that fairness refuses none of them."""
    return replace(PERSON, phone=f"080{rng.randrange(10**8):08}", email=f"{rng.getrandbits(64):x}@example.jp")


def wish(slot_id: int, token: str, people: int = 1) -> Wish:
    return Wish(categories=("pickup",), counter="sannomiya", slot_id=slot_id, form_token=token, people=people)


def request(slot_id: int, token: str, *people: Applicant) -> BookingRequest:
    return BookingRequest(
        category="pickup", counter="sannomiya", slot_id=slot_id, applicant=people[0], others=people[1:], form_token=token
    )


def now() -> datetime:
    return datetime.now(UTC)


def by_hold_and_confirm(session: Session, slot_id: int, rng: random.Random) -> None:
    """One client, in two transactions as in two requests."""
    token = secrets.token_urlsafe(32)
    holds.hold(session, wish(slot_id, token), now(), rng=rng)
    session.commit()
    holds.confirm(session, request(slot_id, token, somebody(rng)), now(), rng=rng)


def by_confirm_alone(session: Session, slot_id: int, rng: random.Random) -> None:
    """A client whose hold has ended: the time is taken again with the booking."""
    holds.confirm(session, request(slot_id, secrets.token_urlsafe(32), somebody(rng)), now(), rng=rng)


def counted_first(session: Session, row: Reservation, _terms: Any) -> Taken | None:
    """In place of `take_and_insert`, the guard taken away: looks how many there are, and then writes one more."""
    slot = session.execute(select(Slot).where(Slot.id == row.slot_id)).scalar_one()
    at = (slot.slot_date, slot.start_time, slot.end_time)
    held = select(func.count()).select_from(Reservation).where(Reservation.slot_id == row.slot_id)
    is_full = (session.scalar(held) or 0) >= slot.capacity
    session.rollback()
    if is_full:
        return None
    time.sleep(LOOK_TO_WRITE)
    row.booking_date, row.start_time, row.end_time = at
    return Taken(*at, taking.insert(session, row))


def unguarded(session: Session, slot_id: int, rng: random.Random) -> None:
    vars(holds)["take_and_insert"] = counted_first  # in this process, which ends with the race
    by_hold_and_confirm(session, slot_id, rng)


@pytest.fixture
def last_places(session: Session) -> Slot:
    slot = free_slot(session, places=PLACES)
    session.commit()
    return slot


def states(session: Session) -> Tally[ReservationState]:
    session.rollback()
    session.expire_all()
    return Tally(session.scalars(select(Reservation.state)))


def broken(session: Session) -> list[str]:
    session.rollback()
    return [found.rule for found in invariants.check(session, now()) if found.broken]


# -- the last places --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", [by_hold_and_confirm, by_confirm_alone])
def test_two_hundred_clients_on_the_last_ten_places_book_exactly_ten(
    database: House, session: Session, last_places: Slot, attempt: Attempt
) -> None:
    outcome = race(database, session, last_places, attempt)
    assert outcome == {"booked": PLACES, "full": CLIENTS - PLACES, "refused by the database": 0, "failed": 0}
    assert states(session) == {BOOKED: PLACES}
    assert (last_places.used, broken(session)) == (PLACES, [])


def test_control_without_the_guard_the_same_clients_oversell(database: House, session: Session, last_places: Slot) -> None:
    for _ in range(5):
        race(database, session, last_places, unguarded)
        if states(session)[BOOKED] > PLACES:
            assert "予約枠の予約数は、予約の使用枠数の合計と同じ" in broken(session)
            return
        session.execute(text("DELETE FROM outbox"))
        session.execute(text("DELETE FROM reservation"))
        session.commit()
    pytest.fail("counting first never oversold in five races")


def test_places_whose_holds_have_ended_go_to_ten_of_two_hundred(database: House, session: Session, last_places: Slot) -> None:
    """Nobody has given the places back yet: whoever comes first does, and all do at once."""
    filled(session, [last_places], [PLACES], book=False)
    ended = {"held_until": now() - timedelta(minutes=1)}
    session.execute(update(Reservation).values(ended), execution_options=BY_TEST)
    session.commit()
    outcome = race(database, session, last_places, by_hold_and_confirm)
    assert outcome == {"booked": PLACES, "full": CLIENTS - PLACES, "refused by the database": 0, "failed": 0}
    assert states(session) == {BOOKED: PLACES, EXPIRED: PLACES}
    assert (last_places.used, broken(session)) == (PLACES, [])


# -- exchanging places ------------------------------------------------------------------------------------------------


def two_times(session: Session, *places: int) -> list[Slot]:
    """Two times that follow each other at the same desks."""
    first = free_slot(session, places=places[0])
    return [first, free_slot(session, start_time=first.end_time, end_time=clock(11), places=places[1])]


def filled(session: Session, slots: list[Slot], people: list[int], *, book: bool) -> list[str]:
    """Has so many people hold (or book) each time; gives the tokens of their forms."""
    tokens = []
    for slot, many in zip(slots, people, strict=True):
        for _ in range(many):
            tokens.append(secrets.token_urlsafe(32))
            rng = random.SystemRandom()
            holds.hold(session, wish(slot.id, tokens[-1]), now(), rng=rng)
            if book:
                holds.confirm(session, request(slot.id, tokens[-1], somebody(rng)), now(), rng=rng)
    session.commit()
    return tokens


def moving(times: list[int]) -> Attempt:
    """Somebody who has booked goes to the other time, if there is room."""

    def attempt(session: Session, _slot_id: int, rng: random.Random) -> None:
        row = session.get_one(Reservation, rng.choice(session.scalars(select(Reservation.id)).all()))
        other = next(slot for slot in times if slot != row.slot_id)
        try:
            visits.move(session, row, other, (Channel.WEB,), now())
            session.flush()
        except (StaleDataError, AppError) as error:  # full, or somebody else has just moved the same person
            raise SlotFull from error

    return attempt


def changing_their_minds(times: list[int], tokens: list[str]) -> Attempt:
    """Somebody who holds one time chooses the other."""

    def attempt(session: Session, _slot_id: int, rng: random.Random) -> None:
        holds.hold(session, wish(rng.choice(times), rng.choice(tokens)), now(), rng=rng)

    return attempt


def read_then_moved(times: list[int]) -> Attempt:
    """The guard taken away: looks whether there is room, and then writes what follows from that."""

    def attempt(session: Session, _slot_id: int, rng: random.Random) -> None:
        row = session.get_one(Reservation, rng.choice(session.scalars(select(Reservation.id)).all()))
        number, old, new = row.id, row.slot_id, next(slot for slot in times if slot != row.slot_id)
        counts = dict(session.execute(select(Slot.id, Slot.used)).all())
        session.rollback()
        if counts[new] >= PLACES:
            raise SlotFull
        time.sleep(LOOK_TO_WRITE)
        at = {slot.id: slot for slot in session.scalars(select(Slot))}[new]
        where = {"slot_id": new, "start_time": at.start_time, "end_time": at.end_time}
        session.execute(update(Reservation).where(Reservation.id == number).values(where), execution_options=BY_TEST)
        for slot, count in ((old, counts[old] - 1), (new, counts[new] + 1)):
            session.execute(update(Slot).where(Slot.id == slot).values(used=count), execution_options=BY_TEST)

    return attempt


@pytest.mark.parametrize("free", [0, 1, PLACES])
def test_two_hundred_exchanges_between_two_times_lose_no_place(database: House, session: Session, free: int) -> None:
    """Both full: nobody can go anywhere. One place free: it wanders from one to the other. Many: people cross each other."""
    slots = two_times(session, PLACES, PLACES)
    filled(session, slots, [PLACES, PLACES - free], book=True)
    outcome = race(database, session, slots[0], moving([slot.id for slot in slots]))
    assert (outcome["refused by the database"], outcome["failed"]) == (0, 0)
    assert bool(outcome["booked"]) is bool(free)
    assert states(session) == {BOOKED: 2 * PLACES - free}
    assert (sum(slot.used for slot in slots), broken(session)) == (2 * PLACES - free, [])


@pytest.mark.parametrize("free", [0, 1, PLACES])
def test_two_hundred_changes_of_mind_between_two_times_lose_no_place(database: House, session: Session, free: int) -> None:
    slots = two_times(session, PLACES, PLACES)
    tokens = filled(session, slots, [PLACES, PLACES - free], book=False)
    outcome = race(database, session, slots[0], changing_their_minds([slot.id for slot in slots], tokens))
    assert (outcome["refused by the database"], outcome["failed"]) == (0, 0)
    assert states(session) == {HELD: 2 * PLACES - free}
    assert (sum(slot.used for slot in slots), broken(session)) == (2 * PLACES - free, [])
    assert all(holds.held_by(session, token) for token in tokens), "everybody has one place still"


def test_control_exchanging_what_was_read_before_loses_places(database: House, session: Session) -> None:
    slots = two_times(session, PLACES, PLACES)
    filled(session, slots, [PLACES, PLACES - 1], book=True)
    for _ in range(5):
        outcome = race(database, session, slots[0], read_then_moved([slot.id for slot in slots]))
        if outcome["refused by the database"] or broken(session):
            return
    pytest.fail("reading first never lost a place in five races")


# -- households -------------------------------------------------------------------------------------------------------

HOUSEHOLD = 3


def together(times: list[int]) -> Attempt:
    def attempt(session: Session, _slot_id: int, rng: random.Random) -> None:
        token, slot, caller = secrets.token_urlsafe(32), rng.choice(times), somebody(rng)
        holds.hold(session, wish(slot, token, HOUSEHOLD), now(), rng=rng)
        session.commit()
        others = [replace(caller, name=f"競走 {n}郎") for n in range(1, HOUSEHOLD)]
        holds.confirm(session, request(slot, token, caller, *others), now(), rng=rng)

    return attempt


def one_after_the_other(times: list[int]) -> Attempt:
    """The guard taken away: each member of a household takes a place by themselves."""

    def attempt(session: Session, _slot_id: int, rng: random.Random) -> None:
        group, slot = f"{rng.getrandbits(64):x}", rng.choice(times)
        for _ in range(HOUSEHOLD):
            (row,) = holds.hold(session, wish(slot, secrets.token_urlsafe(32)), now(), rng=rng)
            row.group_id = group
            session.commit()

    return attempt


def households(session: Session) -> Tally[int]:
    """How many households have so many members who hold or have booked a place."""
    live = select(func.count()).where(Reservation.state.in_((HELD, BOOKED))).group_by(Reservation.group_id)
    session.rollback()
    return Tally(session.scalars(live))


@pytest.fixture
def few_places(session: Session) -> list[Slot]:
    """Places for six households, and two besides."""
    session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one().max_party = HOUSEHOLD
    slots = two_times(session, PLACES, PLACES)
    session.commit()
    return slots


def test_households_that_race_for_the_same_times_sit_together_or_not_at_all(
    database: House, session: Session, few_places: list[Slot]
) -> None:
    outcome = race(database, session, few_places[0], together([slot.id for slot in few_places]))
    whole = 2 * PLACES // HOUSEHOLD
    assert outcome == {"booked": whole, "full": CLIENTS - whole, "refused by the database": 0, "failed": 0}
    assert households(session) == {HOUSEHOLD: whole}
    assert states(session) == {BOOKED: whole * HOUSEHOLD}
    session.expire_all()
    assert (sum(slot.used for slot in few_places), broken(session)) == (whole * HOUSEHOLD, [])


def test_control_members_who_sit_down_one_after_the_other_are_torn_apart(
    database: House, session: Session, few_places: list[Slot]
) -> None:
    for _ in range(5):
        race(database, session, few_places[0], one_after_the_other([slot.id for slot in few_places]))
        if set(households(session)) - {HOUSEHOLD}:
            return
        with suppress(DBAPIError):
            session.execute(text("DELETE FROM reservation"))
            session.execute(text("UPDATE slot SET used = 0"))
            session.commit()
    pytest.fail("no household was torn apart in five races")
