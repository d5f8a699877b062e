"""The residents' site, walked through page by page without JavaScript."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ActionClass, BookingCategory, MyNumberAccess, OperationLog, Reservation, ReservationState, Slot
from tests.booking_pages import GOOD, Page, Resident, apart, counter, form_path, free_slot, today
from tests.sites import site

PERSONAL_NUMBER = "123456789018"


@pytest.fixture
def resident(visitor: FlaskClient) -> Resident:
    return Resident(visitor)


def stored(session: Session) -> list[Reservation]:
    session.expire_all()
    return list(session.scalars(select(Reservation).order_by(Reservation.id)))


def in_use(session: Session) -> int:
    return session.scalar(select(func.sum(Slot.used))) or 0


def log(session: Session) -> list[OperationLog]:
    session.expire_all()
    return list(session.scalars(select(OperationLog).where(OperationLog.user_id == "resident").order_by(OperationLog.id)))


# -- the whole way ----------------------------------------------------------------------------------------------------


def test_resident_books_a_visit_and_finds_it_again(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    day = slot.slot_date
    resident.open("/")
    resident.follow("予約する")
    resident.follow("カードを受け取る")
    assert "いちばん早い空き" in resident.page.text
    resident.follow("三宮サテライト")
    resident.follow(f"{day.month}月{day.day}日 {'月火水木金土日'[day.weekday()]}曜日 空きあり")
    resident.follow("10:00")
    check = resident.press("確認画面へ進む", **GOOD)
    assert check.status == 200
    assert "まだ予約は終わっていません" in check.text
    assert not stored(session)
    done = resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    assert done.status == 200
    assert f"{made.booking_code[:5]}-{made.booking_code[5:]}" in done.text
    assert "交付通知書（はがき）" in done.text
    assert "神戸市マイナンバーコールセンター" in done.text
    assert (made.name, made.phone, made.birth_date, made.consent_version) == (
        "髙橋 花子",
        "0781234567",
        date(1960, 4, 1),
        "2020-12-01",
    )
    assert in_use(session) == 1
    resident.open("/lookup")
    found = resident.press("確認する", code=made.booking_code.lower(), phone="078-123-4567")
    assert "予約を受け付けています" in found.text
    assert "三宮サテライト" in found.text


def test_no_step_puts_personal_data_into_address_cookie_or_log(resident: Resident, session: Session) -> None:
    seen: list[str] = []
    resident.to_check(free_slot(session))
    seen += [resident.page.url, *resident.page.buttons.values()]
    resident.press("この内容で予約する", consent="y")
    seen += [resident.page.url, str(resident.client.get_cookie("resident")), *(str(row.detail) for row in log(session))]
    assert not [words for words in seen for secret in ("髙橋", "花子", "0781234567", "加納町") if secret in words]


def test_correcting_brings_the_filled_form_back(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session), message="車いすです。\n二人で行きます。", email="hanako@example.jp")
    form = resident.press("修正する")
    kept = {name: form.fields[name] for name in ("name", "name_kana", "birth_year", "phone", "message", "email")}
    assert kept == {
        "name": "髙橋 花子",
        "name_kana": "タカハシ ハナコ",
        "birth_year": "1960",
        "phone": "0781234567",
        "message": "車いすです。\n二人で行きます。",
        "email": "hanako@example.jp",
    }
    resident.press("確認画面へ進む", name="髙橋 華子")
    resident.press("この内容で予約する", consent="y")
    assert [made.name for made in stored(session)] == ["髙橋 華子"]


def test_consent_is_asked_for(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session))
    answer = resident.press("この内容で予約する")
    assert answer.status == 422
    assert "同意のしるし" in answer.text
    assert "consent" in answer.invalid
    assert not stored(session)
    assert resident.press("この内容で予約する", consent="y").status == 200
    assert len(stored(session)) == 1


def test_staff_see_the_booking_at_once_and_only_at_their_counter(
    resident: Resident, session: Session, browse: Callable[[str], FlaskClient]
) -> None:
    resident.book(free_slot(session))
    (made,) = stored(session)
    pages = {name: apart(browse(name).get, "/reservation/list/").text for name in ("staff", "staff2")}
    assert str(made) in pages["staff"] or made.booking_code in pages["staff"]
    assert "髙橋 花子" in pages["staff"]
    assert "髙橋 花子" not in pages["staff2"]


# -- what people type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "typed", "column", "value"),
    [
        ("phone", "０７８－１２３－４５６７", "phone", "0781234567"),
        ("phone", "(080) 1234 5678", "phone", "08012345678"),
        ("postal_code", "〒６５０－０００１", "postal_code", "6500001"),
        ("postal_code", "", "postal_code", ""),
        ("name_kana", "たかはし　はなこ", "name_kana", "タカハシ ハナコ"),
        ("name_kana", "ﾀｶﾊｼ ﾊﾅｺ", "name_kana", "タカハシ ハナコ"),
        ("name", "  葛󠄀城 𠮷子\t", "name", "葛󠄀城 𠮷子"),
        ("name", "神\ufa19 花子", "name", "神\ufa19 花子"),
        ("name", "山田\r\nBcc: x@example.jp", "name", "山田 Bcc: x@example.jp"),
        ("name", "NGUYỄN THỊ HOA", "name", "NGUYỄN THỊ HOA"),
        ("message", "=cmd|' /C calc'!A0 <script>alert(1)</script>", "message", "=cmd|' /C calc'!A0 <script>alert(1)</script>"),
        ("email", "ｈａｎａｋｏ..x.@docomo.ne.jp", "email", "hanako..x.@docomo.ne.jp"),
        ("address", "大阪市北区梅田１－１", "address", "大阪市北区梅田１－１"),
        ("building", "ポートハイツ３０５", "building", "ポートハイツ３０５"),
    ],
)
def test_what_is_meant_is_stored(resident: Resident, session: Session, field: str, typed: str, column: str, value: str) -> None:
    assert resident.book(free_slot(session), **{field: typed}).status == 200
    (made,) = stored(session)
    assert getattr(made, column) == value


@pytest.mark.parametrize(
    ("year", "month", "day", "born"),
    [
        ("昭和35", "4", "1", date(1960, 4, 1)),
        ("S35", "4", "1", date(1960, 4, 1)),
        ("ｓ．３５年", "４月", "１日", date(1960, 4, 1)),
        ("昭35", "04", "01", date(1960, 4, 1)),
        ("令和元", "5", "1", date(2019, 5, 1)),
        ("H1", "1", "8", date(1989, 1, 8)),
        ("大正１５", "12", "24", date(1926, 12, 24)),
        ("２０００", "2", "29", date(2000, 2, 29)),
    ],
)
def test_birth_dates_of_both_calendars_are_understood(
    resident: Resident, session: Session, year: str, month: str, day: str, born: date
) -> None:
    resident.book(free_slot(session), birth_year=year, birth_month=month, birth_day=day)
    assert [made.birth_date for made in stored(session)] == [born]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "お名前を入力してください"),
        ("name", "　 ", "お名前を入力してください"),
        ("name", "あ" * 201, "200文字以内"),
        ("name_kana", "", "フリガナを入力してください"),
        ("name_kana", "高橋", "カタカナで入力"),
        ("phone", "", "電話番号を入力してください"),
        ("phone", "123", "電話番号は数字10桁か11桁で入力してください（例 0781234567）"),
        ("phone", "1781234567", "数字10桁か11桁"),
        ("phone", "٠٧٨١٢٣٤٥٦٧", "数字10桁か11桁"),
        ("postal_code", "65000", "郵便番号は数字7桁"),
        ("postal_code", "x" * 3000, "20文字以内"),
        ("address", "", "住所を入力してください"),
        ("address", "神" * 201, "200文字以内"),
        ("building", "神" * 101, "100文字以内"),
        ("email", "hanako", "メールアドレスの形"),
        ("email", "a@b@c.jp", "メールアドレスの形"),
        ("email", "a@example.jp, b@example.jp", "メールアドレスの形"),
        ("message", "あ" * 501, "500文字以内"),
        ("sex", "helicopter", "性別を選び直してください"),
    ],
)
def test_mistake_is_explained_at_its_field_and_in_the_summary(
    resident: Resident, session: Session, field: str, typed: str, words: str
) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, field: typed})
    assert answer.status == 422
    assert words in answer.error_of(field)
    assert words in str([text for text, href in answer.links.items() if href == f"#{field}"])
    assert answer.fields["name" if field != "name" else "address"] in GOOD.values(), "the rest of the entry is kept"
    assert not stored(session)
    assert in_use(session) == 0


@pytest.mark.parametrize(
    ("year", "month", "day", "words"),
    [
        ("35", "4", "1", "西暦4桁"),
        ("", "", "", "西暦4桁"),
        ("1960", "", "1", "「月」を数字で"),
        ("1960", "4", "x", "「日」を数字で"),
        ("1960", "2", "30", "1960年2月30日という日はありません"),
        ("1960", "13", "1", "という日はありません"),
        ("昭和65", "1", "1", "昭和は64年まで"),
        ("2999", "1", "1", "今日より後"),
        ("1850", "1", "1", "古すぎます"),
        ("令和0", "1", "1", "までです"),
        ("0000", "1", "1", "という日はありません"),
    ],
)
def test_impossible_birth_date_is_explained(
    resident: Resident, session: Session, year: str, month: str, day: str, words: str
) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, "birth_year": year, "birth_month": month, "birth_day": day})
    assert answer.status == 422
    assert words in answer.text
    assert any(name.startswith("birth_") for name in answer.invalid)


@pytest.mark.parametrize("field", ["name", "address", "building", "message", "email", "phone", "postal_code", "birth_year"])
@pytest.mark.parametrize("typed", [PERSONAL_NUMBER, "１２３４－５６７８－９０１８"])
def test_personal_number_is_refused_and_comes_back_empty(resident: Resident, session: Session, field: str, typed: str) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, field: typed})
    assert answer.status == 422
    assert "個人番号は入力できません" in answer.text
    assert answer.fields[field] == ""
    assert typed not in answer.html
    assert PERSONAL_NUMBER not in answer.html
    (entry,) = log(session)
    assert (entry.my_number_access, entry.action_code) == (MyNumberAccess.REFUSED, "reservation.refused")
    assert typed not in str(entry.detail)


def test_all_mistakes_are_told_at_once(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む")
    assert "5 か所" in answer.text
    assert {"name", "name_kana", "birth_year", "address", "phone"} == set(answer.invalid)
    assert answer.html.index("入力の確認") < answer.html.index("<body>"), "the title says so too"


def test_address_outside_kobe_is_a_hint_and_no_refusal(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    assert "神戸市ではないようです" in resident.to_check(slot, address="大阪市北区梅田1-1").text
    assert "神戸市ではないようです" not in resident.to_check(slot, address="兵庫県神戸市北区谷上東町1").text
    assert "神戸市ではないようです" not in resident.to_check(slot, address="北区谷上東町1", postal_code="651-1245").text


def test_markup_in_an_entry_is_shown_as_text(resident: Resident, session: Session) -> None:
    answer = resident.to_check(free_slot(session), name="<b>山田</b>\"'>", message="</textarea><script>x</script>")
    assert "<script>x" not in answer.html
    assert "<b>山田" not in answer.html
    assert "<b>山田</b>\"'>" in answer.text


# -- twice, at once, out of order -------------------------------------------------------------------------------------


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


def test_going_back_after_booking_asks_before_it_books_once_more(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    form = resident.to_form(slot)
    resident.press("確認画面へ進む", **GOOD)
    resident.press("この内容で予約する", consent="y")
    resident.page = form
    resident.press("確認画面へ進む", **{**GOOD, "name": "髙橋 次郎"})
    answer = resident.press("この内容で予約する", consent="y")
    assert answer.status == 409
    assert "すでに受け付けています" in answer.text
    assert len(stored(session)) == 1
    resident.press("この内容で予約する", consent="y")
    assert [made.name for made in stored(session)] == ["髙橋 花子", "髙橋 次郎"]


def test_last_place_taken_meanwhile_offers_other_times_and_keeps_the_entry(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session, places=1), free_slot(session, hour=14)
    free_slot(session, at="tanigami", hour=16)
    resident.to_check(slot)
    slot.used = 1
    answer = resident.press("この内容で予約する", consent="y")
    assert answer.status == 409
    assert "いま満席になりました" in answer.text
    assert any("谷上サテライト" in words for words in answer.buttons)
    check = resident.press("14:00")
    assert (check.status, check.fields["name"]) == (200, "髙橋 花子")
    assert str(other.id) in check.buttons["この内容で予約する"]
    resident.press("この内容で予約する", consent="y")
    assert [(made.slot_id, made.name) for made in stored(session)] == [(other.id, "髙橋 花子")]


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
    assert (answer.status, answer.fields["name"]) == (404, "髙橋 花子")
    assert "受け付けていません" in answer.text
    assert not stored(session)


def test_cookie_and_time_both_gone_is_told_plainly(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session))
    with time_machine.travel(today() + timedelta(days=30)):
        answer = resident.press("この内容で予約する", consent="y")
    assert (answer.status, answer.fields["name"]) == (404, "髙橋 花子")
    assert "日時を選び直してください" in answer.text
    assert not stored(session)


@pytest.mark.parametrize("button", ["確認画面へ進む", "修正する"])
def test_every_step_offers_other_times_when_its_own_has_gone(resident: Resident, session: Session, button: str) -> None:
    slot, other = free_slot(session), free_slot(session, hour=15)
    page = resident.to_form(slot) if button == "確認画面へ進む" else resident.to_check(slot)
    counter(session, "tanigami").is_open = False
    slot.start_time, slot.slot_date = slot.start_time.replace(hour=9), today() + timedelta(days=90)
    resident.page = page
    answer = resident.press(button, **GOOD)
    assert (answer.status, answer.fields["name"]) == (404, "髙橋 花子")
    assert str(other.id) in "".join(answer.buttons.values())


@pytest.mark.parametrize("without", ["form_token", "seal", "name", "csrf_token"])
def test_confirming_without_an_earlier_step_books_nothing(resident: Resident, session: Session, without: str) -> None:
    resident.to_check(free_slot(session))
    answer = resident.press("この内容で予約する", consent="y", **{without: None})
    assert answer.status in (400, 422)
    assert not stored(session)
    assert in_use(session) == 0


@pytest.mark.parametrize(("field", "value"), [("name", "別の 人"), ("phone", "09011112222"), ("form_token", "x" * 43)])
def test_confirming_something_else_than_was_shown_shows_it_first(
    resident: Resident, session: Session, field: str, value: str
) -> None:
    resident.to_check(free_slot(session))
    answer = resident.press("この内容で予約する", consent="y", **{field: value})
    assert answer.status == 422
    assert "もう一度、内容をお確かめください" in answer.text
    assert not stored(session)


def test_seal_of_one_slot_does_not_confirm_another(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session), free_slot(session, hour=14)
    check = resident.to_check(slot)
    check.buttons["この内容で予約する"] = f"{form_path(other)}confirm"
    assert resident.press("この内容で予約する", consent="y").status == 422
    assert not stored(session)


def test_lost_cookie_brings_the_entry_back_to_be_sent_again(resident: Resident, session: Session) -> None:
    resident.to_check(free_slot(session))
    resident.client.delete_cookie("resident")
    answer = resident.press("この内容で予約する", consent="y")
    assert answer.status == 400
    assert "入力した内容は残っています" in answer.text
    assert answer.fields["name"] == "髙橋 花子"
    assert not stored(session)
    resident.press("確認画面へ進む")
    assert resident.press("この内容で予約する", consent="y").status == 200
    assert len(stored(session)) == 1


def test_lost_cookie_at_the_look_up_is_told(resident: Resident) -> None:
    resident.open("/lookup")
    resident.client.delete_cookie("resident")
    answer = resident.press("確認する", code="ABCDE23456", phone="0781234567")
    assert (answer.status, "開き直して" in answer.text) == (400, True)


# -- forged addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/book/nothing/",
        "/book/pickup/nowhere/",
        "/book/pickup/sannomiya/yesterday/",
        "/book/pickup/sannomiya/2026-13-45/",
        "/book/pickup/sannomiya/{day}/99999999/",
        "/book/pickup/sannomiya/{day}/99999999999999999999999999/",
        "/book/pickup/sannomiya/{day}/-1/",
        "/book/pickup/tanigami/{day}/{slot}/",
        "/book/pickup/sannomiya/{other}/{slot}/",
        "/book/certificate/sannomiya/{day}/{slot}/",
        "/book/pickup/sannomiya/{past}/{old}/",
        "/book/pickup/sannomiya/{day}/{operator}/",
        "/booked/forged",
        "/booked/MQ.awRM9w.aNEgc2pE8DNSah8cBuYg-t7ngaA",
        "/nothing",
        "/login/",
        "/card/list/",
    ],
)
def test_forged_address_is_not_found_and_says_so_in_japanese(resident: Resident, session: Session, path: str) -> None:
    from models import Channel

    slot, operator = free_slot(session), free_slot(session, hour=11, channel=Channel.CALLCENTER)
    old = free_slot(session, days=-3)
    filled = path.format(
        day=slot.slot_date,
        slot=slot.id,
        other=slot.slot_date + timedelta(days=1),
        past=old.slot_date,
        old=old.id,
        operator=operator.id,
    )
    answer = resident.open(filled)
    assert answer.status == 404
    assert "はじめの画面へ戻る" in answer.text
    assert "Traceback" not in answer.html


@pytest.mark.parametrize("month", ["2026-99", "0000-00", "1999-01", "x", "2026-12' OR 1=1--", "９９９９-０１"])
def test_forged_month_shows_a_month_that_can_be_booked(resident: Resident, session: Session, month: str) -> None:
    free_slot(session)
    answer = apart(resident.client.get, "/book/pickup/sannomiya/", query_string={"month": month}, follow_redirects=True)
    assert answer.status_code == 200
    assert "空きあり" in answer.text


def test_months_turn_within_the_booking_window(resident: Resident, session: Session) -> None:
    free_slot(session)
    free_slot(session, days=44)
    page = resident.open("/book/pickup/sannomiya/")
    onward = [href for words, href in page.links.items() if "▶" in words]
    assert onward
    assert resident.open(f"/book/pickup/sannomiya/{onward[0]}" if onward[0].startswith("?") else onward[0]).status == 200
    last = today() + timedelta(days=45)
    page = resident.open(f"/book/pickup/sannomiya/?month={last:%Y-%m}")
    assert not [words for words in page.links if "▶" in words]


def test_wrong_method_and_too_much_data_are_told_in_japanese(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    for answer in (apart(resident.client.get, f"{form_path(slot)}confirm"), apart(resident.client.delete, "/lookup")):
        assert answer.status_code == 405
        assert "受け付けていません" in answer.text
    resident.to_form(slot)
    answer = resident.press("確認画面へ進む", **{**GOOD, "message": "あ" * 200_000})
    assert (answer.status, "大きすぎます" in answer.text) == (413, True)


def test_closed_procedure_and_counter_disappear(resident: Resident, session: Session) -> None:
    free_slot(session)
    session.scalars(select(BookingCategory).where(BookingCategory.code == "reissue")).one().is_open = False
    counter(session, "tanigami").is_open = False
    assert "もう一度つくる" not in resident.open("/book/").text
    assert "谷上" not in resident.open("/book/pickup/").text


# -- look-up ----------------------------------------------------------------------------------------------------------


def booked(resident: Resident, session: Session) -> Reservation:
    resident.book(free_slot(session))
    return stored(session)[0]


def test_every_wrong_pair_gets_the_same_answer(resident: Resident, session: Session) -> None:
    code = booked(resident, session).booking_code
    answers = set()
    for typed in (
        {"code": code, "phone": "0781234568"},
        {"code": "ZZZZZZZZZZ", "phone": "0781234567"},
        {"code": "O0I1", "phone": "0781234567"},
        {"code": "x" * 40, "phone": "0781234567"},
    ):
        resident.open("/lookup")
        answer = resident.press("確認する", **typed)
        assert (answer.status, "予約が見つかりません" in answer.text) == (404, True)
        answers.add(re.sub(r'value="[^"]*"|v=\w+', "", answer.html))
    assert len(answers) == 1


def test_look_up_with_empty_or_odd_fields_is_explained(resident: Resident) -> None:
    resident.open("/lookup")
    answer = resident.press("確認する")
    assert answer.status == 422
    assert "予約番号を入力してください" in answer.error_of("code")
    assert "電話番号を入力してください" in answer.error_of("phone")
    answer = resident.press("確認する", code=PERSONAL_NUMBER, phone="12")
    assert answer.fields["code"] == ""
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
    assert entry.detail["変更"][0]["項目"]["申請ID"][1] == made.booking_code


def test_done_page_is_shown_for_an_hour(resident: Resident, session: Session) -> None:
    booked(resident, session)
    path = resident.page.url
    assert resident.open(path).status == 200
    with time_machine.travel(today() + timedelta(days=2)):
        answer = resident.open(path)
        assert answer.status == 404
        assert "予約を確認する" in answer.text


# -- limits -----------------------------------------------------------------------------------------------------------


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


def test_too_many_look_ups_of_an_address_must_wait(database: Any, session: Session) -> None:
    with site(database, "resident", limit_lookup="3 per minute", trusted_proxies=("127.0.0.1",)) as app:
        client = app.test_client()
        assert [look_up(client, f"ABCDE2345{n}").status for n in range(2, 6)] == [404, 404, 404, 429]
        answer = look_up(client, "ABCDE23456")
        assert "分ほどたってから" in answer.text
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert look_up(client, "ABCDE23456", address="203.0.113.2").status == 404


def test_one_code_is_tried_ten_times_a_day_from_anywhere(database: Any) -> None:
    with site(database, "resident", trusted_proxies=("127.0.0.1",)) as app:
        client = app.test_client()
        spellings = ["ABCDE23456", "abcde-23456", "ＡＢＣＤＥ２３４５６"]
        tries = [look_up(client, spellings[n % 3], address=f"203.0.113.{n}").status for n in range(11)]
        assert tries == [404] * 10 + [429]
        answer = look_up(client, "ABCDE23456", address="203.0.113.99")
        assert "時間ほどたってから" in answer.text
        assert look_up(client, "ABCDE23457", address="203.0.113.99").status == 404


def test_too_many_bookings_of_an_address_must_wait_and_take_nothing(database: Any, session: Session) -> None:
    slot = free_slot(session, places=9)
    with site(database, "resident", limit_booking="2 per minute") as app:
        resident = Resident(app.test_client())
        assert [resident.book(slot, name=f"山田 {n}").status for n in "一二三"] == [200, 200, 429]
        assert "分ほどたってから" in resident.page.text
    assert len(stored(session)) == in_use(session) == 2


# -- the pages themselves ---------------------------------------------------------------------------------------------


def every_page(resident: Resident, session: Session) -> list[Page]:
    slot = free_slot(session)
    day = slot.slot_date.isoformat()
    pages = [
        resident.open(path)
        for path in (
            "/",
            "/book/",
            "/book/pickup/",
            "/book/pickup/sannomiya/",
            f"/book/pickup/sannomiya/{day}/",
            "/lookup",
            "/nothing",
        )
    ]
    resident.to_form(slot)
    pages += [resident.page, resident.press("確認画面へ進む"), resident.press("確認画面へ進む", **GOOD)]
    return [*pages, resident.press("この内容で予約する", consent="y")]


def test_every_page_is_built_to_be_read(resident: Resident, session: Session) -> None:
    titles = set()
    for page in every_page(resident, session):
        tags = [tag for tag, _ in page.tags]
        assert tags.count("h1") == 1, page.url
        assert tags.count("title") == 1
        assert ("html", {"lang": "ja"}) in page.tags
        assert any(tag == "main" for tag in tags)
        titles.add(re.search(r"<title>(.*?)</title>", page.html)[1])  # type: ignore[index]
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), page.url
        for _, attrs in page.tags:
            assert not [name for name in attrs if name.startswith("on") or name == "style"], page.url
            assert all(ref in ids for ref in attrs.get("aria-describedby", "").split()), (page.url, attrs)
            assert all(ref in ids for ref in attrs.get("aria-labelledby", "").split())
    assert len(titles) == 11


def test_every_field_has_a_label(resident: Resident, session: Session) -> None:
    page = resident.to_form(free_slot(session))
    labelled = {attrs.get("for") for tag, attrs in page.tags if tag == "label"}
    fields = [attrs for tag, attrs in page.tags if tag in ("input", "textarea") and attrs.get("type") not in ("hidden", "radio")]
    assert len(fields) == 11
    assert all(attrs["id"] in labelled for attrs in fields)


def size_of(client: FlaskClient, path: str) -> int:
    with client.get(path) as answer:
        assert answer.status_code == 200
        return len(answer.data)


def test_no_page_is_heavy_or_asks_another_host(resident: Resident, session: Session) -> None:
    for page in every_page(resident, session):
        files = [attrs.get("href") or attrs.get("src") for tag, attrs in page.tags if tag in ("link", "script")]
        assert all(name and name.startswith("/") for name in files)
        weight = len(page.html.encode()) + sum(size_of(resident.client, name) for name in files if name)
        assert weight < 100_000, (page.url, weight)
        assert not re.search(r"https?://(?!www\.w3\.org)", page.html)


def test_pages_are_never_kept_by_a_cache(resident: Resident, session: Session) -> None:
    assert {page.headers["Cache-Control"] for page in every_page(resident, session)} == {"no-store"}
