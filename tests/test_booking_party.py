"""The residents' pages of holds, households, further procedures, postal codes and papers, over HTTP as a browser without script."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urljoin

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.rules import holds
from models import BookingCategory, Reservation, ReservationState, Slot
from tests.booking_pages import GOOD, Page, Resident, apart, day_path, free_slot, in_use, log, stored

HELD, BOOKED, EXPIRED = ReservationState.HELD, ReservationState.BOOKED, ReservationState.EXPIRED
SON = {
    "m2-name": "髙橋 一郎",
    "m2-name_kana": "タカハシ イチロウ",
    "m2-birth_year": "H20",
    "m2-birth_month": "5",
    "m2-birth_day": "5",
}


def choose(resident: Resident, slot: Slot, asked: str = "") -> Page:
    """The form, reached by choosing a time."""
    resident.open(day_path(slot) + asked)
    return resident.follow(f"{slot.start_time.hour}:{slot.start_time.minute:02}")


def end_hold(session: Session) -> None:
    """Ten minutes pass."""
    holds.expire(session, datetime.now(UTC) + timedelta(minutes=11))
    session.commit()


# -- holds ------------------------------------------------------------------------------------------------------------


def test_a_chosen_time_is_kept_and_the_page_says_until_when(resident: Resident, session: Session) -> None:
    page = choose(resident, free_slot(session, places=1))
    (held,) = stored(session)
    assert (held.state, in_use(session)) == (HELD, 1)
    assert "までおさえています" in page.text and "もう10分おさえる" in page.buttons
    assert [row.action_code for row in log(session)] == ["reservation.hold"]


def test_the_time_is_full_for_the_next_one_while_it_is_kept(resident: Resident, resident_app: Flask, session: Session) -> None:
    slot = free_slot(session, places=1)
    choose(resident, slot)
    other = Resident(resident_app.test_client())
    assert "満席" in other.open(day_path(slot)).text
    answer = apart(other.client.post, day_path(slot), data={"slot": str(slot.id), "csrf_token": other.page.fields["csrf_token"]})
    assert answer.status_code == 409 and "いま満席になりました" in answer.text


def test_more_time_is_given_once_and_nothing_typed_is_lost(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session))
    page = resident.press("もう10分おさえる", **GOOD)
    assert "もう10分、この時間をおさえました。" in page.text
    assert page.fields["name"] == GOOD["name"] and "もう10分おさえる" not in page.buttons
    check = resident.press("確認画面へ進む")
    assert "この内容で予約する" in check.buttons


def test_more_time_is_given_on_the_check_page_too(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session))
    resident.press("確認画面へ進む", **GOOD)
    page = resident.press("もう10分おさえる")
    assert "この内容で予約する" in page.buttons
    resident.press("この内容で予約する", consent="y")
    assert [row.state for row in stored(session)] == [BOOKED]


def test_giving_up_frees_the_place_at_once(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session))
    page = resident.press("予約をやめる", **GOOD)
    assert (page.url.split("?")[0], stored(session), in_use(session)) == ("/", [], 0)


def test_who_took_too_long_books_all_the_same_while_the_time_is_free(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session, places=1))
    check = resident.press("確認画面へ進む", **GOOD)
    end_hold(session)
    assert in_use(session) == 0
    assert "時間をおさえるのを終わりました" in resident.open(check.url).text
    assert "予約を受け付けました" in resident.press("この内容で予約する", consent="y").text
    assert ([row.state for row in stored(session)], in_use(session)) == ([BOOKED], 1)


def test_who_took_too_long_for_the_last_place_keeps_the_entry_and_gets_other_times(
    resident: Resident, resident_app: Flask, session: Session
) -> None:
    slot = free_slot(session, places=1)
    free_slot(session, hour=14)
    choose(resident, slot)
    resident.press("確認画面へ進む", **GOOD)
    end_hold(session)
    choose(Resident(resident_app.test_client()), slot)
    answer = resident.press("この内容で予約する", consent="y")
    assert (answer.status, "いま満席になりました" in answer.text) == (409, True)
    check = resident.follow("14:00")
    assert check.fields["name"] == GOOD["name"] and "この内容で予約する" in check.buttons


def test_another_time_moves_the_hold(resident: Resident, session: Session) -> None:
    first, second = free_slot(session), free_slot(session, hour=14)
    choose(resident, first)
    resident.press("日時を変える", **GOOD)
    resident.open(urljoin(resident.page.url, f"{first.slot_date}/{resident.page.url[resident.page.url.index('?') :]}"))
    resident.follow("14:00")
    session.expire_all()
    assert (first.used, second.used, len(stored(session))) == (0, 1, 1)


@pytest.mark.parametrize("slot", ["", "x", "-1", "0", "9" * 19, "9" * 40, "１", "1 OR 1=1"])
def test_forged_slots_hold_nothing(resident: Resident, session: Session, slot: str) -> None:
    place = free_slot(session)
    resident.open(day_path(place))
    answer = resident.send("10:00", slot=slot)
    assert answer.status_code == 404 and "予約を受け付けていません" in answer.text
    assert (stored(session), in_use(session)) == ([], 0)


def test_a_third_time_at_once_is_refused_with_the_reason(resident: Resident, session: Session) -> None:
    places = [free_slot(session, hour=hour) for hour in (10, 11, 14)]
    for slot in places[:2]:
        choose(resident, slot)
    resident.open(day_path(places[2]))
    answer = resident.send("14:00")
    assert answer.status_code == 429 and "同時におさえられる時間は2つまでです" in answer.text


def test_who_types_faster_than_anybody_is_asked_again_and_loses_nothing(
    resident: Resident, resident_app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(resident_app.config, "FORM_SECONDS", 60)
    choose(resident, free_slot(session))
    page = resident.press("確認画面へ進む", **GOOD)
    assert "数秒たってから" in page.text and page.fields["name"] == GOOD["name"]


def test_the_unseen_box_catches_programs_and_lets_people_go_on(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session))
    page = resident.press("確認画面へ進む", **GOOD, website="http://spam.example")
    assert "自動入力のしくみ" in page.text and page.fields["website"] == ""
    assert "この内容で予約する" in resident.press("確認画面へ進む").buttons


# -- households and further procedures --------------------------------------------------------------------------------


def test_a_household_books_one_page_for_each_person_and_all_at_once(resident: Resident, session: Session) -> None:
    first = free_slot(session, places=1)
    free_slot(session, places=1, start_time=first.end_time, end_time=time(11))
    page = choose(resident, first, "?people=2")
    assert "1人目（全2人）" in page.text and "10:00に1人、10:30に1人" in page.text
    page = resident.press("次の方の入力へ進む", **GOOD)
    assert "2人目（全2人）" in page.text and "postal_code" in page.fields
    check = resident.press("確認画面へ進む", **SON)
    assert all(name in check.text for name in ("髙橋 花子", "髙橋 一郎"))
    done = resident.press("この内容で予約する", consent="y")
    rows = stored(session)
    assert [(row.name, row.state, row.phone) for row in rows] == [
        ("髙橋 花子", BOOKED, "0781234567"),
        ("髙橋 一郎", BOOKED, "0781234567"),
    ]
    assert len({row.group_id for row in rows}) == 1 and all(str(row) in done.text for row in rows)


def test_what_is_wrong_with_the_second_person_is_said_on_their_page(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session), "?people=2")
    resident.press("次の方の入力へ進む", **GOOD)
    page = resident.press("確認画面へ進む", **{**SON, "m2-name_kana": "漢字", "m2-birth_day": "40"})
    assert "2人目" in page.text and page.fields["m2-name"] == "髙橋 一郎"
    assert page.error_of("m2-name_kana").startswith("フリガナ") and page.fields["name"] == GOOD["name"]
    resident.press("確認画面へ進む", **SON)
    assert "この内容で予約する" in resident.page.buttons


def test_a_household_that_fits_nowhere_finds_no_time_of_the_day(resident: Resident, session: Session) -> None:
    slot = free_slot(session, places=1)
    page = resident.open(day_path(slot) + "?people=2")
    assert "満席" in page.text and "10:00" not in " ".join(page.buttons)


@pytest.mark.parametrize("people", ["0", "-3", "99", "x", "9" * 30, "２"])
def test_forged_numbers_of_people_become_as_many_as_can_be(resident: Resident, session: Session, people: str) -> None:
    slot = free_slot(session, places=9)
    assert resident.open(f"{day_path(slot)}?people={people}").status == 200
    resident.follow("10:00")
    assert 1 <= len(stored(session)) <= 4


def test_two_procedures_are_booked_one_after_the_other(resident: Resident, session: Session) -> None:
    first = free_slot(session)
    free_slot(session, start_time=first.end_time, end_time=time(11))
    resident.open("/book/pickup/?also=reissue")
    assert "カードを受け取る" in resident.page.text
    page = choose(resident, first, "?also=reissue")
    assert "10:00 カードを受け取る" in page.text
    resident.press("確認画面へ進む", **GOOD)
    resident.press("この内容で予約する", consent="y")
    rows = stored(session)
    assert [(row.category.code, row.start_time) for row in rows] == [("pickup", time(10)), ("reissue", time(10, 30))]


def test_a_seal_is_worth_nothing_for_other_procedures(resident: Resident, session: Session) -> None:
    first = free_slot(session)
    free_slot(session, start_time=first.end_time, end_time=time(11))
    choose(resident, first)
    check = resident.press("確認画面へ進む", **GOOD)
    fields = {**check.fields, "consent": "y"}
    action = check.buttons["この内容で予約する"]
    answer = apart(resident.client.post, urljoin(check.url, f"{action}&also=reissue"), data=fields)
    assert answer.status_code == 303 and "/check" in answer.headers["Location"]
    assert BOOKED not in [row.state for row in stored(session)]


def test_the_same_person_on_the_same_day_is_told_how_to_change(resident: Resident, resident_app: Flask, session: Session) -> None:
    slot, other = free_slot(session), free_slot(session, hour=14)
    resident.book(slot)
    second = Resident(resident_app.test_client())
    choose(second, other)
    second.press("確認画面へ進む", **GOOD)
    page = second.press("この内容で予約する", consent="y")
    assert "同じ手続きの予約がすでにあります" in page.text and "この内容で予約する" in page.buttons
    assert [row.state for row in stored(session)] == [BOOKED, HELD]


# -- postal code ------------------------------------------------------------------------------------------------------


def test_a_postal_code_gives_its_town_without_a_script(resident: Resident, session: Session) -> None:
    choose(resident, free_slot(session))
    page = resident.press("郵便番号から住所を入れる", name="髙橋", postal_code="６５０−０００１")
    assert page.fields["address"] == "兵庫県神戸市中央区加納町" and page.fields["name"] == "髙橋"
    kept = resident.press("郵便番号から住所を入れる", address="手で入れた住所")
    assert kept.fields["address"] == "手で入れた住所" and "すでに入力されています" in kept.text
    assert "見つかりません" in resident.press("郵便番号から住所を入れる", address="", postal_code="0000000").text


@pytest.mark.parametrize(("typed", "town"), [("6500001", "兵庫県神戸市中央区加納町"), ("x", ""), ("9" * 300, ""), ("", "")])
def test_the_script_of_the_form_asks_for_a_town(resident: Resident, session: Session, typed: str, town: str) -> None:
    page = choose(resident, free_slot(session))
    answer = apart(resident.client.post, "/postal", data={"csrf_token": page.fields["csrf_token"], "postal_code": typed})
    assert answer.json == {"address": town}


# -- papers -----------------------------------------------------------------------------------------------------------


def test_the_papers_of_a_booking(resident: Resident, resident_app: Flask, session: Session) -> None:
    done = resident.book(free_slot(session), email="hanako@example.jp")
    (made,) = stored(session)
    assert "<svg" in done.html and "hanako@example.jp" in done.text
    files = {words: urljoin(done.url, href) for words, href in done.links.items()}
    large = resident.open(files["大きな文字の予約票を表示する"])
    assert str(made) in large.text and 'class="slip large"' in large.html
    answer = apart(resident.client.get, files["予定表（カレンダー）に入れるファイル"])
    (event,) = Calendar.from_ical(answer.data).walk("VEVENT")
    assert (answer.content_type, str(event["UID"]).partition("@")[0]) == ("text/calendar; charset=utf-8", made.booking_code)
    for address in files.values():
        if "/visit/" in address:
            other = apart(resident_app.test_client().get, address)
            assert (other.status_code, other.headers["Location"]) == (303, "/lookup?instead=yes")


def test_every_category_of_the_demo_takes_a_household(session: Session) -> None:
    assert all(most > 1 for most in session.scalars(select(BookingCategory.max_party)))
    assert session.scalars(select(Reservation)).all() == []
