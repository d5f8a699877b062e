"""Booking a pick-up: the number of the notice and the birth date open it, one neutral answer to everything else, and no way round."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.keys import keys_of
from app.rules import bookings, holds, parties, pickups, regroup, slots, waiting
from app.rules.bookings import BookingRequest
from app.rules.holds import Wish
from app.rules.pickups import Claim, NotShown, Used
from models import (
    BookingCategory,
    BookingDraft,
    Card,
    CardState,
    Channel,
    Language,
    OperationLog,
    PickupTicket,
    Reservation,
    ReservationState,
    Slot,
)
from models.base import table_of
from tests import samples
from tests.booking_pages import (
    GOOD,
    PERSONAL_NUMBER,
    Page,
    Resident,
    apart,
    day_path,
    form_path,
    free_slot,
    in_use,
    stored,
    today,
)
from tests.conftest import House
from tests.samples import NOTICE
from tests.sites import site, statements
from tests.test_booking_party import SON, end_hold
from tests.test_booking_rules import PERSON, RNG
from tests.test_operators import caller  # noqa: F401 - a fixture

NOW = datetime.now(UTC)
BORN = {"birth_year": "昭和55", "birth_month": "4", "birth_day": "1"}
UNLOCK = {"number": NOTICE, **BORN}
NEUTRAL = "番号か生年月日が一致しないか、まだ受け取りの準備ができていません。"
START = "/book/pickup/"


@pytest.fixture(autouse=True)
def _asks(session: Session) -> None:
    """Pick-ups are booked with the number of the notice, as the office begins."""
    asked = update(BookingCategory).where(BookingCategory.code == "pickup").values(asks_notice=True)
    session.execute(asked, execution_options={"by_rule": "test"})
    session.commit()


@pytest.fixture
def card(session: Session) -> Card:
    found = samples.ready_card(session)
    session.commit()
    return found


def unlock(resident: Resident, **typed: str) -> Page:
    resident.open(START)
    return resident.press("確認して進む", **{**UNLOCK, **typed})


def to_form(resident: Resident, slot: Slot) -> Page:
    """On from the counters, by what the pages offer."""
    resident.follow(slot.counter.name)
    return resident.follow(f"{slot.start_time.hour}:{slot.start_time.minute:02}")


def claim(session: Session, number: str = NOTICE, born: date = date(1980, 4, 1)) -> Claim:
    found = pickups.find(session, number, born, NOW)
    assert found
    return Claim(found.ref, pickups.notice_mark(keys_of(session), number))


def wish(slot: Slot, n: int = 1, *claims: Claim, **values: Any) -> Wish:
    return Wish(
        **{
            "categories": ("pickup",),
            "counter": slot.counter.code,
            "slot_id": slot.id,
            "form_token": f"{n:043}",
            "claims": claims,
            "people": max(len(claims), 1),
            **values,
        }
    )


def request(slot: Slot, n: int = 1, **values: Any) -> BookingRequest:
    return BookingRequest(
        **{
            "category": "pickup",
            "counter": slot.counter.code,
            "slot_id": slot.id,
            "form_token": f"{n:043}",
            "applicant": PERSON,
            **values,
        }
    )


# -- the way through --------------------------------------------------------------------------------------------------


def test_number_and_birth_date_lead_to_a_booking_of_that_card(resident: Resident, session: Session, card: Card) -> None:
    slot = free_slot(session)
    page = unlock(resident, number="ａｂｃ－123 456")
    assert page.status == 200 and "1人分の交付通知書を確認しました" in page.text
    page = to_form(resident, slot)
    assert {name: page.fields[name] for name in BORN} == BORN, "the birth date is known already"
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    done = resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    assert str(made) in done.text and made.state is ReservationState.BOOKED
    assert (made.pickup_ref, made.notice_hash) == (claim(session).ref, claim(session).mark)


def test_only_the_counters_and_days_in_reach_are_offered(resident: Resident, session: Session, card: Card) -> None:
    card.card_expiry = today() + timedelta(days=8)
    here, late, there = free_slot(session, days=7), free_slot(session, days=10), free_slot(session, at="tanigami")
    session.commit()
    page = unlock(resident)
    assert [name for name in ("三宮", "谷上", "新長田") if any(name in words for words in page.links)] == ["三宮"]
    resident.follow("三宮")
    assert f"{late.slot_date.day}日 " not in " ".join(words for words in resident.page.links if "空きあり" in words)
    assert f"{(today() + timedelta(days=8)).day}日（" in resident.page.text.split("予約できるのは")[1]
    query = resident.page.url.partition("?")[2]
    assert resident.open(f"/book/pickup/{there.counter.code}/?{query}").status == 404
    assert "予約を受け付けていません" in resident.open(f"{day_path(late)}?{query}").text
    assert resident.open(f"{day_path(here)}?{query}").buttons


@pytest.mark.parametrize("page", ["", "sannomiya/", "day", "form", "check"])
def test_every_page_asks_for_the_notice_first(resident: Resident, session: Session, card: Card, page: str) -> None:
    slot = free_slot(session)
    paths = {"day": day_path(slot), "form": form_path(slot), "check": f"{form_path(slot)}check"}
    assert resident.open(paths.get(page, f"{START}{page}")).url.startswith("/book/pickup/notice")


def test_other_procedures_ask_for_nothing_but_a_pick_up_along_with_them_does(resident: Resident, session: Session) -> None:
    assert resident.open("/book/certificate/").url == "/book/certificate/"
    assert resident.open("/book/certificate/?also=pickup").url.startswith("/book/certificate/notice")


def test_a_family_shows_a_notice_each_and_books_together(resident: Resident, session: Session, card: Card) -> None:
    samples.ready_card(session, notice_no="DEF222333", birth_date=date(2008, 5, 5))
    slot = free_slot(session, places=2)
    session.commit()
    unlock(resident)
    resident.follow("家族のカードも一緒に受け取る")
    page = resident.press("もう1人分を確認する", number="def222333", birth_year="H20", birth_month="5", birth_day="5")
    assert "2人分の交付通知書を確認しました" in page.text
    to_form(resident, slot)
    resident.press("次の方の入力へ進む", **{**GOOD, **BORN})
    assert resident.page.fields["m2-birth_year"] == "H20" and not resident.page.invalid
    resident.press("確認画面へ進む", **SON)
    resident.press("この内容で予約する", consent="y")
    refs = [claim(session).ref, claim(session, "DEF222333", date(2008, 5, 5)).ref]
    assert [row.pickup_ref for row in stored(session)] == refs


def test_cards_at_different_counters_are_booked_apart(resident: Resident, session: Session, card: Card) -> None:
    samples.ready_card(session, at="tanigami", notice_no="DEF222333")
    session.commit()
    unlock(resident)
    resident.follow("家族のカードも一緒に受け取る")
    page = resident.press("もう1人分を確認する", **{**UNLOCK, "number": "DEF222333"})
    assert (page.status, "同じ窓口では受け取れません" in page.text) == (409, True)


def test_a_further_procedure_of_the_visit_carries_no_card(resident: Resident, session: Session, card: Card) -> None:
    slot = free_slot(session)
    free_slot(session, start_time=slot.end_time, end_time=slot.end_time.replace(hour=11, minute=0))
    unlock(resident)
    query = resident.page.url.partition("?")[2]
    resident.open(f"/book/pickup/?{query}&also=reissue")
    to_form(resident, slot)
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    resident.press("この内容で予約する", consent="y")
    assert [(row.category.code, row.pickup_ref is not None) for row in stored(session)] == [("pickup", True), ("reissue", False)]


def test_another_notice_can_be_shown_instead(resident: Resident, session: Session, card: Card) -> None:
    samples.ready_card(session, at="tanigami", notice_no="DEF222333")
    session.commit()
    unlock(resident)
    resident.follow("別の交付通知書にする")
    resident.press("別の交付通知書で予約する")
    page = resident.press("確認して進む", **{**UNLOCK, "number": "DEF222333"})
    assert [name for name in ("三宮", "谷上") if any(name in words for words in page.links)] == ["谷上"]


# -- one neutral answer -----------------------------------------------------------------------------------------------


def test_every_mismatch_gets_the_same_answer_by_the_same_question(
    resident: Resident, resident_app: Flask, session: Session
) -> None:
    """The same is typed each time; what differs is the card."""
    answers, asked = set(), set()
    for values in (
        {"notice_no": "ZZZ000000"},
        {"birth_date": date(1980, 4, 2)},
        {"state": CardState.RETURNED},
        {"storage_site": None},
        {"reissue_requested": True},
        {"card_expiry": date(2026, 5, 1)},
        {"state": CardState.ISSUED, "issue_done": True},
        {"memo": "期限が過ぎた引換券"},
    ):
        card = samples.ready_card(session, **values)
        if "memo" in values:
            session.execute(update(table_of(PickupTicket)).values(valid_until=today() - timedelta(days=1)))
        session.commit()
        resident.open(START)
        with statements(resident_app) as sent:
            answer = resident.send("確認して進む", **UNLOCK)
        assert (answer.status_code, NEUTRAL in answer.text) == (404, True), values
        answers.add(re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text))
        asked.add(tuple(words for words in sent if "BEGIN" not in words))
        card.notice_no = None
        session.commit()
    assert len(answers) == 1 and len(asked) == 1


def test_what_cannot_be_a_number_is_said_at_its_field_and_costs_no_guess(resident: Resident, session: Session) -> None:
    page = unlock(resident, number="ABC12345", birth_month="13")
    assert page.status == 422 and NEUTRAL not in page.text
    assert "英数字3文字と数字6文字" in page.error_of("number") and page.fields["number"] == "ABC12345"
    page = unlock(resident, number="", birth_year="", birth_month="", birth_day="")
    assert "交付通知書番号を入力してください" in page.error_of("number") and "生年月日を入力してください" in page.text
    page = unlock(resident, number=PERSONAL_NUMBER)
    assert page.status == 422 and PERSONAL_NUMBER not in page.html


def test_neither_number_nor_hash_nor_birth_date_is_in_log_address_page_or_cookie(
    resident: Resident, session: Session, card: Card
) -> None:
    unlock(resident, birth_day="2")
    unlock(resident)
    found, slot = claim(session), free_slot(session)
    session.commit()
    pages = [resident.page.html, to_form(resident, slot).html]
    addresses = [resident.page.url, *resident.page.links.values()]
    cookie = resident.client.get_cookie("resident")
    session.expire_all()
    rows = session.scalars(select(OperationLog)).all()
    told = [str((row.detail, row.action_name, row.client_info)) for row in rows]
    secrets = [NOTICE, "123456", found.mark, found.ref, "昭和55", "1980"]
    assert not [word for word in secrets for text in (*told, *addresses, str(cookie)) if word in text]
    assert not [word for word in (NOTICE, found.mark, found.ref) for text in pages if word in text]
    outcomes = [row.detail["照合"] for row in rows if row.action_code == "reservation.unlock"]
    assert outcomes == ["不一致", "一致"]
    assert NOTICE not in session.scalars(select(BookingDraft.entry)).one()


def test_guesses_are_limited_per_number_from_anywhere_and_right_ones_never(database: House, session: Session, card: Card) -> None:
    with site(database, "resident", limit_lookup="1000 per minute") as app:
        owner, thief = Resident(app.test_client()), Resident(app.test_client())
        assert [unlock(thief, birth_day=f"{n}").status for n in range(2, 13)] == [404] * 10 + [429]
        assert unlock(owner).status == 429, "the number is closed for a day, whoever asks"


def test_a_family_at_one_address_shuts_nobody_out_and_guessers_are(database: House, session: Session, card: Card) -> None:
    with site(database, "resident", limit_lookup="3 per minute") as app:
        assert {unlock(Resident(app.test_client())).status for _ in range(6)} == {200}
        thief = Resident(app.test_client())
        assert [unlock(thief, number=f"ABC00000{n}").status for n in range(4)] == [404] * 3 + [429]


# -- one visit for one card -------------------------------------------------------------------------------------------


def test_who_has_a_visit_is_told_to_change_it(resident: Resident, resident_app: Flask, session: Session, card: Card) -> None:
    slot = free_slot(session)
    unlock(resident)
    to_form(resident, slot)
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    resident.press("この内容で予約する", consent="y")
    page = unlock(Resident(resident_app.test_client()))
    assert (page.status, "すでに予約があります" in page.text, "新しく予約せずに" in page.text) == (409, True, True)
    assert str(stored(session)[0]) not in page.html and str(slot.slot_date.day) + "日（" not in page.text


def test_a_hold_elsewhere_is_said_and_ones_own_is_moved(
    resident: Resident, resident_app: Flask, session: Session, card: Card
) -> None:
    first, second = free_slot(session), free_slot(session, hour=11)
    unlock(resident)
    to_form(resident, first)
    other = Resident(resident_app.test_client())
    assert "ほかの画面で途中" in unlock(other).text
    resident.press("日時を変える")
    resident.open(f"{day_path(second)}?{resident.page.url.partition('?')[2].split('&month')[0]}")
    resident.follow("11:00")
    assert [(row.slot_id, row.state) for row in stored(session)] == [(second.id, ReservationState.HELD)]
    end_hold(session)
    assert unlock(other).status == 200


def test_the_database_and_the_rule_let_one_of_two_forms_have_the_card(session: Session, card: Card) -> None:
    slot = free_slot(session)
    mine = claim(session)
    holds.hold(session, wish(slot, 1, mine), NOW, rng=RNG)
    with pytest.raises(Used):
        holds.hold(session, wish(slot, 2, mine), NOW, rng=RNG)
    later = NOW + timedelta(minutes=11)
    (row,) = holds.hold(session, wish(slot, 2, mine), later, rng=RNG)
    assert row.pickup_ref == mine.ref and in_use(session) == 1
    with pytest.raises(Used):
        holds.confirm(session, request(slot, 1), later, rng=RNG)


def test_a_card_that_was_handed_in_again_can_be_booked_again(session: Session, card: Card) -> None:
    slot = free_slot(session)
    holds.hold(session, wish(slot, 1, claim(session)), NOW, rng=RNG)
    number = holds.confirm(session, request(slot, 1), NOW, rng=RNG)
    session.get_one(Reservation, number).state = ReservationState.NO_SHOW
    session.flush()
    assert holds.hold(session, wish(slot, 2, claim(session)), NOW, rng=RNG)


# -- no way round -----------------------------------------------------------------------------------------------------


def test_nothing_is_held_or_booked_without_a_notice(session: Session, card: Card) -> None:
    slot = free_slot(session)
    for made in (Claim("x" * 22, "m"), None):
        with pytest.raises(NotShown):
            holds.hold(session, wish(slot, 1, *([made] if made else [])), NOW, rng=RNG)
    with pytest.raises(NotShown):
        holds.confirm(session, request(slot), NOW, rng=RNG)
    with pytest.raises(NotShown):
        bookings.book(session, request(slot), NOW, rng=RNG)
    assert in_use(session) == 0 and stored(session) == []


def test_one_notice_is_one_person(session: Session, card: Card) -> None:
    slot = free_slot(session, places=9)
    for claims, people in (((claim(session),), 2), ((claim(session), claim(session)), 2), ((), 2)):
        with pytest.raises(NotShown):
            holds.hold(session, wish(slot, 1, *claims, people=people), NOW, rng=RNG)
    assert in_use(session) == 0


@pytest.mark.parametrize("where", ["another counter", "a day too late", "another counter for two"])
def test_places_out_of_reach_cannot_be_taken(session: Session, card: Card, where: str) -> None:
    card.card_expiry = today() + timedelta(days=8)
    samples.ready_card(session, notice_no="DEF222333")
    session.flush()
    slot = free_slot(session, places=5, days=10) if "late" in where else free_slot(session, places=5, at="tanigami")
    claims = [claim(session), *([claim(session, "DEF222333")] if "two" in where else [])]
    with pytest.raises(slots.NotOffered):
        holds.hold(session, wish(slot, 1, *claims), NOW, rng=RNG)
    assert in_use(session) == 0 and stored(session) == []


def test_tampered_counters_slots_and_people_hold_nothing(resident: Resident, session: Session, card: Card) -> None:
    here, there = free_slot(session), free_slot(session, at="tanigami")
    unlock(resident)
    token, query = csrf(resident, here), resident.page.url.partition("?")[2]
    forged = {"csrf_token": token, "claim-0": f"{'x' * 22} m", "people": "3"}
    for path, slot in ((f"{day_path(there)}?{query}", there), (f"{day_path(here)}?{query}", there), (day_path(here), here)):
        answer = apart(resident.client.post, path, data={**forged, "slot": str(slot.id)})
        assert answer.status_code == 404 or "/notice" in answer.headers["Location"], path
        assert (in_use(session), stored(session)) == (0, [])
    apart(resident.client.post, f"{day_path(here)}?{query}&people=3", data={**forged, "slot": str(here.id)})
    assert [row.slot_id for row in stored(session)] == [here.id], "as many as have shown a notice, whatever the address says"


def csrf(resident: Resident, slot: Slot) -> str:
    resident.follow(slot.counter.name)
    return resident.page.fields["csrf_token"]


def test_a_card_that_is_withdrawn_meanwhile_is_not_booked_and_costs_no_entry(
    resident: Resident, session: Session, card: Card
) -> None:
    slot = free_slot(session)
    unlock(resident)
    to_form(resident, slot)
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    card.reissue_requested = True
    session.commit()
    page = resident.press("この内容で予約する", consent="y")
    assert page.url.startswith("/book/pickup/notice") and "いまは予約できません" in page.text
    assert [row.state for row in stored(session)] == [ReservationState.HELD]
    assert NEUTRAL in resident.press("確認して進む", **UNLOCK).text if "確認して進む" in resident.page.buttons else True
    card.reissue_requested = False
    session.commit()
    resident.press("確認して進む", **UNLOCK)
    to_form(resident, slot)
    assert "この内容で予約する" in resident.page.buttons and GOOD["name"] in resident.page.text


def test_a_hold_that_ended_is_taken_again_for_the_same_card(resident: Resident, session: Session, card: Card) -> None:
    slot = free_slot(session)
    unlock(resident)
    to_form(resident, slot)
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    end_hold(session)
    resident.press("この内容で予約する", consent="y")
    (made,) = [row for row in stored(session) if row.state is ReservationState.BOOKED]
    assert made.pickup_ref == claim(session).ref


def test_a_day_that_runs_out_of_reach_before_the_booking_is_refused(session: Session, card: Card) -> None:
    slot = free_slot(session, days=10)
    holds.hold(session, wish(slot, 1, claim(session)), NOW, rng=RNG)
    card.card_expiry = today() + timedelta(days=8)
    session.flush()
    with pytest.raises(NotShown):
        holds.confirm(session, request(slot), NOW, rng=RNG)


def test_a_drafts_card_opens_in_no_other_browser(resident: Resident, resident_app: Flask, session: Session, card: Card) -> None:
    unlock(resident)
    other = Resident(resident_app.test_client())
    assert other.open(resident.page.url).url.startswith("/book/pickup/notice")


# -- waiting and changing by oneself ----------------------------------------------------------------------------------


def may(session: Session, **flags: bool) -> None:
    asked = update(BookingCategory).where(BookingCategory.code == "pickup").values(**flags)
    session.execute(asked, execution_options={"by_rule": "test"})
    session.commit()


def test_who_waits_for_a_full_day_waits_for_their_card(resident: Resident, session: Session, card: Card) -> None:
    may(session, takes_waiting=True)
    slot = free_slot(session, places=1, used=1)
    session.commit()
    unlock(resident)
    resident.open(f"{day_path(slot)}?{resident.page.url.partition('?')[2]}")
    resident.follow("空き待ちに登録する")
    assert resident.press("登録する", name="待つ 人", phone="0782222222").status == 200
    slot.used = 0
    session.commit()
    assert waiting.look_after(session, NOW) == 1
    session.commit()
    assert [row.pickup_ref for row in stored(session)] == [claim(session).ref]
    resident.open(resident.page.url)
    resident.press("予約に進む")
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    resident.press("この内容で予約する", consent="y")
    assert [(row.state, row.pickup_ref) for row in stored(session)] == [(ReservationState.BOOKED, claim(session).ref)]


def test_nobody_waits_without_a_notice_or_for_a_day_out_of_reach(session: Session, card: Card) -> None:
    may(session, takes_waiting=True)
    card.card_expiry = today() + timedelta(days=8)
    slot, late = free_slot(session, places=1, used=1), free_slot(session, days=10, places=1, used=1)
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    person: dict[str, Any] = {
        "people": 1,
        "name": "待つ 人",
        "phone": "0782222222",
        "email": "",
        "language": Language.JA,
        "now": NOW,
    }
    with pytest.raises(NotShown):
        waiting.join(session, category, slot.counter, slot.slot_date, **person)
    with pytest.raises(slots.NotOffered):
        waiting.join(session, category, late.counter, late.slot_date, **person, cards=[claim(session)])


def test_a_withdrawn_card_is_offered_nothing(session: Session, card: Card) -> None:
    may(session, takes_waiting=True)
    slot = free_slot(session, places=1, used=1)
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    person: dict[str, Any] = {
        "people": 1,
        "name": "待つ 人",
        "phone": "0782222222",
        "email": "",
        "language": Language.JA,
        "now": NOW,
    }
    waiting.join(session, category, slot.counter, slot.slot_date, **person, cards=[claim(session)])
    card.reissue_requested, slot.used = True, 0
    session.flush()
    assert (waiting.look_after(session, NOW), in_use(session)) == (0, 0)


def test_who_moves_by_themselves_stays_in_reach(resident: Resident, session: Session, card: Card) -> None:
    may(session, self_change=True)
    card.card_expiry = today() + timedelta(days=9)
    slot, near, late = free_slot(session), free_slot(session, days=7), free_slot(session, days=11)
    there = free_slot(session, at="tanigami")
    unlock(resident)
    to_form(resident, slot)
    resident.press("確認画面へ進む", **{**GOOD, **BORN})
    resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    for other in (late, there):
        with pytest.raises(slots.NotOffered):
            regroup.move_party(session, [made], other.id, Channel.WEB, NOW)
    session.rollback()
    page = resident.follow("日時を変更する")
    assert "谷上" not in page.html.partition("<main")[2].partition("<form method")[0]
    resident.press(f"{near.start_time.hour}:00")
    assert [row.slot_id for row in stored(session)] == [near.id]
    with pytest.raises(Conflict):
        regroup.add_person(session, made, [made], PERSON, NOW, rng=RNG)
    card.reissue_requested = True
    session.commit()
    with pytest.raises(pickups.NotReady):
        regroup.move_party(session, stored(session), slot.id, Channel.WEB, NOW)


# -- in other languages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja_easy", "en", "zh", "ko", "vi"])
def test_another_language_keeps_what_is_typed_and_costs_no_guess(
    database: House, session: Session, card: Card, language: str
) -> None:
    with site(database, "resident", limit_lookup="1 per minute") as app:
        someone = Resident(app.test_client())
        someone.open(START)
        label = Language(language).label
        for chosen in (label, "日本語", label):
            page = someone.press(chosen, **{**UNLOCK, "birth_day": "2"})
            assert (page.status, page.fields["number"], page.fields["birth_day"]) == (200, NOTICE, "2")
        assert "交付通知書の番号を入力してください" not in page.text and "番号か生年月日が" not in page.text
        button = next(words for words, adds in page.adds.items() if not adds and words != label)
        assert someone.press(button, **UNLOCK).url.startswith("/book/pickup/?")


# -- the office -------------------------------------------------------------------------------------------------------


def test_whoever_books_for_somebody_may_do_without_a_number_or_with_it(
    caller: Resident,  # noqa: F811 - the fixture
    session: Session,
    card: Card,
) -> None:
    slot, elsewhere = (free_slot(session, at=at, channel=Channel.CALLCENTER) for at in ("sannomiya", "tanigami"))
    page = caller.open("/operator/book/pickup/")
    assert all(any(name in words for words in page.links) for name in ("三宮", "谷上"))
    caller.follow("交付通知書の番号を確認する")
    page = caller.press("確認して進む", **UNLOCK)
    assert not any("谷上" in words for words in page.links)
    to_form(caller, slot)
    caller.press("確認画面へ進む", **{**GOOD, **BORN, "intake": "phone"})
    caller.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    assert made.pickup_ref == claim(session).ref
    found = caller.open("/operator/") and caller.press("探す", q="abc-123456")
    assert str(made) in found.links
    caller.open(f"/operator{day_path(elsewhere)}")
    caller.follow("10:00")
    caller.press("確認画面へ進む", **{**GOOD, "phone": "0789999999", "intake": "phone"})
    caller.press("この内容で予約する", consent="y")
    assert [row.pickup_ref is None for row in stored(session)] == [False, True]


# -- what the rules offer ---------------------------------------------------------------------------------------------


def test_times_of_a_party_are_those_in_reach(session: Session, card: Card) -> None:
    card.card_expiry = today() + timedelta(days=8)
    here, late, there = free_slot(session, days=6), free_slot(session, days=9), free_slot(session, at="tanigami")
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    reach = pickups.reach(session, [claim(session)], NOW)
    for people in (1, 2):
        party = parties.Party(categories=(category,), people=people, reach=reach)

        def ask(what: Callable[..., Any], *more: Any, party: parties.Party = party) -> Any:
            return what(session, party, *more, NOW)

        assert [o.slot_id for _, o in ask(parties.earliest, Channel.WEB)] == [here.id]
        for slot in (late, there):
            assert not ask(parties.day, slot.counter, Channel.WEB, slot.slot_date)
            on = ask(parties.month, slot.counter, Channel.WEB, slot.slot_date.year, slot.slot_date.month)[slot.slot_date.day - 1]
            assert not on.is_open
        wished = datetime.combine(late.slot_date, late.start_time)
        near = parties.near(session, party, here.counter, Channel.WEB, wished, NOW)
        assert [o.slot_id for o in near] == [here.id]
        assert parties.near(session, party, there.counter, Channel.WEB, wished, NOW) == []


def test_each_counter_is_offered_from_its_own_day(session: Session) -> None:
    """A ticket may name several counters; the later one only from its day on."""
    first, early, second = (
        free_slot(session, days=5),
        free_slot(session, days=5, at="tanigami"),
        free_slot(session, days=9, at="tanigami"),
    )
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    until = today() + timedelta(days=30)
    reach = pickups.Reach({first.counter_id: today(), early.counter_id: today() + timedelta(days=7)}, until)
    party = parties.Party(categories=(category,), reach=reach)
    assert [o.slot_id for _, o in parties.earliest(session, party, Channel.WEB, NOW)] == [first.id, second.id]
    assert slots.window(category, NOW, Channel.WEB, reach.days(second.counter_id)) == (today() + timedelta(days=7), until)
