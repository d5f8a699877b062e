"""The steps twice, at once and out of order: one form is one booking, and nothing that was typed is lost."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import jobs
from app.rules import drafts
from booking import words
from models import BookingCategory, BookingDraft, DraftStep, ReservationState
from models.drafts import LONGEST_ENTRY
from tests.booking_pages import GOOD, Page, Resident, apart, counter, day_path, form_path, free_slot, in_use, log, stored, today
from tests.sites import statements


def test_confirming_twice_is_one_booking_with_one_code(resident: Resident, session: Session) -> None:
    check = resident.to_check(free_slot(session))
    codes = set()
    for _ in range(3):
        resident.page = check
        codes.add(re.findall(r'class="code">([^<]+)', resident.press("この内容で予約する", consent="y").html)[0])
    assert len(codes) == len(stored(session)) == in_use(session) == 1


def test_confirming_twice_at_the_same_moment_is_one_booking(resident_app: Flask, resident: Resident, session: Session) -> None:
    """Both copies are under way together, also when only one place is left."""
    check = resident.to_check(free_slot(session, places=1))
    cookie, path, fields = (
        resident.client.get_cookie("resident"),
        check.buttons["この内容で予約する"],
        {**check.fields, "consent": "y"},
    )
    session.commit()
    assert cookie
    start, answers = threading.Barrier(6), []

    def send() -> None:
        client = resident_app.test_client()
        client.set_cookie("resident", cookie.value)
        start.wait()
        answers.append(client.post(path, data=fields).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 6
    assert len(stored(session)) == in_use(session) == 1


def test_two_tabs_are_two_bookings(visitor: FlaskClient, session: Session) -> None:
    slot = free_slot(session)
    first, second = Resident(visitor), Resident(visitor)
    first.to_check(slot)
    second.to_check(slot, name="髙橋 次郎")
    first.press("この内容で予約する", consent="y")
    second.press("この内容で予約する", consent="y")
    assert [made.name for made in stored(session)] == ["髙橋 花子", "髙橋 次郎"]
    assert in_use(session) == 2


@pytest.mark.parametrize("page", ["form", "check", "month", "times"])
def test_whoever_goes_back_after_booking_finds_the_booking(resident: Resident, session: Session, page: str) -> None:
    check = resident.to_check(free_slot(session))
    month = resident.follow("日時を変える")
    times = resident.follow("空きあり")
    pages = {"form": check.url.replace("/check", "/"), "check": check.url, "month": month.url, "times": times.url}
    resident.page = check
    resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    answer = resident.open(pages[page])
    assert (answer.status, "すでに予約を受け付けています" in answer.text, str(made) in answer.text) == (200, True, True)
    assert made.booking_code not in answer.url
    assert resident.follow("新しく予約する").status == 200
    assert not resident.page.text.count("残っています"), "a further booking begins with nothing"


def test_a_page_left_open_sends_no_second_booking(resident: Resident, session: Session) -> None:
    """The form and the check page as they were, in a second tab or kept by the browser, with other words in them."""
    slot, other = free_slot(session), free_slot(session, hour=14)
    form = resident.to_form(slot)
    check = resident.press("確認画面へ進む", **GOOD)
    resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    for left_open, button in ((form, "確認画面へ進む"), (form, "日時を変える"), (check, "この内容で予約する")):
        resident.page = left_open
        answer = resident.press(button, **{**GOOD, "name": "髙橋 次郎"}, consent="y")
        assert (answer.status, str(made) in answer.text) == (200, True), button
    resident.page = check
    check.buttons["この内容で予約する"] = f"{form_path(other)}confirm"
    assert str(made) in resident.press("この内容で予約する", consent="y").text
    assert (len(stored(session)), in_use(session)) == (1, 1)


def test_a_booking_that_was_cancelled_is_not_called_booked(resident: Resident, session: Session) -> None:
    check = resident.to_check(free_slot(session))
    done = resident.press("この内容で予約する", consent="y")
    stored(session)[0].state = ReservationState.CANCELLED
    for url in (check.url, done.url):
        answer = resident.open(url)
        assert "キャンセルされています" in answer.text
        assert "受け付け" not in answer.text


# -- times that cannot be had any more --------------------------------------------------------------------------------


def test_last_place_taken_meanwhile_offers_other_times_and_keeps_the_entry(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session, places=1), free_slot(session, hour=14)
    free_slot(session, at="tanigami", hour=16)
    resident.to_check(slot)
    slot.used = 1
    answer = resident.press("この内容で予約する", consent="y")
    assert answer.status == 409
    assert "いま満席になりました" in answer.text
    assert f"{words.full_day(slot.slot_date)} 10:00から" in answer.text, "it says which time was lost"
    assert "078-000-0000" in answer.text
    assert any("谷上サテライト" in words for words in answer.buttons)
    check = resident.follow("14:00")
    assert (check.status, check.fields["name"]) == (200, "髙橋 花子")
    assert str(other.id) in check.buttons["この内容で予約する"]
    resident.press("この内容で予約する", consent="y")
    assert [(made.slot_id, made.name) for made in stored(session)] == [(other.id, "髙橋 花子")]
    (refused, _) = [row for row in log(session) if row.action_code == "reservation.book"]
    assert "満席" in refused.detail["結果"]


def test_slot_full_before_the_form_offers_other_times(resident: Resident, session: Session) -> None:
    slot = free_slot(session, places=1, used=1)
    free_slot(session, hour=14)
    answer = resident.to_form(slot)
    assert answer.status == 409
    assert resident.follow("14:00").status == 200


def test_nothing_free_anywhere_says_so(resident: Resident, session: Session) -> None:
    answer = resident.to_form(free_slot(session, places=1, used=1))
    assert "どの窓口にも空きがありません" in answer.text


def test_time_that_closed_while_the_form_was_filled_in_keeps_the_entry(resident: Resident, session: Session) -> None:
    slot = free_slot(session, days=3)
    free_slot(session, days=10)
    resident.to_check(slot)
    session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one().latest_days = 4
    answer = resident.press("この内容で予約する", consent="y")
    assert answer.status == 404
    assert "受け付けていません" in answer.text
    assert not stored(session)
    assert resident.follow("10:00").fields["name"] == "髙橋 花子"


@pytest.mark.parametrize("button", ["確認画面へ進む", "この内容で予約する"])
def test_every_step_offers_other_times_when_its_own_has_gone(resident: Resident, session: Session, button: str) -> None:
    slot, other = free_slot(session), free_slot(session, hour=15)
    page = resident.to_form(slot) if button == "確認画面へ進む" else resident.to_check(slot)
    counter(session, "tanigami").is_open = False
    slot.start_time, slot.slot_date = slot.start_time.replace(hour=9), today() + timedelta(days=90)
    resident.page = page
    answer = resident.press(button, **GOOD, consent="y")
    assert (answer.status, "入力した内容は残っています" in answer.text) == (404, True)
    check = resident.follow("15:00")
    assert check.fields["name"] == "髙橋 花子"
    assert str(other.id) in check.buttons["この内容で予約する"]


# -- choosing again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "way"),
    [
        ("手続きを変える", ("カードを受け取る", "三宮サテライト", "14:00")),
        ("場所を変える", ("三宮サテライト", "14:00")),
        ("日時を変える", ("14:00",)),
    ],
)
@pytest.mark.parametrize("step", ["form", "check"])
def test_choosing_again_brings_the_entry_back_where_the_person_left(
    resident: Resident, session: Session, what: str, way: tuple[str, ...], step: str
) -> None:
    slot, other = free_slot(session, hour=16), free_slot(session, hour=14)
    if step == "form":
        resident.to_form(slot)
        resident.press(what, name="髙橋 花子", message="二人で行きます。")
    else:
        resident.to_check(slot, message="二人で行きます。")
        resident.follow(what)
    assert "入力した内容は残っています" in resident.page.text
    for words_of_link in way:
        resident.follow(words_of_link)
    assert (resident.page.fields["name"], resident.page.fields["message"]) == ("髙橋 花子", "二人で行きます。")
    assert str(other.id) in resident.page.url
    assert not resident.page.invalid, "nobody is blamed for what they have not sent yet"
    if step == "check":
        resident.press("この内容で予約する", consent="y")
        assert [made.slot_id for made in stored(session)] == [other.id]


def test_turning_months_and_days_keeps_the_entry_too(resident: Resident, session: Session) -> None:
    free_slot(session, days=44)
    resident.to_check(free_slot(session))
    resident.follow("日時を変える")
    while onward := [link for link in resident.page.links if "▶" in link]:
        resident.follow(onward[0])
    later = today() + timedelta(days=44)
    resident.follow(f"{later.month}月{later.day}日")
    assert resident.follow("10:00").fields["name"] == "髙橋 花子"


def test_enter_in_a_field_goes_on_to_the_check_page(resident: Resident, session: Session) -> None:
    """A browser presses the first button of a form; that must not be one that leads away."""
    page = resident.to_form(free_slot(session))
    first = next(attrs for tag, attrs in page.tags if tag == "button")
    assert "name" not in first


# -- pages that can be asked for again --------------------------------------------------------------------------------


def test_every_answer_to_a_sent_form_leads_to_a_page_that_can_be_asked_for_again(resident: Resident, session: Session) -> None:
    slot = free_slot(session, places=1)
    for typed in ({}, GOOD):
        resident.to_form(slot)
        assert resident.send("確認画面へ進む", **typed).status_code == 303
    resident.press("確認画面へ進む", **GOOD)
    for consent, seal in (("", None), ("y", "forged")):
        fields = {"consent": consent} if seal is None else {"consent": consent, "seal": seal}
        assert resident.send("この内容で予約する", **fields).status_code == 303
    slot.used = 1
    assert resident.send("この内容で予約する", consent="y").status_code == 303


def test_reloading_and_going_back_show_what_was_sent(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    form = resident.page.url
    wrong = resident.press("確認画面へ進む", **{**GOOD, "phone": "12"})
    assert resident.open(wrong.url).error_of("phone")
    check = resident.press("確認画面へ進む", phone="0781234567")
    assert resident.open(check.url).fields == check.fields
    assert resident.open(form).fields["phone"] == "0781234567"
    resident.page = check
    done = resident.press("この内容で予約する", consent="y")
    assert resident.open(done.url).text == done.text
    resident.page = check
    assert resident.press("この内容で予約する", consent="y").text == done.text
    assert len(stored(session)) == 1


def test_two_tabs_do_not_mix(visitor: FlaskClient, session: Session) -> None:
    slot = free_slot(session)
    first, second = Resident(visitor), Resident(visitor)
    first.to_check(slot)
    second.to_check(slot, name="髙橋 次郎")
    assert [tab.open(tab.page.url).fields["name"] for tab in (first, second)] == ["髙橋 花子", "髙橋 次郎"]


def test_a_copied_address_shows_nothing_in_another_browser(resident_app: Flask, resident: Resident, session: Session) -> None:
    check = resident.to_check(free_slot(session))
    stranger = Resident(resident_app.test_client())
    stranger.open("/book/")
    stranger.to_form(free_slot(session, hour=11))
    for url in (check.url, check.url.replace("/check", "/")):
        assert "髙橋" not in stranger.open(url).html


def test_draft_that_ran_out_is_told_on_every_page(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    form = resident.page.url
    check = resident.press("確認画面へ進む", **GOOD)
    away = resident.follow("日時を変える")
    with time_machine.travel(datetime.now(UTC) + drafts.KEPT + timedelta(minutes=1)):
        for url in (form, check.url, away.url):
            page = resident.open(url)
            assert (page.status, "入力していた内容は残っていません" in page.text) == (200, True), url
            assert "髙橋" not in page.html
        resident.page = check
        assert "予約を受け付けました" in resident.press("この内容で予約する", consent="y").text, (
            "the check page holds all by itself"
        )


def test_strangers_cannot_fill_the_table_of_drafts(resident: Resident, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = free_slot(session)
    monkeypatch.setattr(drafts, "MOST", 3)
    pages = [resident.to_check(slot, name=f"山田 {name}") for name in "一二三四五"]
    assert len(session.scalars(select(BookingDraft)).all()) == 3
    shown = [resident.open(page.url).fields.get("name") for page in pages]
    assert shown == ["", "", "山田 三", "山田 四", "山田 五"]


def test_no_entry_is_longer_than_a_person_types(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, "message": "a" * 30_000})
    assert (answer.status, "多すぎます" in answer.text) == (413, True)
    assert not session.scalars(select(BookingDraft)).all()


def test_the_database_refuses_too_long_an_entry_as_well(session: Session) -> None:
    values = {"key": "k", "step": DraftStep.TYPED, "told": "", "kept_at": datetime.now(UTC)}
    with pytest.raises(IntegrityError):
        session.execute(insert(BookingDraft).values(entry="x" * (LONGEST_ENTRY + 1), **values))


def test_drafts_are_swept_away(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session))
    for after, left in ((timedelta(minutes=59), 1), (timedelta(minutes=61), 0)):
        jobs.EVERY_HOUR["予約の下書きの整理"](session, datetime.now(UTC) + after)
        assert len(session.scalars(select(BookingDraft)).all()) == left


# -- what was not shown is not booked ---------------------------------------------------------------------------------


@pytest.mark.parametrize("without", ["form_token", "seal", "name", "csrf_token"])
def test_confirming_without_an_earlier_step_books_nothing(resident: Resident, session: Session, without: str) -> None:
    resident.to_check(free_slot(session))
    answer = resident.press("この内容で予約する", consent="y", **{without: None})
    assert "予約を受け付けました" not in answer.text
    assert not stored(session)
    assert in_use(session) == 0


@pytest.mark.parametrize(("field", "value"), [("name", "別の 人"), ("phone", "09011112222"), ("form_token", "x" * 43)])
def test_confirming_something_else_than_was_shown_shows_it_first(
    resident: Resident, session: Session, field: str, value: str
) -> None:
    resident.to_check(free_slot(session))
    answer = resident.press("この内容で予約する", consent="y", **{field: value})
    assert "もう一度、内容をお確かめください" in answer.text
    assert answer.fields[field] == value
    assert not stored(session)


def test_draft_that_changed_in_another_tab_is_shown_before_it_is_booked(visitor: FlaskClient, session: Session) -> None:
    """Both tabs show the same form, one of them an older state of it."""
    first, second = Resident(visitor), Resident(visitor)
    first.to_check(free_slot(session))
    second.open(first.page.url.replace("/check", "/"))
    second.press("確認画面へ進む", name="髙橋 次郎")
    first.page.fields["name"] = first.open(first.page.url).fields["name"]
    first.press("この内容で予約する", consent="y")
    assert [made.name for made in stored(session)] == ["髙橋 次郎"]


def test_seal_of_one_slot_does_not_confirm_another(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session), free_slot(session, hour=14)
    check = resident.to_check(slot)
    check.buttons["この内容で予約する"] = f"{form_path(other)}confirm"
    assert "もう一度、内容をお確かめください" in resident.press("この内容で予約する", consent="y").text
    assert not stored(session)


# -- cookies that were lost -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["確認画面へ進む", "この内容で予約する"])
def test_lost_cookie_brings_the_entry_back_to_be_sent_again(resident: Resident, session: Session, button: str) -> None:
    page = resident.to_form(free_slot(session)) if button == "確認画面へ進む" else resident.to_check(free_slot(session))
    resident.client.delete_cookie("resident")
    resident.page = page
    answer = resident.press(button, **GOOD, consent="y")
    assert "入力した内容は残っています" in answer.text
    assert answer.fields["name"] == "髙橋 花子"
    assert not stored(session)
    resident.press("確認画面へ進む")
    assert resident.press("この内容で予約する", consent="y").status == 200
    assert len(stored(session)) == 1


def test_cookie_and_time_both_gone_is_told_plainly(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session))
    free_slot(session, days=35)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30)):
        answer = resident.press("この内容で予約する", consent="y")
        assert (answer.status, "入力した内容は残っています" in answer.text) == (404, True)
        assert "日時を選び直してください" in answer.text
        assert not stored(session)
        assert resident.follow("10:00").fields["name"] == "髙橋 花子"


def test_browser_that_takes_no_cookies_is_told_before_anything_is_typed(resident_app: Flask, session: Session) -> None:
    path, client = form_path(free_slot(session)), resident_app.test_client(use_cookies=False)
    onward = apart(client.get, path).headers["Location"]
    page = Page(apart(client.get, onward))
    assert (page.status, "Cookieを使えない設定では予約できません" in page.text) == (200, True)
    answer = apart(client.post, urljoin(page.url, page.buttons["確認画面へ進む"]), data={**page.fields, **GOOD})
    assert "Cookieを使えない設定では予約できません" in apart(client.get, answer.headers["Location"]).text


# -- what each step costs ---------------------------------------------------------------------------------------------


def test_steps_ask_the_database_no_more_than_they_need(resident: Resident, resident_app: Flask, session: Session) -> None:
    """Holding is the one statement that takes and writes (two on SQLite), with the draft and what is asked of the masters; booking
    is the fairness of it, one UPDATE, and the row of the log."""
    slot, asked = free_slot(session), {}

    def counted(step: str, act: Callable[[], Any]) -> Any:
        session.commit()
        with statements(resident_app) as sent:
            answer = act()
        asked[step] = len(sent)
        return answer

    resident.open(day_path(slot))
    form = counted("hold", lambda: resident.send("10:00")).headers["Location"]
    counted("form", lambda: resident.open(form))
    checked = counted("send", lambda: resident.send("確認画面へ進む", **GOOD)).headers["Location"]
    counted("check", lambda: resident.open(checked))
    done = counted("confirm", lambda: resident.send("この内容で予約する", consent="y")).headers["Location"]
    counted("done", lambda: resident.open(done))
    taking = 1 if session.get_bind().dialect.name == "postgresql" else 2
    assert asked == {"hold": 8 + taking, "form": 5, "send": 2, "check": 5, "confirm": 4, "done": 1}
