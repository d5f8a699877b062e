"""Other languages in a real browser: long words fit a small screen, and choosing a language never costs what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from booking.tongue import catalogue
from models import Language
from tests.booking_pages import GOOD, free_slot
from tests.browsing import Window, windows
from tests.guests import LATIN
from tests.test_browser_residents import SMALL_TARGETS, TOO_WIDE

pytestmark = pytest.mark.browser
TYPED = {**GOOD, "email": "hanako@example.jp", "message": "車いすです。\n二人です。", "building": "101"}


@pytest.fixture
def window(chromium: Browser, resident_app: Flask) -> Iterator[Window]:
    with windows(chromium, resident_app) as opening:
        yield partial(opening, width=390)


def press(page: Page, words: str, language: Language) -> None:
    page.get_by_role("button", name=catalogue(language).gettext(words), exact=True).last.click()


def steps(page: Page, session: Session, language: Language) -> Iterator[str]:
    """The whole way, stopping at each page; what is folded up is opened."""
    free_slot(session)
    session.commit()
    page.goto(f"/?lang={language.value}")
    yield "start"
    page.goto("/book/")
    for summary in page.locator("summary").all():
        summary.click()
    yield "procedures"
    page.goto("/book/pickup/")
    page.locator("summary").click()
    yield "counters"
    page.goto("/book/pickup/sannomiya/")
    yield "month"
    page.locator(".month td a").first.click()
    yield "times"
    page.get_by_role("button", name="10:00").click()
    yield "form"
    press(page, "確認画面へ進む", language)
    yield "form, corrected"
    for field, typed in LATIN.items():
        page.fill(f"#{field}", "グエン" if field == "name_kana" else typed)
    press(page, "確認画面へ進む", language)
    yield "check"
    press(page, "この内容で予約する", language)
    yield "check without consent"
    page.check("#consent")
    press(page, "この内容で予約する", language)
    yield "done"
    page.goto("/lookup")
    press(page, "確認する", language)
    yield "look-up, corrected"
    page.goto("/nowhere")
    yield "nowhere"


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("language", [Language.VI, Language.EN, Language.EASY])
def test_long_words_fit_the_screen_and_the_finger(window: Window, session: Session, language: Language, width: int) -> None:
    page, wrong = window(width=width), {}
    for step in steps(page, session, language):
        page.wait_for_selector("footer")
        page.wait_for_load_state()
        wrong[step] = (page.evaluate(TOO_WIDE), page.evaluate(SMALL_TARGETS))
    assert {step: found for step, found in wrong.items() if found != (0, [])} == {}


def to_form(page: Page, session: Session) -> None:
    free_slot(session)
    session.commit()
    page.goto("/book/pickup/sannomiya/")
    page.locator(".month td a").first.click()
    page.get_by_role("button", name="10:00").click()


@pytest.mark.parametrize("script", [True, False])
def test_every_language_in_turn_keeps_what_is_typed(window: Window, session: Session, script: bool) -> None:
    page = window(script=script)
    to_form(page, session)
    for field, typed in TYPED.items():
        page.fill(f"#{field}", typed)
    page.check("input[name=sex][value=female]")
    for language in [*list(Language)[1:], Language.JA]:
        page.get_by_role("button", name=language.label, exact=True).click()
        expect(page.locator(".languages b")).to_have_text(language.label)
        assert {field: page.input_value(f"#{field}") for field in TYPED} == TYPED
        assert page.is_checked("input[name=sex][value=female]")
    press(page, "確認画面へ進む", Language.JA)
    page.wait_for_url("**/check*")


def test_enter_goes_on_and_does_not_change_the_language(window: Window, session: Session) -> None:
    page = window()
    to_form(page, session)
    for field, typed in TYPED.items():
        page.fill(f"#{field}", typed)
    page.focus("#phone")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check*")
    assert page.inner_text(".languages b") == "日本語"
    page.goto("/lookup")
    page.fill("#code", "AAA")
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    assert page.inner_text(".languages b") == "日本語"


def test_the_clock_of_a_kept_time_speaks_the_language(window: Window, session: Session) -> None:
    page = window()
    page.goto("/?lang=en")
    to_form(page, session)
    expect(page.locator("[data-left]")).to_contain_text("min")
    expect(page.locator("[data-left]")).not_to_contain_text("{")
    page.evaluate("document.querySelector('[data-until]').dataset.until = '2020-01-01T00:00:00Z'")
    assert "%" not in page.inner_text(".held")


def test_the_languages_are_reached_by_keyboard_and_named_in_themselves(window: Window, session: Session) -> None:
    page = window()
    page.goto("/")
    page.get_by_role("navigation", name="言語").get_by_role("link", name="한국어").focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    assert page.get_attribute(".languages b", "lang") == "ko"
