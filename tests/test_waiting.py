"""空き待ち: in the order of asking, for the whole party, for a set time; whatever happens, places and offers agree."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.errors import AppError, SlotFull
from app.jobs import mail
from app.rules import holds, invariants, slots, visits, waiting
from app.rules.visits import ACTS, Reason
from models import Language, Outbox, Reservation, ReservationState, Slot, WaitingEntry, WaitingState
from tests.booking_pages import GOOD, Resident, day_path, free_slot
from tests.test_booking_rules import category
from tests.test_holds import hold, household, request, used
from tests.test_mails import SENDER, Postman, opener, words

RNG = random.Random(5)
NOON = datetime.now(TOKYO).replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)
WAITING, OFFERED, BOOKED, LAPSED, WITHDRAWN = list(WaitingState)


@pytest.fixture(autouse=True)
def waits(session: Session) -> None:
    category(session).takes_waiting = True
    session.flush()


def full(session: Session, **values: Any) -> tuple[Slot, Reservation]:
    """A day whose only place is taken."""
    slot = free_slot(session, places=1, **values)
    number = holds.confirm(session, request(slot, 900 + slot.id), NOON, rng=RNG)
    return slot, session.get_one(Reservation, number)


def join(session: Session, slot: Slot, n: int = 1, now: datetime = NOON, **values: Any) -> WaitingEntry:
    wish = {"people": 1, "name": f"待 {n}", "phone": f"0780000{n:04}", "email": f"w{n}@example.jp", "language": Language.JA}
    return waiting.join(session, category(session), slot.counter, slot.slot_date, now=now, rng=RNG, **{**wish, **values})


def states(*entries: WaitingEntry) -> list[WaitingState]:
    return [entry.state for entry in entries]


def agree(session: Session, now: datetime) -> None:
    session.flush()
    assert [found.rule for found in invariants.check(session, now) if found.broken] == []


def cancel(session: Session, row: Reservation, now: datetime = NOON) -> None:
    visits.perform(session, ACTS["cancel"], row, now, Reason("own"))


def test_a_place_that_is_given_back_is_offered_to_the_first_in_line_at_once(session: Session) -> None:
    slot, row = full(session)
    first, second = join(session, slot, 1), join(session, slot, 2)
    assert [waiting.ahead(session, entry) for entry in (first, second)] == [0, 1]
    cancel(session, row)
    assert (states(first, second), used(session, slot)) == ([OFFERED, WAITING], [1])
    with pytest.raises(SlotFull):  # who only happens to look is not quicker
        hold(session, slot, 50, now=NOON)
    assert first.offered_until == NOON + waiting.OFFER_LASTS
    agree(session, NOON)


def test_an_offer_becomes_a_booking(session: Session) -> None:
    slot, row = full(session)
    entry = join(session, slot)
    cancel(session, row)
    later = NOON + timedelta(hours=1)
    assert holds.expire(session, later) == 0
    wish = request(slot)
    assert entry.form_token
    number = holds.confirm(session, type(wish)(**{**vars(wish), "form_token": entry.form_token}), later, rng=RNG)
    waiting.look_after(session, later)
    assert (session.get_one(Reservation, number).state, entry.state) == (ReservationState.BOOKED, BOOKED)
    agree(session, later)


def test_an_offer_that_is_not_taken_goes_to_the_next(session: Session) -> None:
    slot, row = full(session)
    first, second = join(session, slot, 1), join(session, slot, 2)
    cancel(session, row)
    late = NOON + waiting.OFFER_LASTS + timedelta(minutes=1)
    holds.expire(session, late)
    waiting.look_after(session, late)
    assert (states(first, second), used(session, slot)) == ([LAPSED, OFFERED], [1])
    agree(session, late)


def test_who_leaves_makes_room_for_the_next(session: Session) -> None:
    slot, row = full(session)
    first, second = join(session, slot, 1), join(session, slot, 2)
    cancel(session, row)
    assert [waiting.withdraw(session, first, NOON), waiting.withdraw(session, first, NOON)] == [True, False]
    assert (states(first, second), used(session, slot)) == ([WITHDRAWN, OFFERED], [1])


def test_a_party_that_does_not_fit_lets_the_next_go_first_and_keeps_its_turn(session: Session) -> None:
    household(session)
    slot, row = full(session)
    pair, single = join(session, slot, 1, people=2), join(session, slot, 2)
    cancel(session, row)
    assert states(pair, single) == [WAITING, OFFERED]
    free_slot(session, places=2, start_time=slot.end_time, end_time=time(11))
    waiting.look_after(session, NOON)
    assert states(pair) == [OFFERED]
    agree(session, NOON)


def test_an_offer_made_at_night_lasts_until_the_morning(session: Session) -> None:
    midnight = datetime(2026, 12, 1, 23, 30, tzinfo=TOKYO)
    assert waiting.until(midnight) == datetime(2026, 12, 2, 10, 0, tzinfo=TOKYO)
    assert waiting.until(datetime(2026, 12, 2, 3, 0, tzinfo=TOKYO)) == datetime(2026, 12, 2, 10, 0, tzinfo=TOKYO)
    assert waiting.until(datetime(2026, 12, 2, 9, 0, tzinfo=TOKYO)) == datetime(2026, 12, 2, 11, 0, tzinfo=TOKYO)


def test_days_with_places_and_days_outside_the_window_have_no_line(session: Session) -> None:
    free = free_slot(session)
    with pytest.raises(waiting.NotFull):
        join(session, free)
    soon = free_slot(session, days=1, places=0)
    with pytest.raises(slots.NotOffered):
        join(session, soon)
    category(session).takes_waiting = False
    with pytest.raises(slots.NotOffered):
        join(session, free)


def test_one_telephone_waits_three_times_at_most_and_once_a_day(session: Session) -> None:
    days = [full(session, days=5 + n)[0] for n in range(4)]
    for slot in days[:3]:
        assert join(session, slot, phone="0781111111") is join(session, slot, phone="0781111111")
    with pytest.raises(AppError) as refused:
        join(session, days[3], phone="0781111111")
    assert "同時に3件まで" in refused.value.message


def test_the_offer_is_mailed_with_its_term(session: Session) -> None:
    slot, row = full(session)
    entry = join(session, slot)
    cancel(session, row)
    post = Postman()
    mail.deliver(opener(session), post, SENDER, lambda: NOON)
    (message,) = [m for m in post.taken if m["To"] == "w1@example.jp"]
    assert str(entry) in message["Subject"] and "空きが出ました" in message["Subject"]
    assert "https://yoyaku.example/waiting" in words(message) and "14:00" in words(message)


def test_a_mail_for_an_offer_that_is_over_is_not_sent(session: Session) -> None:
    slot, row = full(session)
    entry = join(session, slot)
    cancel(session, row)
    waiting.withdraw(session, entry, NOON)
    post = Postman()
    mail.deliver(opener(session), post, SENDER, lambda: NOON)
    assert [m["To"] for m in post.taken] == []
    assert session.scalars(select(Outbox.state).where(Outbox.waiting_id == entry.id)).one().value == "dropped"


ACT = st.lists(
    st.tuples(st.sampled_from(["join", "join", "book", "cancel", "leave", "take", "wait"]), st.integers(0, 5)), max_size=25
)


@given(acts=ACT, places=st.integers(1, 3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_offers_and_bookings_agree_whatever_is_done(session: Session, acts: list[tuple[str, int]], places: int) -> None:
    session.rollback()
    category(session).takes_waiting = True
    slot, now = free_slot(session, places=places), NOON
    made, booked = 0, list[Reservation]()
    entries: list[WaitingEntry] = []
    for act, n in acts:
        try:
            if act == "join":
                entries.append(join(session, slot, len(entries) + 1, now))
            elif act == "book":
                made += 1
                wish = request(slot, 100 + made)
                who = type(wish.applicant)(**{**vars(wish.applicant), "phone": f"07899{made:05}"})
                number = holds.confirm(session, type(wish)(**{**vars(wish), "applicant": who}), now, rng=RNG)
                booked.append(session.get_one(Reservation, number))
            elif act == "cancel" and booked:
                cancel(session, booked.pop(n % len(booked)), now)
            elif act == "leave" and entries:
                waiting.withdraw(session, entries[n % len(entries)], now)
            elif act == "wait":
                now += timedelta(minutes=50)
                holds.expire(session, now)
                waiting.look_after(session, now)
        except (AppError, SlotFull):
            pass
        offered = sum(entry.state is OFFERED for entry in entries)
        session.refresh(slot)
        assert slot.used == len(booked) + offered, (act, acts)
        if slot.free:
            assert not any(entry.state is WAITING for entry in entries) or act in ("wait", "join"), (
                "nobody waits beside a free place"
            )
        agree(session, now)
    session.rollback()


# -- the pages --------------------------------------------------------------------------------------------------------


def test_a_resident_waits_is_offered_and_books(resident: Resident, resident_app: Flask, session: Session) -> None:
    slot, row = full(session)
    session.commit()
    resident.open(day_path(slot))
    resident.follow("この日の空きを待つ")
    wrong = resident.press("空き待ちに登録する", name="", phone="12")
    assert wrong.status == 422 and wrong.error_of("phone")
    page = resident.press("空き待ちに登録する", name="髙橋 花子", phone="0781234599", email="")
    entry = session.scalars(select(WaitingEntry)).one()
    assert str(entry) in page.text and "前に0組" in page.text
    cancel(session, row, datetime.now(UTC))
    session.commit()
    other = Resident(resident_app.test_client())
    other.open("/waiting")
    assert other.press("見る", code=str(entry), phone="0789999999").status == 404
    page = other.press("見る", code=str(entry), phone="078-123-4599")
    assert "空きが出ました" in page.text
    form = other.press("予約に進む")
    assert form.fields["name"] == "髙橋 花子" and "までおさえています" in form.text
    other.press("確認画面へ進む", **{**GOOD, "phone": "0781234599"})
    assert "予約を受け付けました" in other.press("この内容で予約する", consent="y").text
    session.expire_all()
    assert slot.used == 1


def test_a_resident_leaves_the_line(resident: Resident, session: Session) -> None:
    slot, _ = full(session)
    session.commit()
    resident.open(day_path(slot))
    resident.follow("この日の空きを待つ")
    resident.press("空き待ちに登録する", name="髙橋 花子", phone="0781234599")
    page = resident.press("空き待ちを取りやめる")
    assert "取りやめました" in page.text and "予約に進む" not in page.buttons


def test_lines_are_not_offered_where_the_category_has_none(resident: Resident, session: Session) -> None:
    category(session).takes_waiting = False
    slot, _ = full(session)
    session.commit()
    assert "空きを待つ" not in resident.open(day_path(slot)).text
    assert resident.open(f"/waiting/pickup/sannomiya/{slot.slot_date}/").status == 404
