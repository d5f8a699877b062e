"""予約カレンダー below the screens: its numbers are those of a plain count, whatever it is narrowed to and whoever asks."""

from __future__ import annotations

import random
from collections import Counter as Tally
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import TOKYO, Actor, acting
from app.criteria import Criteria
from app.rules import calendar, slots, timetable
from app.rules.calendar import Places, total
from app.rules.slots import DayState
from models import BookingCategory, Channel, Counter, CounterClosure, DeskPool, Reservation, ReservationState, Slot
from models.bookings import CODE_ALPHABET, HOLDING
from tests import samples
from tests.booking_pages import free_slot, today

FIRST = date(2027, 2, 26)
DAYS = [FIRST + timedelta(days=n) for n in range(4)]  # over the end of a month
TIMES = [time(9, 30), time(11, 30), time(12), time(16, 30)]
Row = dict[str, Any]


@pytest.fixture
def office(session: Session) -> Session:
    """Places of every desk pool and channel on some days, some of them closed since, and people in every state on them."""
    chance = random.Random(11)
    for pool in session.scalars(select(DeskPool).order_by(DeskPool.id)):
        for on in DAYS:
            for start in TIMES:
                for channel in chance.sample(list(Channel), 2):
                    _place(session, chance, pool, on, start, channel)
    session.commit()
    return session


def _place(session: Session, chance: random.Random, pool: DeskPool, on: date, start: time, channel: Channel) -> None:
    wanted = chance.choice((0, 1, 2, 5))
    slot = samples.slot(
        session,
        pool.counter.code,
        desk_pool=pool,
        slot_date=on,
        start_time=start,
        end_time=time(start.hour, start.minute + 20),
        channel=channel,
        wanted=wanted,
        capacity=wanted + 2,
        used=0,
    )
    for _ in range(chance.choice((0, 0, 1, 2))):
        state = chance.choice(list(ReservationState))
        slot.used += state in HOLDING
        samples.reservation(
            session,
            slot=slot,
            state=state,
            held_until=noon(on) if state is ReservationState.HELD else None,
            channel=channel,
            category=chance.choice(pool.categories),
            booking_code="".join(chance.choices(CODE_ALPHABET, k=10)),
            name=chance.choice(("山田 花子", "髙橋 一郎", "佐藤 次郎")),
        )
    slot.capacity = max(wanted, slot.used)


def noon(on: date) -> datetime:
    return datetime.combine(on, time(12), TOKYO)


def asked(**filters: Any) -> tuple[Criteria, Callable[[Slot], bool], Callable[[Reservation], bool]]:
    """A question, and what it means of a place and of a person, said once more in plain Python."""

    def serves(slot: Slot) -> bool:
        return "category" not in filters or any(c.id == filters["category"] for c in slot.desk_pool.categories)

    def place(slot: Slot) -> bool:
        return slot.capacity > 0 and filters.get("channel", slot.channel) is slot.channel and serves(slot)

    def person(row: Reservation) -> bool:
        return all(getattr(row, "category_id" if key == "category" else key) == value for key, value in filters.items())

    return Criteria(filters=filters), place, person


QUESTIONS: list[Row] = [
    {},
    {"channel": Channel.CALLCENTER},
    {"category": "certificate"},
    {"state": ReservationState.CANCELLED},
    {"category": "reissue", "channel": Channel.WEB, "state": ReservationState.BOOKED},
]


@pytest.mark.parametrize("filters", QUESTIONS, ids=str)
@pytest.mark.parametrize("site", [None, "tanigami"], ids=["every counter", "one counter"])
def test_every_number_is_that_of_a_plain_count(office: Session, filters: Row, site: str | None) -> None:
    codes = {category.code: category.id for category in office.scalars(select(BookingCategory))}
    filters = {key: codes[value] if key == "category" else value for key, value in filters.items()}
    want, is_meant, fits = asked(**filters)
    sites = [row.id for row in office.scalars(select(Counter)) if site in (None, row.code)]
    places = [slot for slot in office.scalars(select(Slot)) if slot.counter_id in sites and is_meant(slot)]
    people = [row for row in office.scalars(select(Reservation)) if row.counter_id in sites and fits(row)]
    with acting(office, Actor(user_id="x", counters=None if site is None else frozenset(sites))):
        loads = calendar.days(office, sites, want, DAYS[0], DAYS[-1])
        counts = calendar.counted(office, want, DAYS[0], DAYS[-1])
        for on in DAYS:
            cells = calendar.day(office, sites, want, on)
            for at in sites:
                here = [slot for slot in places if (slot.slot_date, slot.counter_id) == (on, at)]
                load = loads.get((on, at))
                assert (load.places if load else Places()) == summed(here)
                assert (load.morning if load else Places()) == summed([s for s in here if s.start_time < time(12)])
                for start in TIMES:
                    now = [slot for slot in here if slot.start_time == start]
                    shares = cells.get((at, start), [])
                    assert total(share.places for share in shares) == summed(now)
                    assert {(s.pool, s.channel): s.places for s in shares} == {
                        (s.desk_pool.name, s.channel): Places(s.used, s.capacity, s.wanted) for s in now
                    }
            expected = sorted((row for row in people if row.booking_date == on), key=lambda row: (row.start_time, row.id))
            assert [visit.id for visit in calendar.visits(office, want, on)] == [row.id for row in expected]
        assert counts == dict(Tally((row.booking_date, row.counter_id) for row in people))


def summed(places: list[Slot]) -> Places:
    return Places(sum(s.used for s in places), sum(s.capacity for s in places), sum(s.wanted for s in places))


def test_a_clerk_is_shown_nothing_of_another_counter_whatever_is_asked(office: Session) -> None:
    sites = [row.id for row in office.scalars(select(Counter).order_by(Counter.id))]
    with acting(office, Actor(user_id="staff", counters=frozenset(sites[:1]))):
        assert {at for at, _ in calendar.day(office, sites, Criteria(), FIRST)} == {sites[0]}
        assert {at for _, at in calendar.days(office, sites, Criteria(), FIRST, DAYS[-1])} == {sites[0]}
        assert {visit.counter_id for visit in calendar.visits(office, Criteria(), FIRST)} == {sites[0]}
        assert {at for _, at in calendar.counted(office, Criteria(), FIRST, DAYS[-1])} == {sites[0]}
        assert calendar.visits(office, Criteria(filters={"counter": sites[1]}), FIRST) == []


def test_a_search_finds_the_same_people_as_the_list(office: Session) -> None:
    found = calendar.visits(office, Criteria(search="高橋"), FIRST)
    every = calendar.visits(office, Criteria(), FIRST)
    assert found and [v.id for v in found] == [v.id for v in every if v.name == "髙橋 一郎"]
    assert [v.id for v in calendar.visits(office, Criteria(search=every[3].booking_code), FIRST)] == [every[3].id]


def test_a_load_is_called_as_residents_see_it() -> None:
    named = [Places(used, 10, 10).state for used in (0, 7, 8, 9, 10)]
    assert named == [DayState.FREE, DayState.FREE, DayState.FEW, DayState.FEW, DayState.FULL]
    assert Places().state is DayState.NONE and Places(3, 3, 1).state is DayState.FULL and Places(3, 3, 1).beyond == 2


def test_nothing_at_all_is_no_error(session: Session) -> None:
    assert calendar.day(session, [], Criteria(), FIRST) == {} and calendar.days(session, [1], Criteria(), FIRST, FIRST) == {}
    assert calendar.visits(session, Criteria(), FIRST) == [] and calendar.counted(session, Criteria(), FIRST, FIRST) == {}


def test_a_day_without_places_says_why(session: Session) -> None:
    tanigami, sannomiya = samples.counter(session, "tanigami"), samples.counter(session)
    monday, wednesday, now = date(2026, 6, 1), date(2026, 6, 3), date(2026, 5, 28)
    session.add(CounterClosure(counter=tanigami, starts_on=wednesday, ends_on=wednesday, reason="改修"))
    session.flush()

    def why(counter: Counter, on: date) -> str:
        known = timetable.read(session, timetable.counters(session), on, on, now, now + timedelta(days=60))
        return known.why_no_places(counter, on)

    assert why(tanigami, monday) == "月曜日は開いていません" and why(sannomiya, monday) == "予約枠がありません"
    assert why(tanigami, wednesday) == "休業日（改修）" and why(sannomiya, wednesday) == "予約枠がありません"
    assert why(sannomiya, date(2027, 1, 1)) == "休業日（年末年始）"
    assert why(sannomiya, date(2026, 11, 2)) == "予約枠はまだ開いていません"
    sannomiya.is_open = False
    assert why(sannomiya, monday) == "受付を止めている窓口です" and why(sannomiya, date(2026, 5, 11)) == "予約枠がありません"


def test_another_time_is_where_all_of_ones_places_are_free_together(session: Session) -> None:
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    own = free_slot(session, hour=10, places=2, used=1, channel=Channel.CALLCENTER)
    web = free_slot(session, hour=10, places=3, channel=Channel.WEB)
    free_slot(session, hour=11, places=2, used=2, channel=Channel.CALLCENTER)
    free_slot(session, hour=12, places=9, channel=Channel.RESERVE)
    far = free_slot(session, hour=10, at="tanigami", places=2, channel=Channel.WEB)
    now, channels = noon(today()), (Channel.CALLCENTER, Channel.WEB)

    def found(units: int) -> dict[tuple[int, time], tuple[int, int]]:
        return {at: (o.slot_id, o.free) for at, o in slots.around(session, category, channels, own.slot_date, units, now).items()}

    here, there = (own.counter_id, time(10)), (far.counter_id, time(10))
    assert found(1) == {here: (own.id, 1 + 3), there: (far.id, 2)}
    assert found(2) == {here: (web.id, 3), there: (far.id, 2)} and found(3) == {here: (web.id, 3)}
