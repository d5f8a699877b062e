"""予約カレンダー in a real browser: another time by keyboard, by dragging and without script; and the sheet of a day on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from models import Channel, Reservation, Slot
from tests import samples
from tests.booking_pages import free_slot, today
from tests.browsing import Window, signing_in, windows

pytestmark = pytest.mark.browser
AHEAD = 5
DAY = f"/calendar/day/{today() + timedelta(days=AHEAD)}"
FACTS = ("name", "phone")


@pytest.fixture
def window(chromium: Browser, staff_app: Flask) -> Iterator[Window]:
    with windows(chromium, staff_app) as opening:
        yield signing_in(opening)


@pytest.fixture
def booked(session: Session) -> tuple[int, dict[int, int]]:
    """Somebody at ten, five days from now; eleven and two o'clock are free, one o'clock is full. The keys of the slots by hour."""
    slots = {
        hour: free_slot(session, days=AHEAD, hour=hour, places=3, used=used, channel=Channel.COUNTER)
        for hour, used in ((10, 1), (11, 0), (13, 3), (14, 2))
    }
    row = samples.reservation(session, slot=slots[10], channel=Channel.COUNTER, booking_code="AAAAA22222")
    keys = row.id, {hour: slot.id for hour, slot in slots.items()}
    session.commit()  # and asked nothing more until the browser is done: SQLite has one writer
    return keys


def said(page: Page) -> str:
    return page.inner_text("[data-say]")


def stands(session: Session, booked: tuple[int, dict[int, int]]) -> tuple[int, list[int]]:
    """The hour at which the reservation stands, and how many places each slot has given away."""
    session.expire_all()
    key, slots = booked
    row = session.get_one(Reservation, key)
    used = [session.get_one(Slot, slot).used for slot in slots.values()]
    hour = row.start_time.hour
    assert slots[hour] == row.slot_id
    session.rollback()
    return hour, used


def confirm(page: Page) -> None:
    """On the page that shows old and new: says what was asked, and sends it without a mouse."""
    page.wait_for_selector("h2:has-text('新しい予約')")
    for fact in FACTS:
        page.focus(f"[name=facts][value={fact}]")
        page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")


@pytest.mark.each_database
def test_a_reservation_is_moved_by_keyboard(window: Window, session: Session, booked: tuple[int, dict[int, int]]) -> None:
    key = booked[0]
    page = window("staff")
    page.goto(DAY)
    day = today() + timedelta(days=AHEAD)
    page.focus(f"#visit-{key}")
    page.keyboard.press("m")
    page.wait_for_selector("[data-moving]")
    words = f"{day.month}月{day.day}日 {{}} 三宮サテライト 空き{{}}"
    assert said(page) == words.format("11:00", 3), "the nearest free time of the same counter has the focus"
    page.keyboard.press("ArrowDown")
    assert said(page) == words.format("14:00", 1), "what is full is passed over"
    page.keyboard.press("ArrowDown")
    assert said(page) == words.format("14:00", 1)
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{DAY}#visit-{key}")
    expect(page.locator(f"#visit-{key}")).to_be_focused()
    assert stands(session, booked) == (10, [1, 0, 3, 2])
    page.keyboard.press("m")
    page.wait_for_selector("[data-moving]")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_url("**/reservation/move/**")
    assert stands(session, booked) == (10, [1, 0, 3, 2]), "nothing is moved before it is confirmed"
    confirm(page)
    page.wait_for_url(f"**{DAY}#visit-{key}")
    assert "に変更しました" in page.inner_text(".band.good")
    expect(page.locator(f"td[data-time='14:00'] #visit-{key}")).to_be_focused()
    assert stands(session, booked) == (14, [0, 0, 3, 3])


def test_pages_are_turned_while_another_time_is_looked_for(
    window: Window, session: Session, booked: tuple[int, dict[int, int]]
) -> None:
    page = window("staff")
    page.goto(f"{DAY}?moving={booked[0]}")
    for key, ahead in (("PageDown", AHEAD + 1), ("PageUp", AHEAD)):
        page.keyboard.press(key)
        page.wait_for_url(f"**/calendar/day/{today() + timedelta(days=ahead)}?moving={booked[0]}")
        page.wait_for_selector("[data-moving]")
        assert ("移せる空きはありません" in page.inner_text("[data-moving]")) is (key == "PageDown")


def test_a_reservation_is_moved_by_dragging(window: Window, session: Session, booked: tuple[int, dict[int, int]]) -> None:
    key = booked[0]
    page = window("staff")
    page.goto(DAY)
    page.drag_and_drop(f"li:has(#visit-{key})", "td[data-time='13:00']")
    page.wait_for_selector(".drop-note")
    assert "移せません" in page.inner_text(".drop-note") and page.url.endswith(DAY)
    assert stands(session, booked) == (10, [1, 0, 3, 2])
    page.drag_and_drop(f"#visit-{key}", "td[data-time='11:00']")
    page.wait_for_url("**/reservation/move/**")
    assert stands(session, booked) == (10, [1, 0, 3, 2]), "dropping asks first"
    confirm(page)
    page.wait_for_url(f"**{DAY}#visit-{key}")
    expect(page.locator(f"td[data-time='11:00'] #visit-{key}")).to_have_count(1)
    assert stands(session, booked) == (11, [0, 1, 3, 2])


def test_a_drop_that_cannot_be_asked_about_says_so(window: Window, session: Session, booked: tuple[int, dict[int, int]]) -> None:
    page = window("staff")
    page.goto(DAY)
    page.context.set_offline(True)
    page.drag_and_drop(f"#visit-{booked[0]}", "td[data-time='11:00']")
    page.wait_for_selector("text=通信を確かめて")
    page.context.set_offline(False)
    assert page.locator(".over, .open, .shut, .held").count() == 0 and stands(session, booked) == (10, [1, 0, 3, 2])


def test_a_reservation_is_moved_without_script(window: Window, session: Session, booked: tuple[int, dict[int, int]]) -> None:
    key = booked[0]
    page = window("staff", script=False)
    page.goto(DAY)
    assert not page.is_visible("kbd")
    page.click(f"li:has(#visit-{key}) .shift")
    page.click("td[data-time='14:00'] .target")
    for fact in FACTS:
        page.check(f"[name=facts][value={fact}]")
    page.click("text=この日時に変更する")
    expect(page.locator(f"td[data-time='14:00'] #visit-{key}")).to_have_count(1)
    assert stands(session, booked) == (14, [0, 0, 3, 3])
    page.click(f"li:has(#visit-{key}) .shift")
    page.click("text=日時を変更")
    assert page.inner_text("h1") == "日時の変更" and page.is_visible("text=空きを見る")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_it_keeps_anybody_out(
    window: Window, session: Session, booked: tuple[int, dict[int, int]], width: int
) -> None:
    """As far as axe can tell."""
    key, slots = booked
    session.get_one(Reservation, key).name = "寿限無" * 60
    session.commit()
    page, month = window("manager", width), f"/calendar/month/{today() + timedelta(days=AHEAD):%Y-%m}"
    found = {}
    for path in (
        DAY,
        f"{DAY}?moving={key}",
        f"{DAY}?state=cancelled&counter=1",
        DAY.replace("day", "week"),
        f"{month}?state=booked",
        f"{month}?moving={key}",
        f"{DAY}/print",
        f"/calendar/day/{today().year + 1}-01-01",
        f"/reservation/move/{key}?to={slots[11]}",
    ):
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
        found[path] = [(one["id"], [node["html"] for node in one["nodes"]]) for one in Axe().run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_the_sheet_of_a_day_fills_pages_counter_by_counter(window: Window, session: Session) -> None:
    for at, many in (("sannomiya", 40), ("tanigami", 3)):
        slot = free_slot(session, days=AHEAD, at=at, places=many, used=many)
        for number in range(many):
            code = f"{at[0].upper() * 4}{number:06}".translate(str.maketrans("01", "ZY"))
            samples.reservation(session, slot=slot, booking_code=code, name="寿限無 " * 5)
    session.commit()
    page = window("manager")
    page.goto(f"{DAY}/print")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('table.sheet thead')).display") == "table-header-group"
    assert not page.is_visible(".top") and not page.is_visible(".menu") and not page.is_visible("button")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 3, "two pages of one counter, and one of the other"
    assert b"/MediaBox [0 0 594" in printed or b"/MediaBox [0 0 595" in printed, "A4, upright"
