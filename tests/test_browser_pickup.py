"""A pick-up in a real browser: on a phone, without a script, for a family; and nothing on its pages keeps anybody out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import update
from sqlalchemy.orm import Session

from models import BookingCategory, ReservationState
from tests import samples
from tests.booking_pages import GOOD, free_slot, stored
from tests.browsing import Window, windows
from tests.samples import NOTICE
from tests.test_browser_residents import SMALL_TARGETS, TOO_WIDE, press

pytestmark = pytest.mark.browser
FAMILY = "DEF222333"


@pytest.fixture
def window(chromium: Browser, resident_app: Flask, session: Session) -> Iterator[Window]:
    asked = update(BookingCategory).where(BookingCategory.code == "pickup").values(asks_notice=True)
    session.execute(asked, execution_options={"by_rule": "test"})
    for number in (NOTICE, FAMILY):
        samples.ready_card(session, notice_no=number)
    free_slot(session)
    session.commit()
    with windows(chromium, resident_app) as opening:
        yield partial(opening, width=390)


def unlock(page: Page, number: str, button: str, day: str = "1") -> None:
    for field, typed in {"number": number, "birth_year": "S55", "birth_month": "4", "birth_day": day}.items():
        page.fill(f"#{field}", typed)
    press(page, button)


def steps(page: Page) -> Iterator[str]:
    """The whole way of a family, stopping at each page."""
    page.goto("/book/pickup/")
    yield "notice"
    press(page, "確認して進む")
    yield "nothing typed"
    unlock(page, NOTICE, "確認して進む", day="2")
    yield "no match"
    unlock(page, NOTICE, "確認して進む")
    yield "counters"
    page.click("text=家族のカードも一緒に受け取る")
    yield "family"
    unlock(page, FAMILY, "もう1人分を確認する")
    yield "two"
    page.click("text=三宮サテライト")
    yield "month"
    page.get_by_role("link", name="空きあり").first.click()
    press(page, "10:00")
    for field, typed in GOOD.items():
        if not field.startswith("birth"):
            page.fill(f"#{field}", typed)
    press(page, "次の方の入力へ進む")
    page.fill("#m2-name", "髙橋 一郎")
    page.fill("#m2-name_kana", "タカハシ イチロウ")
    yield "second person"
    press(page, "確認画面へ進む")
    page.check("#consent")
    press(page, "この内容で予約する")
    page.wait_for_url("**/booked/**")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_family_books_its_cards_on_a_phone(window: Window, session: Session, script: bool) -> None:
    page, faults = window(script=script), {}
    for step in steps(page):
        if not script:
            continue
        found = [f"{one['id']} {one['nodes'][0]['html']}" for one in Axe().run(page).response["violations"]]
        found += [f"too wide by {page.evaluate(TOO_WIDE)}"] if page.evaluate(TOO_WIDE) else []
        faults[step] = found + page.evaluate(SMALL_TARGETS)
    assert {step: found for step, found in faults.items() if found} == {}
    rows = stored(session)
    assert [row.state for row in rows] == [ReservationState.BOOKED] * 2
    assert len({row.pickup_ref for row in rows} - {None}) == 2
    assert [f"{row.birth_date}" for row in rows] == ["1980-04-01"] * 2, "taken from the notices"
