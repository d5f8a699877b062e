"""The residents' site in a real browser: with and without JavaScript, on a phone and on a desk, forwards and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking import words
from tests.booking_pages import GOOD, free_slot, in_use, stored, today
from tests.browsing import Window, windows

pytestmark = pytest.mark.browser
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """
() => [...document.querySelectorAll("a[href], button, input, textarea, summary")]
  .filter((e) => e.type !== "hidden" && !e.matches(".unseen, .skip") && e.checkVisibility())
  .map((e) => [e.matches("[type=radio], [type=checkbox]") ? e.closest("label") : e])
  .map(([e]) => [(e.innerText || e.name || e.tagName).slice(0, 30), e.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
  .map(([name, box]) => `${name} ${Math.round(box.width)}×${Math.round(box.height)}`)
"""
"""What a finger or an unsteady hand would miss."""


@pytest.fixture
def window(chromium: Browser, resident_app: Flask) -> Iterator[Window]:
    with windows(chromium, resident_app) as opening:
        yield partial(opening, width=390)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).last.click()


def fill_in(page: Page, **changes: str) -> None:
    for field, typed in {**GOOD, **changes}.items():
        page.fill(f"#{field}", typed)


def to_form(page: Page) -> None:
    page.goto("/book/pickup/sannomiya/")
    page.get_by_role("link", name="空きあり").first.click()
    page.get_by_role("button", name="10:00").click()


def to_check(page: Page) -> None:
    to_form(page)
    fill_in(page)
    press(page, "確認画面へ進む")


def book(page: Page) -> None:
    to_check(page)
    page.check("#consent")
    press(page, "この内容で予約する")
    page.wait_for_url("**/booked/**")


def back_from(page: Page) -> None:
    """Goes back, also to a page that was kept as it was left, whose coming nobody announces."""
    page.evaluate("window.isLeft = true; history.back()")
    page.wait_for_function("!window.isLeft")  # its address may be the same, when both lead to the booking within one second
    page.wait_for_selector("h1")


def steps(page: Page, session: Session) -> Iterator[str]:
    """Walks the whole way as a person does, stopping at each page."""
    session.commit()
    day = today() + timedelta(days=5)
    page.goto("/")
    yield "はじめ"
    page.get_by_role("link", name="予約する").first.click()
    yield "手続き"
    page.get_by_role("link", name="カードを受け取る").click()
    yield "場所"
    page.get_by_role("link", name="三宮サテライト").click()
    yield "日にち"
    page.get_by_role("link", name=f"{words.named_day(day)} 空きあり").click()
    yield "時間"
    page.get_by_role("button", name="10:00").click()
    yield "お客さま"
    press(page, "確認画面へ進む")
    yield "直すところ"
    fill_in(page)
    press(page, "確認画面へ進む")
    yield "確認"
    press(page, "この内容で予約する")
    yield "同意"
    page.check("#consent")
    press(page, "この内容で予約する")
    yield "完了"
    page.goto("/lookup")
    yield "照会"
    page.fill("#code", "AAAAA")
    press(page, "確認する")
    yield "照会の直すところ"
    code = stored(session)[0].booking_code
    session.commit()
    page.fill("#code", code)
    page.fill("#phone", GOOD["phone"])
    press(page, "確認する")
    yield "予約の内容"
    page.goto("/nothing")
    yield "ない画面"


@pytest.mark.parametrize(("width", "script"), [(390, True), (320, False), (1280, False)])
def test_every_step_fits_the_screen_and_the_finger(window: Window, session: Session, width: int, script: bool) -> None:
    free_slot(session)
    page, wrong = window(width=width, script=script), {}
    for step in steps(page, session):
        page.wait_for_selector("footer")
        page.wait_for_load_state()
        assert page.locator("h1").count() == 1, step
        assert script or not page.get_by_role("button", name="印刷").count(), "what needs a script is not shown without one"
        wrong[step] = (page.evaluate(TOO_WIDE), page.evaluate(SMALL_TARGETS))
    assert {step: found for step, found in wrong.items() if found != (0, [])} == {}
    assert len(stored(session)) == 1


@pytest.mark.parametrize("script", [True, False])
def test_mistakes_are_where_the_reader_begins(window: Window, session: Session, script: bool) -> None:
    free_slot(session)
    page = window(script=script)
    session.commit()
    to_form(page)
    press(page, "確認画面へ進む")
    expect(page.locator("#errors")).to_be_focused()
    assert "入力の確認" in page.title()
    page.get_by_role("link", name="電話番号を入力してください").click()
    expect(page.locator("#phone")).to_be_focused()
    fill_in(page)
    press(page, "確認画面へ進む")
    press(page, "この内容で予約する")
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_role("link", name="同意のしるし").click()
    expect(page.locator("#consent")).to_be_focused()


def test_phones_fill_in_and_show_the_right_keys(window: Window, session: Session) -> None:
    free_slot(session)
    session.commit()
    page = window()
    to_form(page)
    found = {
        name: (page.get_attribute(f"#{name}", "autocomplete"), page.get_attribute(f"#{name}", "inputmode"))
        for name in (*GOOD, "building", "email")
    }
    assert found == {
        "name": ("name", None),
        "name_kana": (None, None),
        "birth_year": ("bday-year", None),  # 昭和35 is welcome
        "birth_month": ("bday-month", "numeric"),
        "birth_day": ("bday-day", "numeric"),
        "postal_code": ("postal-code", "numeric"),
        "address": ("address-line1", None),
        "building": ("address-line2", None),
        "phone": ("tel-national", "tel"),
        "email": ("email", "email"),
    }
    for label in ("お名前", "フリガナ", "生年月日の年", "住所", "電話番号", "メールアドレス"):
        assert page.get_by_label(label).count() == 1, label


def test_check_page_shows_the_privacy_notice_before_the_button(window: Window, session: Session) -> None:
    free_slot(session)
    session.commit()
    page = window()
    to_check(page)
    order = page.evaluate("document.body.innerText")
    assert 0 < order.index("使いみちは") < order.index("同意します") < order.rindex("この内容で予約する")
    assert not page.is_checked("#consent")


@pytest.mark.parametrize("script", [True, False])
def test_back_and_reload_after_booking_never_book_again(window: Window, session: Session, script: bool) -> None:
    free_slot(session)
    session.commit()
    page = window(script=script)
    book(page)
    code = page.inner_text(".code")
    page.reload()
    assert code in page.inner_text("main")
    for _ in range(2):
        back_from(page)
        if "/booked/" not in page.url:  # the browser kept the page as it was left: sending it does no harm
            for box in page.locator("#consent").all():
                box.check()
            page.locator("button.primary").click()
        page.wait_for_url("**/booked/**")
        assert page.inner_text(".code") == code
    assert (len(stored(session)), in_use(session)) == (1, 1)


@pytest.mark.each_database
def test_a_second_tab_left_at_the_check_page_makes_no_second_booking(window: Window, session: Session) -> None:
    free_slot(session)
    session.commit()
    page = window()
    to_check(page)
    tab = page.context.new_page()
    tab.goto(page.url)
    for one in (page, tab):
        one.check("#consent")
        press(one, "この内容で予約する")
        one.wait_for_url("**/booked/**")
    assert page.inner_text(".code") == tab.inner_text(".code")
    tab.goto(page.url)
    assert (len(stored(session)), in_use(session)) == (1, 1)
