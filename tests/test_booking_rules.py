"""予約枠 and 来庁予約: what is offered, what is taken, and that both always agree."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.context import TOKYO, Actor, acting, context, system
from app.errors import PersonalNumberFound, SlotFull
from app.rules import bookings, opening, slots
from app.schema import specs
from models import (
    BookingCategory,
    Channel,
    Counter,
    CounterClosure,
    DeskPool,
    OperationLog,
    Reservation,
    Sex,
    Slot,
    Weekday,
)
from models.bookings import CODE_ALPHABET
from tests.booking_pages import counter, free_slot, today

RNG = random.Random(7)
PERSON = bookings.Applicant(
    name="髙橋 花子",
    name_kana="タカハシ ハナコ",
    address="神戸市中央区加納町9丁目",
    phone="0781234567",
    birth_date=date(1960, 4, 1),
    sex=Sex.FEMALE,
)


def now() -> datetime:
    return datetime.now(UTC)


def category(session: Session, code: str = "pickup") -> BookingCategory:
    return session.scalars(select(BookingCategory).where(BookingCategory.code == code)).one()


def request(slot: Slot, token: str = "a" * 43, **values: Any) -> bookings.BookingRequest:
    return bookings.BookingRequest(
        **{
            "category": "pickup",
            "counter": slot.counter.code,
            "slot_id": slot.id,
            "applicant": PERSON,
            "form_token": token,
            "consent_version": "1",
            **values,
        }
    )


def book(session: Session, slot: Slot, token: str = "a" * 43, rng: random.Random = RNG, **values: Any) -> Reservation:
    return session.get_one(Reservation, bookings.book(session, request(slot, token, **values), now(), rng=rng))


def used(session: Session, slot: Slot) -> int:
    return session.scalars(select(Slot.used).where(Slot.id == slot.id)).one()


# -- taking -----------------------------------------------------------------------------------------------------------


class Drawing(random.Random):
    """Draws one code that is there already before it draws others."""

    there = ""

    def choice(self, seq: Any) -> Any:
        letter, self.there = self.there[:1], self.there[1:]
        return letter or super().choice(seq)


acts = st.lists(
    st.tuples(st.sampled_from(["book", "book, the code is there", "book again", "want"]), st.integers(1, 4)), max_size=30
)


@given(acts=acts, places=st.integers(0, 6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_in_use_always_agree_with_what_was_booked(session: Session, acts: list[tuple[str, int]], places: int) -> None:
    session.rollback()
    slot, rng = free_slot(session, places=places), Drawing()
    made: list[Reservation] = []
    capacity = places
    for at, (act, n) in enumerate(acts):
        taken = sum(reservation.units for reservation in made)
        if act == "want":
            capacity = max(n, taken)
            session.execute(
                update(Slot).where(Slot.id == slot.id).values(wanted=n, capacity=capacity), execution_options={"by_rule": "test"}
            )
        elif act == "book again" and made:
            assert book(session, slot, f"{len(made):043}", units=n) is made[-1]
        else:
            rng.there = made[-1].booking_code if made and "is there" in act else ""
            try:
                made.append(book(session, slot, f"{len(made) + 1:043}", rng, units=n))
            except SlotFull:
                assert taken + n > capacity
        session.refresh(slot)
        assert (slot.used, slot.capacity) == (sum(reservation.units for reservation in made), capacity), acts[: at + 1]
    assert session.scalar(select(func.count()).where(Reservation.slot_id == slot.id)) == len(made)
    session.rollback()


def _succeeds(act: Any, refusal: type[Exception]) -> bool:
    try:
        act()
    except refusal:
        return False
    return True


# -- what is offered --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "offered"), [(2, False), (3, True), (45, True), (46, False)])
def test_window_opens_and_closes_on_its_days(session: Session, days: int, offered: bool) -> None:
    slot = free_slot(session, days=days)
    assert _succeeds(lambda: slots.offer(session, slot.id, "pickup", Channel.WEB, now()), slots.NotOffered) is offered
    assert _succeeds(lambda: book(session, slot), slots.NotOffered) is offered
    assert session.scalar(select(func.count()).select_from(Reservation)) == int(offered)


def test_time_that_has_begun_is_not_offered(session: Session) -> None:
    category(session).latest_days = 0
    slot = free_slot(session, days=0, hour=12)
    noon = datetime.combine(slot.slot_date, time(12), TOKYO)
    place = counter(session)
    assert slots.day(session, category(session), place, Channel.WEB, slot.slot_date, noon - timedelta(minutes=1))
    assert not slots.day(session, category(session), place, Channel.WEB, slot.slot_date, noon)
    with pytest.raises(slots.NotOffered):
        slots.offer(session, slot.id, "pickup", Channel.WEB, noon)


@pytest.mark.parametrize("wrong", ["channel", "procedure", "unknown procedure", "counter", "category closed", "ended", "number"])
def test_slot_of_something_else_cannot_be_booked(session: Session, wrong: str) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER if wrong == "channel" else Channel.WEB)
    values: dict[str, Any] = {"procedure": {"category": "certificate"}, "unknown procedure": {"category": "x\0y"}}.get(wrong, {})
    if wrong == "counter":
        counter(session).is_open = False
    elif wrong == "category closed":
        category(session).is_open = False
    elif wrong == "ended":
        category(session).valid_until = today() - timedelta(days=1)
    elif wrong == "number":
        values = {"slot_id": 2**62}
    session.commit()
    with pytest.raises(slots.NotOffered):
        book(session, slot, **values)
    assert used(session, slot) == 0


def test_operator_channel_takes_the_call_centres_places(session: Session) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER)
    assert book(session, slot, channel=Channel.CALLCENTER).channel is Channel.CALLCENTER


def test_actor_of_one_counter_books_at_no_other(session: Session) -> None:
    slot = free_slot(session, at="tanigami")
    session.commit()
    with acting(session, Actor(user_id="x", counters=frozenset({counter(session).id}))), pytest.raises(slots.NotOffered):
        book(session, slot)
    assert used(session, slot) == 0


def test_month_shows_each_day_in_one_of_four_states(session: Session) -> None:
    for days, places, taken in ((5, 10, 0), (6, 10, 7), (7, 10, 8), (8, 10, 10), (2, 10, 0)):
        free_slot(session, days=days, places=places, used=taken)
    free_slot(session, days=9, channel=Channel.RESERVE)
    with_month = {(today() + timedelta(days=n)).replace(day=1) for n in range(10)}
    shown = {
        d.date: d
        for m in with_month
        for d in slots.month(session, category(session), counter(session), Channel.WEB, m.year, m.month, now())
    }
    states = [shown[today() + timedelta(days=n)].state.value for n in (5, 6, 7, 8, 2, 9, 1)]
    assert states == ["free", "free", "few", "full", "none", "none", "none"]


def test_day_names_the_freest_desk_of_each_time(session: Session) -> None:
    second = session.scalars(
        select(DeskPool).where(DeskPool.name == "申請・更新窓口").join(Counter).where(Counter.code == "sannomiya")
    ).one()
    full, open_ = free_slot(session, places=2, used=2), free_slot(session, places=2, desk_pool=second)
    chosen = category(session, "reissue")
    assert [
        (o.start, o.slot_id, o.free) for o in slots.day(session, chosen, counter(session), Channel.WEB, full.slot_date, now())
    ] == [(time(10), open_.id, 2)]


def test_earliest_lists_each_counter_soonest_first(session: Session) -> None:
    free_slot(session, days=4, places=1, used=1)
    for days, at in ((9, "sannomiya"), (6, "tanigami"), (7, "tanigami")):
        free_slot(session, days=days, at=at)
    found = slots.earliest(session, category(session), Channel.WEB, now())
    assert [(c.code, (o.date - today()).days) for c, o in found] == [("tanigami", 6), ("sannomiya", 9)]


def test_near_offers_times_on_both_sides(session: Session) -> None:
    for hour in (9, 10, 11, 14, 15):
        free_slot(session, hour=hour)
    free_slot(session, hour=12, places=1, used=1)
    wish = datetime.combine(today() + timedelta(days=5), time(12))
    found = slots.near(session, category(session), counter(session), Channel.WEB, wish, now(), limit=3)
    assert [o.start.hour for o in found] == [10, 11, 14]


# -- opening places ---------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(session: Session) -> DeskPool:
    """One desk at one counter, open 9:30–12:30 every day with a break of half an hour; the others closed."""
    for other in session.scalars(select(Counter)):
        other.is_open = other.code == "sannomiya"
    pools = session.scalars(select(DeskPool).join(Counter).where(Counter.code == "sannomiya").order_by(DeskPool.id)).all()
    for pool in pools[1:]:
        pool.web_places = pool.callcenter_places = pool.counter_places = pool.reserve_places = 0
    for hours in counter(session).hours:
        hours.opens, hours.closes, hours.break_start, hours.break_end = time(9, 30), time(12, 30), time(11, 10), time(11, 40)
    pools[0].web_places, pools[0].callcenter_places, pools[0].counter_places, pools[0].reserve_places = 5, 2, 0, 0
    session.commit()
    return pools[0]


def opened(session: Session, day: date, channel: Channel = Channel.WEB) -> dict[str, tuple[int, int, int]]:
    session.expire_all()
    found = session.scalars(select(Slot).where(Slot.slot_date == day, Slot.channel == channel).order_by(Slot.start_time))
    return {f"{s.start_time:%H:%M}": (s.wanted, s.used, s.capacity) for s in found}


def open_slots(session: Session, day: date, days: int = 0) -> int:
    return opening.open_slots(session, today=day, days=days)


def test_times_fit_between_opening_break_and_closing(session: Session, desk: DeskPool) -> None:
    day = date(2027, 3, 1)
    assert open_slots(session, day) == 8
    assert list(opened(session, day)) == ["09:30", "10:00", "10:30", "11:40"]
    assert set(opened(session, day).values()) == {(5, 0, 5)}
    assert set(opened(session, day, Channel.CALLCENTER).values()) == {(2, 0, 2)}
    assert not opened(session, day, Channel.COUNTER)


def test_opening_again_writes_nothing(session: Session, desk: DeskPool) -> None:
    assert open_slots(session, date(2027, 3, 1), 2) == 24
    assert open_slots(session, date(2027, 3, 1), 2) == 0
    assert open_slots(session, date(2027, 3, 1), 3) == 8


def test_fewer_places_keep_those_already_taken(session: Session, desk: DeskPool) -> None:
    day = date(2027, 3, 1)
    open_slots(session, day)
    first = session.scalars(
        select(Slot).where(Slot.slot_date == day, Slot.channel == Channel.WEB).order_by(Slot.start_time)
    ).first()
    assert first
    first.used = 4
    desk.web_places = 3
    assert open_slots(session, day) == 4
    assert list(opened(session, day).values()) == [(3, 4, 4), (3, 0, 3), (3, 0, 3), (3, 0, 3)]


def test_closed_day_offers_nothing_and_opens_again(session: Session, desk: DeskPool) -> None:
    day = date(2027, 3, 1)
    open_slots(session, day)
    closure = CounterClosure(counter=counter(session), starts_on=day, ends_on=day, reason="設備点検")
    session.add(closure)
    assert open_slots(session, day) == 8
    assert set(opened(session, day).values()) == {(0, 0, 0)}
    session.delete(closure)
    open_slots(session, day)
    assert set(opened(session, day).values()) == {(5, 0, 5)}


def test_closure_of_every_counter_and_new_years_days(session: Session, desk: DeskPool) -> None:
    assert open_slots(session, date(2026, 12, 31)) == 0


def test_public_holiday_is_an_open_day(session: Session, desk: DeskPool) -> None:
    assert open_slots(session, date(2027, 5, 3)) == 8


def test_weekday_without_hours_has_no_times(session: Session, desk: DeskPool) -> None:
    session.delete(next(h for h in counter(session).hours if h.weekday is Weekday.MON))
    session.flush()
    session.expire_all()
    assert open_slots(session, date(2027, 3, 1), 1) == 8


def test_counter_that_is_not_open_is_left_as_it_is(session: Session, desk: DeskPool) -> None:
    day = date(2027, 3, 1)
    open_slots(session, day)
    counter(session).is_open = False
    assert open_slots(session, day) == 0
    assert set(opened(session, day).values()) == {(5, 0, 5)}


# -- booking ----------------------------------------------------------------------------------------------------------


def test_booking_takes_one_place_and_keeps_what_was_typed(session: Session) -> None:
    slot, person = free_slot(session), replace(PERSON, name="髙\U000e0101橋 𠮷子", message="=1+1")
    made = book(session, slot, applicant=person)
    session.commit()
    session.expire_all()
    assert used(session, slot) == 1
    assert (made.name, made.message, made.sex, made.birth_date) == (person.name, "=1+1", Sex.FEMALE, date(1960, 4, 1))
    assert (made.booking_date, made.start_time, made.end_time) == (slot.slot_date, slot.start_time, slot.end_time)
    assert (made.counter, made.slot, made.category.code, made.procedure_name) == (slot.counter, slot, "pickup", "交付時来庁")
    assert made.request_detail["持ち物"][0] == "交付通知書（はがき）"
    assert made.requested_date == today()
    assert made.row_stamp == 1


def test_booking_is_found_and_logged_like_any_row(session: Session) -> None:
    """The row is written by a statement of its own, and must not miss what a flush would have done."""
    slot = free_slot(session)
    session.commit()
    made = book(session, slot)
    session.commit()
    stored = session.scalars(select(Reservation.search_key).where(Reservation.id == made.id)).one()
    assert stored == specs()[Reservation].key_of(made)
    entry = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert entry
    change = entry.detail["変更"][0]
    assert (change["対象"], change["番号"], change["種別"]) == ("来庁予約", made.id, "追加")
    assert change["項目"]["申請ID"][1] == str(made)
    assert change["項目"]["窓口"][1] == "三宮サテライト"
    assert change["項目"]["電話番号"][1] == "＊＊＊"
    assert "高橋" not in str(entry.detail)
    assert "髙橋" not in str(entry.detail)


def test_booking_by_statement_stores_what_a_flush_stores(session: Session) -> None:
    made = book(session, free_slot(session))
    twin = Reservation(
        **{
            c.key: getattr(made, c.key)
            for c in Reservation.__table__.columns
            if c.key not in ("id", "search_key", "row_stamp", "requested_date", "requested_time")
        }
    )
    twin.booking_code, twin.form_token = "ZZZZZZZZZZ", "z" * 43
    session.add(twin)
    session.commit()
    names = [c.key for c in Reservation.__table__.columns if c.key not in ("id", "booking_code", "form_token", "requested_time")]
    first, second = (
        session.execute(select(*(Reservation.__table__.c[n] for n in names)).where(Reservation.__table__.c.id == r.id)).one()
        for r in (made, twin)
    )
    assert first == second


def test_same_form_sent_again_is_the_same_reservation(session: Session) -> None:
    slot = free_slot(session)
    first = book(session, slot).id
    session.commit()
    assert book(session, slot).id == first
    assert used(session, slot) == 1


def test_same_form_sent_again_after_the_slot_filled_is_the_same_reservation(session: Session) -> None:
    slot = free_slot(session, places=1)
    first = book(session, slot).id
    session.commit()
    assert book(session, slot).id == first


def test_other_words_under_the_same_token_are_not_swallowed(session: Session) -> None:
    slot = free_slot(session)
    book(session, slot)
    session.commit()
    with pytest.raises(bookings.AlreadyUsed):
        book(session, slot, applicant=replace(PERSON, name="別の 人"))
    assert used(session, slot) == 1


def test_full_slot_refuses(session: Session) -> None:
    slot = free_slot(session, places=1)
    book(session, slot)
    session.commit()
    with pytest.raises(SlotFull):
        book(session, slot, "b" * 43)
    assert used(session, slot) == 1


def test_drawn_code_that_exists_is_drawn_again(session: Session) -> None:
    slot, rng = free_slot(session), Drawing()
    rng.there = book(session, slot).booking_code
    session.commit()
    assert book(session, slot, "b" * 43, rng).booking_code != book(session, slot).booking_code
    assert (rng.there, used(session, slot)) == ("", 2)


def test_a_booking_that_fails_leaves_the_callers_transaction_alone(session: Session) -> None:
    """Rules flush: what the caller has written before stays, and a place taken in vain has been given back."""
    slot, other = free_slot(session, places=1), free_slot(session, hour=11)
    book(session, slot)
    session.commit()
    counter(session).note = "前から書いてあったこと"
    session.flush()
    assert book(session, slot).slot_id == slot.id
    with pytest.raises(SlotFull):
        book(session, slot, "b" * 43)
    with pytest.raises(bookings.AlreadyUsed):
        book(session, other)
    session.commit()
    session.expire_all()
    assert counter(session).note == "前から書いてあったこと"
    assert [used(session, place) for place in (slot, other)] == [1, 0]


def test_the_token_of_a_form_is_a_secret_of_its_browser(session: Session) -> None:
    made = book(session, free_slot(session), "s" * 43)
    session.commit()
    entry = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert entry
    assert made.form_token and made.form_token != "s" * 43
    assert made.form_token not in json.dumps(entry.detail)
    assert "form_token" not in specs()[Reservation].parts, "neither on a screen nor in a file"


def test_codes_are_ten_letters_nobody_confuses() -> None:
    code = bookings.new_code(random.Random(1))
    assert len(code) == 10
    assert not set("0O1I") & set(CODE_ALPHABET)
    assert len(set(CODE_ALPHABET)) == 32


def test_personal_number_stops_the_booking_and_takes_no_place(session: Session) -> None:
    slot = free_slot(session)
    session.commit()
    with pytest.raises(PersonalNumberFound):
        book(session, slot, applicant=replace(PERSON, message="１２３４-５６７８-９０１８"))
    session.rollback()
    assert used(session, slot) == 0


@pytest.mark.parametrize("spelling", ["{code}", "{a}-{b}", " {lower} ", "{wide}", "{a}－{b}", "{a} {b}"])
def test_look_up_takes_any_spelling_of_the_code(session: Session, spelling: str) -> None:
    made = book(session, free_slot(session))
    code = made.booking_code
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code.lower())
    typed = spelling.format(code=code, a=code[:5], b=code[5:], lower=code.lower(), wide=wide)
    assert bookings.look_up(session, typed, "０７８－１２３－４５６７") is made


@pytest.mark.parametrize(
    ("code", "phone"),
    [
        ("right", "0781234568"),
        ("right", ""),
        ("AAAAAAAAAA", "0781234567"),
        ("", "0781234567"),
        ("0" * 10, "0781234567"),
        ("\0", "-"),
        ("x" * 5000, "0781234567"),
    ],
)
def test_look_up_says_nothing_to_a_wrong_pair(session: Session, code: str, phone: str) -> None:
    made = book(session, free_slot(session))
    assert bookings.look_up(session, made.booking_code if code == "right" else code, phone) is None


def test_booking_without_a_named_actor_is_refused(session: Session) -> None:
    slot = free_slot(session)
    session.commit()
    with acting(session, Actor()), pytest.raises(slots.NotOffered):
        book(session, slot)
    with acting(session, system("x")):
        assert book(session, slot).channel is Channel.WEB
    assert context(session).actor.user_id == "system"
