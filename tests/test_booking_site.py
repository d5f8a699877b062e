"""The residents' site, walked through page by page without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import words
from models import BookingCategory, Channel, Counter, ReservationState
from tests.booking_pages import (
    GOOD,
    Page,
    Resident,
    apart,
    counter,
    form_path,
    free_slot,
    in_use,
    log,
    stored,
    today,
)


def test_resident_books_a_visit_and_finds_it_again(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    day = slot.slot_date
    resident.open("/")
    resident.follow("予約する")
    resident.follow("カードを受け取る")
    assert "いちばん早い空き" in resident.page.text
    resident.follow("三宮サテライト")
    resident.follow(f"{words.named_day(day)} 空きあり")
    resident.follow("10:00")
    check = resident.press("確認画面へ進む", **GOOD)
    assert check.status == 200
    assert "まだ予約は終わっていません" in check.text
    assert [(row.state, row.name) for row in stored(session)] == [(ReservationState.HELD, "")]
    done = resident.press("この内容で予約する", consent="y")
    (made,) = stored(session)
    assert done.status == 200
    assert str(made) in done.text
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
    form = resident.follow("修正する")
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


@pytest.mark.parametrize(
    "path",
    [
        "/book/nothing/",
        "/book/pickup/nowhere/",
        "/book/pickup/sannomiya/yesterday/",
        "/book/pickup/sannomiya/2026-13-45/",
        "/book/nothing/sannomiya/{day}/{slot}/",
        "/book/pickup/nowhere/{day}/{slot}/",
        "/book/pickup/sannomiya/yesterday/{slot}/",
        "/book/pickup/sannomiya/{day}/99999999999999999999999999/",
        "/book/pickup/sannomiya/{day}/-1/",
        "/nothing",
        "/login/",
        "/card/list/",
    ],
)
def test_forged_address_is_not_found_and_says_so_in_japanese(resident: Resident, session: Session, path: str) -> None:
    slot = free_slot(session)
    answer = resident.open(path.format(day=slot.slot_date, slot=slot.id))
    assert answer.status == 404
    assert "はじめの画面へ戻る" in answer.text
    assert "Traceback" not in answer.html


@pytest.mark.parametrize(
    "path",
    [
        "/book/pickup/sannomiya/{day}/99999999/",
        "/book/pickup/tanigami/{day}/{slot}/",
        "/book/pickup/sannomiya/{other}/{slot}/",
        "/book/certificate/sannomiya/{day}/{slot}/",
        "/book/pickup/sannomiya/{past}/{old}/",
        "/book/pickup/sannomiya/{day}/{operator}/",
    ],
)
@pytest.mark.parametrize("page", ["", "check"])
def test_time_that_is_not_offered_leads_to_others(resident: Resident, session: Session, path: str, page: str) -> None:
    """A link kept for too long, or an invented one: no dead end, but nothing that could be booked there either."""
    slot, operator = free_slot(session), free_slot(session, hour=11, channel=Channel.CALLCENTER)
    old, other = free_slot(session, days=-3), slot.slot_date + timedelta(days=1)
    address = path.format(day=slot.slot_date, slot=slot.id, other=other, past=old.slot_date, old=old.id, operator=operator.id)
    answer = resident.open(address + page)
    assert answer.status == 404
    assert "予約を受け付けていません" in answer.text
    assert "078-000-0000" in answer.text
    assert not any("予約する" in words or "確認" in words for words in answer.buttons)
    if "certificate" not in path:
        assert resident.follow("10:00").status == 200


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
    fields = [attrs for attrs in fields if "aria-hidden" not in attrs]
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


# -- nowhere to go on: every page names the next step ------------------------------------------------------------------


def names_the_office(page: Page) -> bool:
    """Whether the page itself, not only its foot, has the telephone as a link, with its hours."""
    main = page.html[page.html.index("<main") : page.html.index("</main>")]
    return 'href="tel:0780000000"' in main and "受付 9時から20時まで" in main


def test_every_error_page_names_telephone_and_hours(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    resident.to_form(slot)
    resident.client.delete_cookie("resident")
    sent = [
        resident.open("/nothing"),
        resident.open("/book/nothing/"),
        resident.open("/book/pickup/nowhere/"),
        resident.open("/book/pickup/sannomiya/yesterday/"),
        Page(apart(resident.client.delete, "/lookup")),
        Page(apart(resident.client.post, "/lookup", data={})),
        Page(apart(resident.client.post, "/lookup", data={"code": "あ" * 60_000})),
    ]
    assert [page.status for page in sent] == [404, 404, 404, 404, 405, 400, 413]
    for page in sent:
        assert names_the_office(page), page.url
        assert "はじめの画面へ戻る" in page.links
        assert [tag for tag, _ in page.tags].count("h1") == 1


def test_no_procedure_open_says_what_to_do(resident: Resident, session: Session) -> None:
    for category in session.scalars(select(BookingCategory)):
        category.is_open = False
    page = resident.open("/book/")
    assert "受け付けている手続きはありません" in page.text
    assert names_the_office(page)


def test_no_counter_open_says_what_to_do(resident: Resident, session: Session) -> None:
    for place in session.scalars(select(Counter)):
        place.is_open = False
    page = resident.open("/book/pickup/")
    assert "受け付けている窓口はありません" in page.text
    assert names_the_office(page)
    assert "ほかの手続きを選んで" in page.links


@pytest.mark.parametrize("path", ["/book/pickup/", "/book/pickup/sannomiya/", "/book/pickup/sannomiya/{day}/{slot}/"])
def test_no_free_day_for_months_says_what_to_do(resident: Resident, session: Session, path: str) -> None:
    slot = free_slot(session, places=1, used=1)
    page = resident.open(path.format(day=slot.slot_date, slot=slot.id))
    assert "どの窓口にも空きがありません" in page.text
    assert "予約できる日は毎日1日ずつ増え" in page.text
    assert names_the_office(page)


@pytest.mark.parametrize(("days", "said"), [(5, "この日は満席です"), (6, "この日は予約を受け付けていません")])
def test_full_and_closed_day_lead_to_other_days(resident: Resident, session: Session, days: int, said: str) -> None:
    slot = free_slot(session, places=1, used=1)
    page = resident.open(f"/book/pickup/sannomiya/{today() + timedelta(days=days)}/")
    assert said in page.text
    assert names_the_office(page)
    assert resident.follow("ほかの日を選ぶ").status == 200
    assert slot.used == 1
