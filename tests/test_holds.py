"""仮押え: a chosen time is kept for ten minutes, for one or for a household; whatever happens then, places and holds agree."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import SlotFull
from app.rules import bookings, fairness, holds, invariants, slots
from app.rules.bookings import Applicant, BookingRequest
from app.rules.holds import HELD_FOR, Wish
from app.rules.seating import arrange, times
from app.rules.slots import Opening
from models import BookingCategory, Reservation, ReservationState, Slot
from tests.booking_pages import free_slot
from tests.test_booking_rules import PERSON, category

RNG = random.Random(11)
NOW = datetime.now(UTC)
HELD, BOOKED, EXPIRED = ReservationState.HELD, ReservationState.BOOKED, ReservationState.EXPIRED
SON = Applicant(name="髙橋 一郎", name_kana="タカハシ イチロウ", address=PERSON.address, phone=PERSON.phone, email="x@example.jp")


def token(n: int = 1) -> str:
    return f"{n:043}"


def wish(slot: Slot, n: int = 1, **values: Any) -> Wish:
    return Wish(**{"categories": ("pickup",), "counter": slot.counter.code, "slot_id": slot.id, "form_token": token(n), **values})


def hold(session: Session, slot: Slot, n: int = 1, now: datetime = NOW, **values: Any) -> list[Reservation]:
    return holds.hold(session, wish(slot, n, **values), now, rng=RNG)


def request(slot: Slot, n: int = 1, **values: Any) -> BookingRequest:
    made = {"category": "pickup", "counter": slot.counter.code, "slot_id": slot.id, "applicant": PERSON, "form_token": token(n)}
    return BookingRequest(**{**made, **values})


def after(session: Session, slot: Slot, places: int) -> Slot:
    """The time that follows at the same desks."""
    return free_slot(session, start_time=slot.end_time, end_time=time(slot.start_time.hour + 1), places=places)


def used(session: Session, *at: Slot) -> list[int]:
    session.expire_all()
    return [slot.used for slot in at]


def agree(session: Session, now: datetime = NOW) -> None:
    session.flush()
    assert [found.rule for found in invariants.check(session, now) if found.broken] == []


def household(session: Session, most: int = 4) -> None:
    category(session).max_party = most
    session.flush()


# -- one person -------------------------------------------------------------------------------------------------------


def test_a_held_place_is_nobody_elses_and_becomes_the_booking(session: Session) -> None:
    slot = free_slot(session, places=1)
    (held,) = hold(session, slot)
    assert (held.state, held.held_until, used(session, slot)) == (HELD, NOW + HELD_FOR, [1])
    with pytest.raises(SlotFull):
        hold(session, slot, 2)
    number = holds.confirm(session, request(slot), NOW, rng=RNG)
    made = session.get_one(Reservation, number)
    assert (number, made.state, made.name, made.held_until, used(session, slot)) == (held.id, BOOKED, PERSON.name, None, [1])
    assert holds.confirm(session, request(slot), NOW, rng=RNG) == number  # the same form once more
    agree(session)


def test_another_time_lets_go_of_the_first(session: Session) -> None:
    first, second = free_slot(session, places=1), free_slot(session, hour=11, places=1)
    hold(session, first)
    hold(session, second)
    assert used(session, first, second) == [0, 1]
    assert session.scalar(select(func.count()).select_from(Reservation)) == 1
    agree(session)


def test_a_time_that_is_full_leaves_the_old_one_held(session: Session) -> None:
    first, full = free_slot(session, places=1), free_slot(session, hour=11, places=1)
    hold(session, full, 2)
    hold(session, first)
    with pytest.raises(SlotFull):
        hold(session, full)
    assert (used(session, first, full), len(holds.held_by(session, token()))) == ([1, 1], 1)
    agree(session)


def test_a_hold_ends_and_its_place_is_free_again_once(session: Session) -> None:
    slot = free_slot(session, places=1)
    hold(session, slot)
    assert holds.expire(session, NOW + HELD_FOR) == 0
    late = NOW + HELD_FOR + timedelta(seconds=1)
    assert [holds.expire(session, late), holds.expire(session, late)] == [1, 0]
    assert used(session, slot) == [0]
    agree(session, late)


def test_an_ended_hold_makes_room_for_who_wants_the_place_now(session: Session) -> None:
    slot = free_slot(session, places=1)
    hold(session, slot)
    (theirs,) = hold(session, slot, 2, now=NOW + HELD_FOR + timedelta(seconds=1))
    assert (theirs.state, used(session, slot)) == (HELD, [1])


def test_who_was_too_slow_books_all_the_same_while_the_time_is_free(session: Session) -> None:
    slot = free_slot(session, places=1)
    hold(session, slot)
    late = NOW + timedelta(minutes=30)
    holds.expire(session, late)
    assert session.get_one(Reservation, holds.confirm(session, request(slot), late, rng=RNG)).state is BOOKED
    assert used(session, slot) == [1]
    agree(session, late)


def test_who_was_too_slow_for_the_last_place_is_told(session: Session) -> None:
    slot, late = free_slot(session, places=1), NOW + timedelta(minutes=30)
    hold(session, slot)
    hold(session, slot, 2, now=late)
    with pytest.raises(SlotFull):
        holds.confirm(session, request(slot), late, rng=RNG)
    agree(session, late)


def test_ten_more_minutes_are_given_once(session: Session) -> None:
    slot = free_slot(session)
    hold(session, slot)
    later = NOW + timedelta(minutes=9)
    assert [holds.extend(session, token(), later), holds.extend(session, token(), later)] == [True, False]
    assert holds.expire(session, NOW + timedelta(minutes=18)) == 0


def test_letting_go_gives_the_place_back_at_once(session: Session) -> None:
    slot = free_slot(session)
    hold(session, slot)
    assert [holds.let_go(session, token()), holds.let_go(session, token())] == [True, False]
    assert (used(session, slot), session.scalar(select(func.count()).select_from(Reservation))) == ([0], 0)


def test_one_browser_holds_two_times_at_most(session: Session) -> None:
    places = [free_slot(session, hour=hour) for hour in (10, 11, 13)]
    for n, slot in enumerate(places[:2]):
        hold(session, slot, n, holder="browser")
    with pytest.raises(holds.TooManyHolds) as refused:
        hold(session, places[2], 3, holder="browser")
    assert refused.value.message.startswith("同時におさえられる時間は2つまでです")
    hold(session, places[2], 1, holder="browser")  # the second form changes its mind
    hold(session, places[1], 3, holder="another")
    hold(session, places[2], 4, holder="browser", now=NOW + HELD_FOR + timedelta(seconds=1))  # the others have ended


def test_what_nobody_booked_is_deleted_a_day_later(session: Session) -> None:
    hold(session, free_slot(session))
    holds.expire(session, NOW + timedelta(minutes=11))
    holds.forget(session, NOW + timedelta(hours=24))
    assert session.scalar(select(func.count()).select_from(Reservation)) == 1
    holds.forget(session, NOW + timedelta(hours=25))
    assert session.scalar(select(func.count()).select_from(Reservation)) == 0


# -- households and several procedures --------------------------------------------------------------------------------


def test_a_household_sits_in_one_time_where_it_fits(session: Session) -> None:
    household(session)
    slot = free_slot(session, places=3)
    rows = hold(session, slot, people=3)
    assert (len({row.group_id for row in rows}), {row.slot_id for row in rows}, used(session, slot)) == (1, {slot.id}, [3])
    number = holds.confirm(session, request(slot, others=(SON, SON)), NOW, rng=RNG)
    made = holds.seats_of(session, session.get_one(Reservation, number))
    assert [(row.name, row.state, row.email) for row in made] == [
        (PERSON.name, BOOKED, ""),
        (SON.name, BOOKED, ""),
        (SON.name, BOOKED, ""),
    ]
    agree(session)


def test_a_household_that_is_too_large_for_a_time_goes_on_in_the_next(session: Session) -> None:
    household(session)
    first = free_slot(session, places=1)
    second = after(session, first, 2)
    rows = hold(session, first, people=3)
    assert [row.slot_id for row in rows] == [first.id, second.id, second.id]
    agree(session)


def test_a_household_is_all_or_nothing(session: Session) -> None:
    household(session)
    first = free_slot(session, places=1)
    with pytest.raises(SlotFull):
        hold(session, first, people=3)
    assert (used(session, first), session.scalar(select(func.count()).select_from(Reservation))) == ([0], 0)


def test_more_people_than_the_procedure_takes_are_refused(session: Session) -> None:
    household(session, 2)
    slot = free_slot(session, places=5)
    for people in (0, 3, -1, 10**6):
        with pytest.raises(slots.NotOffered):
            hold(session, slot, people=people)


def test_two_procedures_of_one_person_follow_each_other(session: Session) -> None:
    first = free_slot(session, places=1)
    second = after(session, first, 1)
    rows = hold(session, first, categories=("pickup", "reissue"))
    assert [(row.category.code, row.slot_id) for row in rows] == [("pickup", first.id), ("reissue", second.id)]
    holds.confirm(session, request(first, also=("reissue",)), NOW, rng=RNG)
    agree(session)


def opening(number: int, hour: int, free: int) -> Opening:
    day = NOW.date()
    return Opening(number, 1, day, time(9 + hour // 2, hour % 2 * 30), time(9 + (hour + 1) // 2, (hour + 1) % 2 * 30), free)


@given(
    free=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    desks=st.integers(1, 2),
    people=st.integers(1, 5),
    at=st.integers(0, 7),
)
def test_seats_are_free_without_a_gap_and_found_whenever_there_are_enough(
    free: list[int], desks: int, people: int, at: int
) -> None:
    day = [opening(10 * n + desk, n, many) for n, many in enumerate(free) for desk in range(desks)]
    begin = opening(0, at, 0).start
    seats = arrange([day], people, begin)
    run = 0
    for n in range(at, len(free)):
        if free[n] == 0:
            break
        run += free[n] * desks
    if seats is None:
        assert run < people
        assert begin not in [o.start for o in times([day], people)]
        return
    (row,) = seats
    assert len(row) == people <= run
    for seat in row:
        assert sum(other.slot_id == seat.slot_id for other in row) <= seat.free
    starts = sorted({seat.start for seat in row})
    assert starts[0] == begin and all(any(seat.end == later for seat in row) for later in starts[1:])


# -- fairness ---------------------------------------------------------------------------------------------------------


def test_the_same_person_does_not_book_the_same_day_twice(session: Session) -> None:
    first, second = free_slot(session), free_slot(session, hour=14)
    holds.confirm(session, request(first), NOW, rng=RNG)
    hold(session, second, 2)
    with pytest.raises(fairness.Twice) as refused:
        holds.confirm(session, request(second, 2, applicant=replace(PERSON, name="高橋　花子")), NOW, rng=RNG)
    assert refused.value.message.startswith("高橋　花子さんには、") and "日時を変えるときは" in refused.value.message
    assert used(session, first, second) == [1, 1]  # the second time is held still
    holds.confirm(session, request(second, 2, applicant=replace(PERSON, name="髙橋 一郎")), NOW, rng=RNG)
    agree(session)


def test_one_telephone_books_six_a_day_over_the_internet(session: Session) -> None:
    for n in range(7):
        slot = free_slot(session, days=5 + n)
        if n < fairness.PER_PHONE:
            holds.confirm(session, request(slot, n), NOW, rng=RNG)
    with pytest.raises(fairness.TooMany):
        holds.confirm(session, request(slot, 6), NOW, rng=RNG)
    holds.confirm(session, request(slot, 6, applicant=replace(PERSON, phone="0789999999")), NOW, rng=RNG)


# -- everything in any order ------------------------------------------------------------------------------------------

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "hold", "confirm", "extend", "let go", "wait", "expire"]),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(1, 3),
    ),
    max_size=25,
)


@given(acts=ACTS, places=st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_and_holds_agree_whatever_is_done(
    session: Session, acts: list[tuple[str, int, int, int]], places: list[int]
) -> None:
    session.rollback()
    household(session)
    rooms = [free_slot(session, hour=10 + n, places=many) for n, many in enumerate(places)]
    now = NOW
    for act, who, where, people in acts:
        slot = rooms[where]
        try:
            if act == "hold":
                hold(session, slot, who, now, people=people)
            elif act == "confirm":
                caller = replace(PERSON, phone=f"07812345{who:02}")
                holds.confirm(session, request(slot, who, applicant=caller, others=(SON,) * (people - 1)), now, rng=RNG)
            elif act == "extend":
                holds.extend(session, token(who), now)
            elif act == "let go":
                holds.let_go(session, token(who))
            elif act == "wait":
                now += timedelta(minutes=4)
            else:
                holds.expire(session, now)
        except (SlotFull, slots.NotOffered, bookings.AlreadyUsed, fairness.Refused):
            pass
        agree(session, now)
    session.rollback()


def test_the_category_of_the_tests_is_there(session: Session) -> None:
    assert session.scalar(select(func.count()).select_from(BookingCategory).where(BookingCategory.code == "reissue"))
