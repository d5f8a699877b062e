"""The masters' room in a real browser: from a cell that concerns people to the choice about them, without a mouse."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import DeskPool, ReservationState
from tests.browsing import Window
from tests.test_browser_staff import window  # noqa: F401 - a fixture
from tests.test_effects import booked, desk, slot  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("desk")]


def test_a_cell_leads_by_keyboard_to_the_choice(window: Window, session: Session) -> None:  # noqa: F811
    kept, moved = booked(session, slot(session)), booked(session, slot(session))
    number = session.scalar(select(DeskPool.id).order_by(DeskPool.id))
    session.commit()
    page = window("manager")
    page.goto("/masters/desk_pool/")
    cell = f"tr[data-pk='{number}'] button.cell[data-name=web_places]"
    page.focus(cell)
    page.keyboard.press("Enter")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cell-message a")
    assert "予約1件に影響します" in page.inner_text("#cell-message") and page.inner_text(cell) == "2"
    page.focus("#cell-message a")
    page.keyboard.press("Enter")
    page.wait_for_selector("form.record")
    assert page.input_value("#web_places") == "1"
    page.focus("#web_places")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("button[name=effect]")
    assert page.evaluate("document.activeElement.id") == "errors", "what has to be read first has the focus"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "move"
    page.keyboard.press("Enter")
    page.wait_for_selector(".band.good")
    assert "日時を移した予約1件。" in page.inner_text(".band.good")
    session.expire_all()
    assert (session.get_one(DeskPool, number).web_places, moved.state) == (1, ReservationState.BOOKED)
    assert (kept.slot_id, moved.start_time) == (slot(session).id, slot(session).start_time) and moved.slot_id != kept.slot_id


def test_the_page_fits_a_phone(window: Window, session: Session) -> None:  # noqa: F811
    for _ in range(2):
        booked(session, slot(session))
    number = session.scalar(select(DeskPool.id).order_by(DeskPool.id))
    session.commit()
    page = window("manager", 390)
    page.goto(f"/masters/desk_pool/edit/{number}?web_places=0")
    page.click("form.record button.primary")
    page.wait_for_selector("button[name=effect]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("[...document.querySelectorAll('button[name=effect]')].every((b) => b.offsetHeight >= 32)")
