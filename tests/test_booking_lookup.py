"""The look-up, the done page, and how often one caller may try."""

from __future__ import annotations

import base64
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.text import STRUCK
from models import ActionClass, BookingDraft, Reservation, ReservationState
from tests.booking_pages import GOOD, PERSONAL_NUMBER, Page, Resident, apart, free_slot, in_use, log, stored
from tests.conftest import House
from tests.sites import site


def booked(resident: Resident, session: Session) -> Reservation:
    resident.book(free_slot(session))
    return stored(session)[0]


def test_every_wrong_pair_gets_the_same_answer(resident: Resident, session: Session) -> None:
    code = booked(resident, session).booking_code
    answers = set()
    for typed in (
        {"code": code, "phone": "0781234568"},
        {"code": "ZZZZZZZZZZ", "phone": "0781234567"},
        {"code": code[::-1], "phone": "0781234567"},
    ):
        resident.open("/lookup")
        answer = resident.press("確認する", **typed)
        assert (answer.status, "予約が見つかりません" in answer.text) == (404, True)
        answers.add(re.sub(r'value="[^"]*"|v=\w+', "", answer.html))
    assert len(answers) == 1


@pytest.mark.parametrize(("typed", "length"), [("K7Q29", 5), ("K7Q29-MXDABC", 11), ("x" * 40, 40), ("K7Q29-MXDA0", 10)])
def test_what_cannot_be_a_code_is_said_at_its_field(resident: Resident, typed: str, length: int) -> None:
    resident.open("/lookup")
    answer = resident.press("確認する", code=typed, phone="0781234567")
    assert answer.status == 422
    assert f"予約番号は10文字の英数字で入力してください（いま{length}文字" in answer.error_of("code")
    assert answer.fields["code"] == typed, "what was typed is there to be put right"


def test_who_looks_at_their_booking_all_day_is_never_shut_out_and_who_guesses_is(
    database: House, resident: Resident, session: Session
) -> None:
    made = booked(resident, session)
    with site(database, "resident", limit_lookup="1000 per minute") as app:
        owner, thief = Resident(app.test_client()), Resident(app.test_client())

        def look_up(who: Resident, phone: str) -> int:
            who.open("/lookup")
            return int(who.press("確認する", code=made.booking_code, phone=phone).status)

        assert {look_up(owner, made.phone) for _ in range(12)} == {200}
        assert [look_up(thief, f"078123{n:04d}") for n in range(11)] == [404] * 10 + [429]


def test_look_up_with_empty_or_odd_fields_is_explained(resident: Resident) -> None:
    resident.open("/lookup")
    answer = resident.press("確認する")
    assert answer.status == 422
    assert "予約番号を入力してください" in answer.error_of("code")
    assert "電話番号を入力してください" in answer.error_of("phone")
    answer = resident.press("確認する", code=PERSONAL_NUMBER, phone="12")
    assert answer.fields["code"] == STRUCK
    assert "数字10桁か11桁" in answer.error_of("phone")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ReservationState.CANCELLED, "キャンセルされています"),
        (ReservationState.ARRIVED, "ご来庁いただきました"),
        (ReservationState.NO_SHOW, "日時を過ぎています"),
    ],
)
def test_look_up_tells_the_state_in_plain_words(
    resident: Resident, session: Session, state: ReservationState, words: str
) -> None:
    made = booked(resident, session)
    made.state = state
    resident.open("/lookup")
    assert words in resident.press("確認する", code=made.booking_code, phone=made.phone).text


def test_look_ups_are_logged_with_the_code_and_nothing_personal(resident: Resident, session: Session) -> None:
    made = booked(resident, session)
    for code, phone in ((made.booking_code, made.phone), (made.booking_code, "0781234568"), ("髙橋 花子", made.phone)):
        resident.open("/lookup")
        resident.press("確認する", code=code, phone=phone)
    entries = [row for row in log(session) if row.action_code == "reservation.lookup"]
    assert [row.detail["照合"] for row in entries] == ["一致", "不一致", "不一致"]
    assert [row.detail.get("予約番号") for row in entries] == [made.booking_code, made.booking_code, None]
    assert {(row.user_name, row.action_class) for row in entries} == {("住民", ActionClass.READ)}
    assert entries[0].client_info.startswith("127.0.0.1 ")


def test_booking_is_logged_once_as_the_residents_act(resident: Resident, session: Session) -> None:
    made = booked(resident, session)
    (entry,) = [row for row in log(session) if row.action_code == "reservation.book"]
    assert (entry.user_id, entry.action_class) == ("resident", ActionClass.ADD)
    assert entry.detail["変更"][0]["項目"]["申請ID"][1] == str(made)


def is_look_up_instead(page: Page) -> bool:
    return page.status == 200 and "1時間だけ表示できます" in page.text and "確認する" in page.buttons


def test_done_page_is_shown_for_an_hour(resident: Resident, session: Session) -> None:
    booked(resident, session)
    path = resident.page.url
    assert resident.open(path).status == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert is_look_up_instead(resident.open(path))


def test_address_of_a_done_page_is_worth_nothing_elsewhere(resident_app: Flask, resident: Resident, session: Session) -> None:
    made = booked(resident, session)
    stranger = Resident(resident_app.test_client())
    assert is_look_up_instead(stranger.open(resident.page.url))
    stranger.book(free_slot(session, hour=11))
    assert is_look_up_instead(stranger.open(resident.page.url))
    assert str(made) not in stranger.page.html


@pytest.mark.parametrize("reference", ["forged", "MQ.awRM9w.aNEgc2pE8DNSah8cBuYg-t7ngaA", "あ", "x" * 3000])
def test_invented_address_of_a_done_page_leads_to_the_look_up(resident: Resident, reference: str) -> None:
    assert is_look_up_instead(resident.open(f"/booked/{reference}"))


def test_done_page_is_kept_by_nobody_and_leaves_no_trace(
    resident: Resident, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither its address nor a log line holds the code, and no cache holds the page."""
    check = resident.to_check(free_slot(session))
    with caplog.at_level(logging.DEBUG):
        done = resident.press("この内容で予約する", consent="y")
        again = resident.open(check.url)
    (made,) = stored(session)
    rows = len(log(session))
    for page in (done, again):
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert made.booking_code not in page.url
        resident.open(page.url)
    assert made.booking_code not in caplog.text
    assert len(log(session)) == rows


def test_nothing_can_be_counted_from_the_address_of_a_done_page(resident: Resident, session: Session) -> None:
    made = booked(resident, session)
    payload = resident.page.url.removeprefix("/booked/").split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == made.form_token


def test_lost_cookie_at_the_look_up_is_told(resident: Resident) -> None:
    resident.open("/lookup")
    resident.client.delete_cookie("resident")
    answer = resident.press("確認する", code="ABCDE23456", phone="0781234567")
    assert (answer.status, "開き直して" in answer.text) == (400, True)


def look_up(client: FlaskClient, code: str = "ABCDE23456", address: str = "203.0.113.1") -> Page:
    resident = Resident(client)
    resident.open("/lookup")
    return Page(
        apart(
            client.post,
            "/lookup",
            headers={"X-Forwarded-For": address},
            data={**resident.page.fields, "code": code, "phone": "0781234567"},
        )
    )


def test_too_many_look_ups_of_an_address_must_wait(database: House, session: Session) -> None:
    with site(database, "resident", limit_lookup="3 per minute", trusted_proxies=("127.0.0.1",)) as app:
        client = app.test_client()
        assert [look_up(client, f"ABCDE2345{n}").status for n in range(2, 6)] == [404, 404, 404, 429]
        answer = look_up(client, "ABCDE23456")
        assert "分ほどたってから" in answer.text
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert look_up(client, "ABCDE23456", address="203.0.113.2").status == 404


def test_one_code_is_tried_ten_times_a_day_from_anywhere(database: House) -> None:
    with site(database, "resident", trusted_proxies=("127.0.0.1",)) as app:
        client = app.test_client()
        spellings = ["ABCDE23456", "abcde-23456", "ＡＢＣＤＥ２３４５６"]
        tries = [look_up(client, spellings[n % 3], address=f"203.0.113.{n}").status for n in range(11)]
        assert tries == [404] * 10 + [429]
        answer = look_up(client, "ABCDE23456", address="203.0.113.99")
        assert "時間ほどたってから" in answer.text
        assert look_up(client, "ABCDE23457", address="203.0.113.99").status == 404


@pytest.mark.parametrize("spelling", ["ABCDE23456", "ABCDE\x0123456", "abcde-2345\x7f6", "\x02ABCDE 23456"])
def test_no_spelling_of_a_code_is_counted_apart(database: House, spelling: str) -> None:
    """What the look-up drops from a code makes no other code of it for the limit either."""
    with site(database, "resident", trusted_proxies=("127.0.0.1",)) as app:
        client = app.test_client()
        tries = [look_up(client, spelling if n % 2 else "ABCDE23456", address=f"203.0.113.{n}").status for n in range(11)]
        assert tries == [404] * 10 + [429]


# -- limits on every step ---------------------------------------------------------------------------------------------


def test_too_many_bookings_of_an_address_must_wait_and_take_nothing(database: House, session: Session) -> None:
    slot = free_slot(session, places=9)
    with site(database, "resident", limit_booking="2 per minute") as app:
        resident = Resident(app.test_client())
        for name in "一二":
            check = resident.to_check(slot, name=f"山田 {name}")
            assert resident.press("この内容で予約する", consent="y").status == 200
        resident.page = check
        assert resident.press("この内容で予約する", consent="y").status == 429
        assert "分ほどたってから" in resident.page.text
    assert len(stored(session)) == in_use(session) == 2


@pytest.mark.parametrize(
    ("button", "loses"),
    [
        ("確認画面へ進む", ""),
        ("日時を変える", ""),
        ("確認画面へ進む", "cookie"),
        ("この内容で予約する", ""),
        ("この内容で予約する", "cookie"),
    ],
)
def test_every_step_that_sends_something_is_limited(database: House, session: Session, button: str, loses: str) -> None:
    slot = free_slot(session)
    with site(database, "resident", limit_booking="3 per minute") as app:
        resident = Resident(app.test_client())
        page = resident.to_check(slot) if button == "この内容で予約する" else resident.to_form(slot)
        answers = []
        for _ in range(4):
            resident.page = page
            if loses:
                resident.client.delete_cookie("resident")
            answers.append(resident.send(button, name="山田 太郎").status_code)
    assert answers[-1] == 429
    assert set(answers[:-1]) <= {303, 429}


def test_refusals_cannot_fill_the_operation_log(database: House, session: Session) -> None:
    """A siege is told of once a minute, whatever is thrown."""
    slot = free_slot(session)
    with site(database, "resident", limit_booking="5 per minute") as app:
        resident = Resident(app.test_client())
        page = resident.to_form(slot)
        for _ in range(12):
            resident.page = page
            resident.send("確認画面へ進む", **{**GOOD, "message": PERSONAL_NUMBER})
    assert [row.action_code for row in log(session)] == ["reservation.refused", "limit.refused"]


def test_one_form_is_not_sent_without_end_from_many_addresses(database: House, session: Session) -> None:
    slot = free_slot(session)
    with site(database, "resident", trusted_proxies=("127.0.0.1",)) as app:
        resident = Resident(app.test_client())
        page = resident.to_form(slot)
        answers = [send_from(resident, page, f"203.0.113.{n}") for n in range(61)]
    assert answers == [303] * 60 + [429]
    assert len(session.scalars(select(BookingDraft)).all()) == 1
    assert [row.action_code for row in log(session)] == ["limit.refused"]


def send_from(resident: Resident, page: Page, address: str) -> int:
    path = urljoin(page.url, page.buttons["確認画面へ進む"])
    sent = apart(resident.client.post, path, headers={"X-Forwarded-For": address}, data={**page.fields, **GOOD})
    status: int = sent.status_code
    return status


def test_checking_without_end_fills_neither_log_nor_drafts(database: House, session: Session) -> None:
    """Each form with a draft of its own, from one address; looking at pages writes nothing at all."""
    slot = free_slot(session)
    with site(database, "resident", limit_booking="5 per minute") as app:
        for _ in range(12):
            resident = Resident(app.test_client())
            resident.to_form(slot)
            resident.send("確認画面へ進む", **GOOD)
    assert len(session.scalars(select(BookingDraft)).all()) == 5
    assert [row.action_code for row in log(session)] == ["limit.refused"]


def test_refused_bookings_are_told_once_a_minute(resident: Resident, session: Session) -> None:
    slot = free_slot(session, places=1)
    check = resident.to_check(slot)
    slot.used = 1
    for _ in range(5):
        resident.page = check
        assert resident.press("この内容で予約する", consent="y").status == 409
    assert [row.action_code for row in log(session)] == ["reservation.book"]
