"""A changed master and those who have booked: who is concerned, what is offered to them, and that nobody is lost whatever is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import jpholiday
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.context import Actor, acting, context
from app.rules import bookings, deciding, effects, holds, invariants, opening
from app.rules.deciding import Choice, Decision, Done, Foreseen
from app.rules.effects import Why
from app.rules.release import release_places
from app.rules.standing import Change, stand
from models import (
    BookingCategory,
    Channel,
    Counter,
    CounterClosure,
    DeskPool,
    MailKind,
    OperationLog,
    Outbox,
    Reservation,
    ReservationState,
    Slot,
    Weekday,
)
from models.bookings import HOLDING
from tests.booking_pages import counter, free_slot, today
from tests.test_booking_rules import PERSON, RNG, category, request

DAY = today() + timedelta(days=10)
BOTH = (Channel.CALLCENTER, Channel.WEB)
BOOKED, CANCELLED, HELD = ReservationState.BOOKED, ReservationState.CANCELLED, ReservationState.HELD
Masters = Callable[[], Any]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def desk(session: Session) -> DeskPool:
    """One desk, open from 10:00 to 12:00 with a time each half hour, two places each for residents and one for the call centre."""
    for other in session.scalars(select(Counter)):
        other.is_open = other.code == "sannomiya"
    for closure in session.scalars(select(CounterClosure)):
        session.delete(closure)
    first, *others = session.scalars(select(DeskPool).join(Counter).where(Counter.code == "sannomiya").order_by(DeskPool.id))
    for pool in (first, *others):
        pool.web_places = pool.callcenter_places = pool.counter_places = pool.reserve_places = 0
        pool.callcenter_release_hours = pool.reserve_release_hours = None
    for hours in counter(session).hours:
        hours.opens, hours.closes = time(10), time(12)
    first.web_places, first.callcenter_places = 2, 1
    session.flush()
    opening.open_slots(session, today=today(), days=30)
    session.commit()
    return first


def slot(session: Session, day: date = DAY, at: time = time(10), channel: Channel = Channel.WEB) -> Slot:
    return session.scalars(select(Slot).where(Slot.slot_date == day, Slot.start_time == at, Slot.channel == channel)).one()


def booked(session: Session, place: Slot, **values: Any) -> Reservation:
    booked.count = getattr(booked, "count", 0) + 1  # type: ignore[attr-defined]
    wish = request(place, f"{booked.count:043}", channel=place.channel, **values)  # type: ignore[attr-defined]
    return session.get_one(Reservation, bookings.book(session, wish, now(), rng=RNG))


def household(session: Session, place: Slot, people: int) -> list[Reservation]:
    rows = [booked(session, place) for _ in range(people)]
    for row in rows:
        row.group_id = f"g-{rows[0].id}"
    session.flush()
    return rows


def settle(
    session: Session, row: Any, change: Masters, decision: Decision | None = None, channels: Any = BOTH
) -> Done | Foreseen:
    was = stand(row)
    made = change()
    if made is not None:
        session.add(made)
    session.flush()
    return deciding.settle(session, Change(was, stand(made if made is not None else row)), decision, channels, now())


def foresee(session: Session, row: Any, change: Masters, channels: Any = BOTH) -> Foreseen | Done:
    """What a change would do, and nothing of it left."""
    with trying(session):
        return settle(session, row, change, None, channels)


@contextmanager
def trying(session: Session) -> Iterator[None]:
    trial = session.begin_nested()
    try:
        yield
    finally:
        trial.rollback()
        session.expire_all()


def decide(session: Session, row: Any, change: Masters, choice: Choice, channels: Any = BOTH) -> Done:
    seen = foresee(session, row, change, channels)
    assert isinstance(seen, Foreseen)
    done = settle(session, row, change, Decision(choice, seen.seal), channels)
    assert isinstance(done, Done)
    session.expire_all()
    return done


def closed(session: Session, first: date = DAY, last: date = DAY, **values: Any) -> Masters:
    place = counter(session)
    return lambda: CounterClosure(**{"counter": place, "starts_on": first, "ends_on": last, "reason": "設備点検", **values})


def sets(row: Any, **values: Any) -> Masters:
    def change() -> None:
        for name, value in values.items():
            setattr(row, name, value)

    return change


def broken(session: Session) -> list[str]:
    session.flush()
    return [finding.rule for finding in invariants.check(session, now()) if finding.broken]


def told(found: Foreseen | Done) -> dict[int, Why]:
    assert isinstance(found, Foreseen)
    return {visit.number: visit.why for visit in found.effect.visits}


# -- who is concerned -------------------------------------------------------------------------------------------------


def test_a_closed_day_concerns_its_own_and_nobody_else(session: Session, desk: DeskPool) -> None:
    mine, other = booked(session, slot(session)), booked(session, slot(session, DAY + timedelta(days=1)))
    found = foresee(session, None, closed(session))
    assert told(found) == {mine.id: Why.CLOSED}
    assert isinstance(found, Foreseen) and found.effect.kept == 1
    assert (slot(session).wanted, other.state) == (2, BOOKED), "foreseeing changes nothing"


def test_fewer_places_concern_those_who_booked_last(session: Session, desk: DeskPool) -> None:
    first, last = booked(session, slot(session)), booked(session, slot(session))
    alone = booked(session, slot(session, at=time(11)))
    assert told(foresee(session, desk, sets(desk, web_places=1))) == {last.id: Why.FULL}
    assert told(foresee(session, desk, sets(desk, web_places=0))) == {first.id: Why.FULL, last.id: Why.FULL, alone.id: Why.FULL}


def test_a_household_is_concerned_as_a_whole(session: Session, desk: DeskPool) -> None:
    rows = household(session, slot(session), 2)
    assert told(foresee(session, desk, sets(desk, web_places=1))) == {row.id: Why.FULL for row in rows}


def test_shorter_hours_concern_what_lies_outside(session: Session, desk: DeskPool) -> None:
    early, late = booked(session, slot(session)), booked(session, slot(session, at=time(11, 30)))
    place = counter(session)

    def shorter() -> None:
        for hours in place.hours:
            hours.closes = time(11)

    assert told(foresee(session, place, shorter)) == {late.id: Why.CLOSED}
    assert early.state is BOOKED


def test_holidays_and_a_counter_that_stops_concern_people_too(session: Session, desk: DeskPool) -> None:
    row, place = booked(session, slot(session)), counter(session)
    assert told(foresee(session, place, sets(place, is_open=False))) == {row.id: Why.STOPPED}
    assert isinstance(foresee(session, place, sets(place, name="別の名")), Done)
    holiday = next(day for n in range(300) if jpholiday.is_holiday(day := DAY + timedelta(days=n)))
    category(session).earliest_days = 365
    opening.open_slots(session, today=holiday, days=0)
    away = booked(session, slot(session, holiday))
    assert told(foresee(session, place, sets(place, closed_on_holidays=True))) == {away.id: Why.CLOSED}


def test_a_procedure_that_ends_too_late_or_is_served_no_more(session: Session, desk: DeskPool) -> None:
    pickup, reissue = category(session), category(session, "reissue")
    early, late = booked(session, slot(session)), booked(session, slot(session, at=time(11, 30)))
    other = booked(session, slot(session, at=time(11)), category="reissue")
    assert told(foresee(session, pickup, sets(pickup, latest_end=time(11, 30)))) == {late.id: Why.LATE}
    assert told(foresee(session, desk, sets(desk, categories=[pickup]))) == {other.id: Why.UNSERVED}
    settle(session, pickup, sets(pickup, latest_end=time(11, 30)), None)
    assert isinstance(foresee(session, pickup, sets(pickup, name="交付")), Done), "it is not asked about twice"
    assert told(foresee(session, pickup, sets(pickup, latest_end=time(10)))) == {early.id: Why.LATE}
    assert isinstance(foresee(session, reissue, sets(reissue, earliest_days=20, latest_days=5)), Done), (
        "the window says when booking begins and ends, not who is served"
    )


def test_what_was_kept_once_is_not_asked_about_again(session: Session, desk: DeskPool) -> None:
    row = booked(session, slot(session))
    assert decide(session, None, closed(session), Choice.KEEP) == Done(kept=1)
    place = counter(session)
    assert isinstance(foresee(session, place, sets(place, phone="0781112222")), Done)
    assert isinstance(foresee(session, desk, sets(desk, web_places=1)), Done)
    later = slot(session, DAY + timedelta(days=1))
    another = booked(session, later), booked(session, later)
    assert told(foresee(session, desk, sets(desk, web_places=1))) == {another[1].id: Why.FULL}
    assert row.state is BOOKED and broken(session) == []


def test_who_came_or_cancelled_or_came_yesterday_is_not_concerned(session: Session, desk: DeskPool) -> None:
    gone, come = booked(session, slot(session)), booked(session, slot(session))
    gone.state, come.state, come.arrived_at = CANCELLED, ReservationState.ARRIVED, now()
    slot(session).used = 1
    session.flush()
    assert isinstance(foresee(session, None, closed(session)), Done)


def test_a_place_given_to_the_public_and_taken_back_concerns_who_has_it(session: Session, desk: DeskPool) -> None:
    web, callcenter = slot(session), slot(session, channel=Channel.CALLCENTER)
    web.wanted, web.capacity, web.released = 3, 3, 1
    callcenter.wanted, callcenter.capacity, callcenter.released = 0, 0, -1
    session.flush()
    rows = [booked(session, web) for _ in range(3)]
    assert told(foresee(session, desk, sets(desk, callcenter_places=0))) == {rows[-1].id: Why.FULL}


def test_a_closure_that_moves_opens_what_it_closed(session: Session, desk: DeskPool) -> None:
    closure = closed(session)()
    settle(session, None, lambda: closure)
    there = counter(session, "tanigami")
    there.is_open = True
    session.flush()
    assert slot(session).wanted == 0
    settle(session, closure, sets(closure, counter=there))
    session.expire_all()
    assert slot(session).wanted == 2, "at the counter that it has left"


def test_slots_opened_further_ahead_than_now_are_closed_too(session: Session, desk: DeskPool) -> None:
    row, far = booked(session, slot(session)), today() + timedelta(days=200)
    opening.open_slots(session, today=far, days=0)
    place = slot(session, far)
    row.slot, row.booking_date = place, far
    place.used, slot(session).used = 1, 0
    session.flush()
    assert told(foresee(session, None, closed(session, far, far))) == {row.id: Why.CLOSED}


# -- what becomes of them ---------------------------------------------------------------------------------------------


def test_keeping_changes_no_reservation(session: Session, desk: DeskPool) -> None:
    row = booked(session, slot(session))
    seen = row.row_stamp, row.slot_id
    assert decide(session, None, closed(session), Choice.KEEP) == Done(kept=1)
    assert (row.row_stamp, row.slot_id, row.state) == (*seen, BOOKED)
    assert (slot(session).wanted, slot(session).used, slot(session).capacity) == (0, 1, 1)


def test_cancelling_says_why_and_writes_one_mail_for_a_household(session: Session, desk: DeskPool) -> None:
    together = household(session, slot(session), 2)
    together[0].email = "a@example.jp"
    alone = booked(session, slot(session, at=time(11)), applicant=replace(PERSON, email="b@example.jp"))
    session.commit()
    assert decide(session, None, closed(session), Choice.CANCEL) == Done(cancelled=3)
    session.commit()
    assert {(row.state, row.state_reason) for row in (*together, alone)} == {(CANCELLED, "closure")}
    mails = session.scalars(select(Outbox).where(Outbox.kind == MailKind.CLOSED).order_by(Outbox.id)).all()
    assert [mail.reservation_id for mail in mails] == [together[0].id, alone.id]
    rows = session.scalars(select(OperationLog).where(OperationLog.action_code == "reservation.cancel")).all()
    assert [(row.detail["番号"], row.detail["変更件数"]) for row in rows] == [(together[0].id, 2), (alone.id, 1)]
    assert broken(session) == []


def test_moving_takes_the_nearest_time_and_tells_each(session: Session, desk: DeskPool) -> None:
    for at in (time(10, 30), time(11)):
        for _ in range(2):
            booked(session, slot(session, at=at))
        booked(session, slot(session, at=at, channel=Channel.CALLCENTER))
    rows = [booked(session, slot(session), applicant=replace(PERSON, email="a@example.jp")) for _ in range(2)]
    place = counter(session)

    def later() -> None:
        for hours in place.hours:
            hours.opens = time(10, 30)

    assert decide(session, place, later, Choice.MOVE) == Done(moved=2)
    session.commit()
    assert [(row.booking_date, row.start_time) for row in rows] == [(DAY, time(11, 30))] * 2
    assert [mail.kind for mail in session.scalars(select(Outbox).where(Outbox.detail.is_not(None)))].count(MailKind.CHANGED) == 2
    logged = session.scalars(select(OperationLog).where(OperationLog.action_code == "reservation.move")).all()
    assert sorted(row.detail["番号"] for row in logged) == sorted(row.id for row in rows) and broken(session) == []


def test_a_closed_day_moves_to_the_days_after_it_never_before(session: Session, desk: DeskPool) -> None:
    row = booked(session, slot(session, at=time(11)))
    decide(session, None, closed(session, DAY, DAY + timedelta(days=2)), Choice.MOVE)
    assert (row.booking_date, row.start_time) == (DAY + timedelta(days=3), time(11)), "the first day, at one's own time of day"


def test_two_weeks_without_a_place_leave_people_where_they_are(session: Session, desk: DeskPool) -> None:
    row = booked(session, slot(session))
    shut = closed(session, DAY, DAY + timedelta(days=14))
    found = foresee(session, None, shut)
    assert isinstance(found, Foreseen) and found.proposals == {}
    assert decide(session, None, shut, Choice.MOVE) == Done(kept=1)
    assert row.booking_date == DAY
    found = foresee(session, None, closed(session, DAY, DAY + timedelta(days=13), reason="別の理由", counter=None))
    assert isinstance(found, Done), "closed already"


def test_a_household_moves_together_or_not_at_all(session: Session, desk: DeskPool) -> None:
    rows = household(session, slot(session), 2)
    for day in range(1, 15):
        for at in (time(10), time(10, 30), time(11), time(11, 30)):
            if (day, at) != (3, time(11)):
                booked(session, slot(session, DAY + timedelta(days=day), at))
    assert decide(session, None, closed(session), Choice.MOVE) == Done(moved=2)
    assert {(row.booking_date, row.start_time) for row in rows} == {(DAY + timedelta(days=3), time(11))}


def test_who_sits_at_several_times_is_left_to_a_telephone_call(session: Session, desk: DeskPool) -> None:
    first, second = booked(session, slot(session)), booked(session, slot(session, at=time(10, 30)), category="reissue")
    first.group_id = second.group_id = "g"
    session.flush()
    assert decide(session, None, closed(session), Choice.MOVE) == Done(kept=2)


def test_another_desk_at_the_same_time_is_nothing_to_tell(session: Session, desk: DeskPool) -> None:
    row = booked(session, slot(session, channel=Channel.CALLCENTER), applicant=replace(PERSON, email="a@example.jp"))
    assert decide(session, desk, sets(desk, callcenter_places=0), Choice.MOVE) == Done(moved=1)
    assert (row.slot_id, row.booking_date, row.start_time) == (slot(session).id, DAY, time(10))
    assert session.scalar(select(func.count()).select_from(Outbox).where(Outbox.kind == MailKind.CHANGED)) == 0


def test_a_hold_ends_when_people_are_moved_or_cancelled_and_stays_when_they_are_kept(session: Session, desk: DeskPool) -> None:
    place = slot(session)
    wish = holds.Wish(categories=("pickup",), counter="sannomiya", slot_id=place.id, form_token="h" * 43)
    (held,) = holds.hold(session, wish, now(), rng=RNG)
    number = held.id
    found = foresee(session, None, closed(session))
    assert isinstance(found, Foreseen) and found.booked == 0
    for choice, state in ((Choice.KEEP, HELD), (Choice.CANCEL, ReservationState.EXPIRED)):
        with trying(session):
            decide(session, None, closed(session), choice)
            assert session.get_one(Reservation, number).state is state
            assert broken(session) == []


def test_an_interval_that_changes_keeps_the_visits_length_in_step(session: Session, desk: DeskPool) -> None:
    """10:00 and 11:00 stay times; 10:30 and 11:30 do not."""
    kept, gone = booked(session, slot(session)), booked(session, slot(session, at=time(10, 30)))
    assert decide(session, desk, sets(desk, interval_minutes=20), Choice.MOVE) == Done(moved=1)
    assert (kept.start_time, kept.end_time) == (time(10), time(10, 20))
    assert (gone.start_time, gone.end_time) in {(time(10, 20), time(10, 40)), (time(10, 40), time(11))}
    assert broken(session) == []


def test_nobody_decides_about_what_they_may_not_see(session: Session, desk: DeskPool) -> None:
    counter(session, "tanigami").is_open = True
    mine, theirs = booked(session, slot(session)), booked(session, free_slot(session, days=10, at="tanigami"))
    shut = closed(session, counter=None)
    session.commit()
    with acting(session, Actor(user_id="x", counters=frozenset({counter(session).id}))):
        assert decide(session, None, shut, Choice.CANCEL) == Done(kept=1, cancelled=1)
    session.commit()
    assert (mine.state, theirs.state) == (CANCELLED, BOOKED)
    assert context(session).actor.user_id == "system"


# -- what changed meanwhile -------------------------------------------------------------------------------------------


def test_a_decision_about_others_than_were_shown_is_asked_again(session: Session, desk: DeskPool) -> None:
    booked(session, slot(session))
    shut = closed(session)
    seen = foresee(session, None, shut)
    assert isinstance(seen, Foreseen)
    booked(session, slot(session))
    for choice in Choice:
        with trying(session):
            again = settle(session, None, shut, Decision(choice, seen.seal))
            assert isinstance(again, Foreseen) and len(again.effect.visits) == 2


def test_another_free_time_only_matters_to_who_moves(session: Session, desk: DeskPool) -> None:
    booked(session, slot(session))
    shut = closed(session)
    seen = foresee(session, None, shut)
    assert isinstance(seen, Foreseen)
    for _ in range(2):
        booked(session, slot(session, DAY + timedelta(days=1)))
    booked(session, slot(session, DAY + timedelta(days=1), channel=Channel.CALLCENTER))
    with trying(session):
        assert isinstance(settle(session, None, shut, Decision(Choice.MOVE, seen.seal)), Foreseen)
    assert settle(session, None, shut, Decision(Choice.CANCEL, seen.seal)) == Done(cancelled=1)


def test_too_many_at_once_can_only_be_kept(session: Session, desk: DeskPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "MOST", 1)
    for _ in range(2):
        booked(session, slot(session))
    shut = closed(session)
    seen = foresee(session, None, shut)
    assert isinstance(seen, Foreseen) and seen.is_too_much
    for choice in (Choice.MOVE, Choice.CANCEL):
        with trying(session):
            assert isinstance(settle(session, None, shut, Decision(choice, seen.seal)), Foreseen)
    assert settle(session, None, shut, Decision(Choice.KEEP, seen.seal)) == Done(kept=2)


def test_who_may_not_change_reservations_may_only_keep_them(session: Session, desk: DeskPool) -> None:
    booked(session, slot(session))
    shut = closed(session)
    seen = foresee(session, None, shut, channels=())
    assert isinstance(seen, Foreseen) and seen.proposals == {}
    with trying(session):
        assert isinstance(settle(session, None, shut, Decision(Choice.CANCEL, seen.seal), ()), Foreseen)
    assert settle(session, None, shut, Decision(Choice.KEEP, seen.seal), ()) == Done(kept=1)


# -- any masters, any bookings ----------------------------------------------------------------------------------------

TIMES = (time(10), time(10, 30), time(11), time(11, 30))
BOOKINGS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(TIMES), st.sampled_from(BOTH), st.integers(1, 2)), max_size=14)
CHANGES = st.sampled_from(
    [
        "close",
        "close all",
        "hours",
        "fewer",
        "none for the call centre",
        "interval",
        "late",
        "unserved",
        "stop",
        "weekday",
        "more",
    ]
)


def change_of(session: Session, desk: DeskPool, name: str) -> tuple[Any, Masters]:
    place, pickup = counter(session), category(session)

    def hours() -> None:
        for row in place.hours:
            row.opens, row.closes = time(10, 30), time(11, 30)

    def weekday() -> None:
        place.hours = [row for row in place.hours if row.weekday is not Weekday.of(DAY)]

    found: dict[str, tuple[Any, Masters]] = {
        "close": (None, closed(session)),
        "close all": (None, closed(session, DAY, DAY + timedelta(days=1), counter=None)),
        "hours": (place, hours),
        "weekday": (place, weekday),
        "stop": (place, sets(place, is_open=False)),
        "fewer": (desk, sets(desk, web_places=1)),
        "more": (desk, sets(desk, web_places=4)),
        "none for the call centre": (desk, sets(desk, callcenter_places=0)),
        "interval": (desk, sets(desk, interval_minutes=20)),
        "late": (pickup, sets(pickup, latest_end=time(11))),
        "unserved": (desk, sets(desk, categories=[category(session, "reissue")])),
    }
    return found[name]


def assert_foreseen_is_what_happens(session: Session, row: Any, change: Masters) -> None:
    with trying(session):
        was = stand(row)
        if (made := change()) is not None:
            session.add(made)
        session.flush()
        felt = Change(was, stand(made if made is not None else row))
        foreseen = effects.foresee(session, felt, now())
        assert foreseen == effects.apply(session, felt, now())


def picture(session: Session) -> dict[int, tuple[int, int, int]]:
    return {row.id: (row.wanted, row.used, row.capacity) for row in session.scalars(select(Slot))}


def expected(
    session: Session, before: dict[int, tuple[int, int, int]], latest: time | None, unserved: bool, stopped: bool
) -> set[int]:
    """Counted anew, reservation by reservation, from how the slots stood before and stand now."""
    rows = session.scalars(select(Reservation).where(Reservation.state == BOOKED).order_by(Reservation.id.desc())).all()
    out = {
        row.id for row in rows if stopped or (latest and row.end_time > latest) or (unserved and row.category.code == "pickup")
    }
    for place in session.scalars(select(Slot).where(Slot.used > Slot.wanted)):
        over = place.used - place.wanted
        if place.wanted >= before[place.id][0]:
            continue
        for row in [row for row in rows if row.slot_id == place.id]:
            party = {other.id for other in rows if other.slot_id == place.id and other.group_id == row.group_id and row.group_id}
            if over <= 0:
                break
            new = ({row.id} | party) - out if row.id not in out else set()
            out |= {row.id} | party
            over -= len(new) if new else (0 if party else 1)
    return out


WEB, CALLCENTER = Channel.WEB, Channel.CALLCENTER


@given(bookings_=BOOKINGS, is_released=st.booleans(), name=CHANGES, choice=st.sampled_from(list(Choice)))
@example(bookings_=[(0, time(10), WEB, 2), (0, time(10, 30), WEB, 1)], is_released=False, name="fewer", choice=Choice.MOVE)
@example(bookings_=[(0, time(10, 30), WEB, 2), (1, time(11), WEB, 1)], is_released=False, name="interval", choice=Choice.MOVE)
@example(bookings_=[(0, time(10), CALLCENTER, 1)], is_released=False, name="none for the call centre", choice=Choice.MOVE)
@example(
    bookings_=[(0, time(10), WEB, 2), (0, time(10), WEB, 1)],
    is_released=True,
    name="none for the call centre",
    choice=Choice.MOVE,
)
@example(bookings_=[(0, time(11), WEB, 1), (0, time(11, 30), WEB, 2)], is_released=True, name="close all", choice=Choice.CANCEL)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_is_lost_whatever_changes_and_whatever_is_chosen(
    session: Session,
    desk: DeskPool,
    bookings_: list[tuple[int, time, Channel, int]],
    is_released: bool,
    name: str,
    choice: Choice,
) -> None:
    session.rollback()
    if is_released:
        desk.callcenter_release_hours = 1000
        session.flush()
        release_places(session, now())
        session.expire_all()
    for day, at, channel, people in bookings_:
        place = slot(session, DAY + timedelta(days=day), at, channel)
        if place.free >= people:
            household(session, place, people) if people > 1 else booked(session, place)
        session.refresh(place)
    were = {row.id: (row.slot_id, row.booking_date, row.start_time) for row in session.scalars(select(Reservation))}
    before = picture(session)
    row, change = change_of(session, desk, name)
    seen = foresee(session, row, change)
    assert picture(session) == before
    assert_foreseen_is_what_happens(session, row, change)
    decision = Decision(choice, seen.seal) if isinstance(seen, Foreseen) else None
    done = settle(session, row, change, decision)
    session.expire_all()
    assert isinstance(done, Done) and broken(session) == []
    concerned = {visit.number: visit for visit in seen.effect.visits} if isinstance(seen, Foreseen) else {}
    proposals = seen.proposals if isinstance(seen, Foreseen) and choice is Choice.MOVE else {}
    assert done.kept + done.moved + done.cancelled == len(concerned)
    for made in session.scalars(select(Reservation)):
        is_cancelled = choice is Choice.CANCEL and made.id in concerned
        assert made.state is (CANCELLED if is_cancelled else BOOKED)
        if made.id in proposals:
            to = proposals[made.id].at
            assert (made.booking_date, made.start_time) == (to.date(), to.time())
            assert made.slot.used <= made.slot.wanted, "nobody moves to where there is no room"
            assert timedelta(0) <= made.booking_date - concerned[made.id].day <= timedelta(days=14)
        else:
            assert (made.slot_id, made.booking_date, made.start_time) == were[made.id]
    assert {row.id for row in session.scalars(select(Reservation))} == were.keys()
    if choice is Choice.KEEP or not concerned:
        latest = time(11) if name == "late" else None
        assert concerned.keys() == expected(session, before, latest, name == "unserved", name == "stop")
    session.rollback()


# -- at full size -----------------------------------------------------------------------------------------------------


def test_a_year_is_asked_about_in_as_many_statements_as_a_day(session: Session, desk: DeskPool) -> None:
    """Whoever closes a year with fifty thousand reservations waits for a few large statements, not for many small ones."""

    def statements(last: date) -> int:
        count: list[str] = []

        def notice(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            count.append(statement)

        engine = session.get_bind().engine
        event.listen(engine, "before_cursor_execute", notice)
        try:
            foresee(session, None, closed(session, DAY, last))
        finally:
            event.remove(engine, "before_cursor_execute", notice)
        return len(count)

    for day in range(15):
        for at in TIMES:
            booked(session, slot(session, DAY + timedelta(days=day), at))
    session.commit()
    one, many = statements(DAY), statements(DAY + timedelta(days=14))
    assert many <= one + 2, (one, many)
    assert session.scalar(select(func.count()).where(Reservation.state.in_(HOLDING))) == 60
    assert session.scalar(select(func.count(BookingCategory.id)))
