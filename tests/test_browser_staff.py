"""The staff site in a real browser: by keyboard, in two windows, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.schema import specs
from models import Card, Counter, CounterHours, Reservation, Shipment, Staff
from tests import samples
from tests.browsing import Window, signing_in, windows
from tests.rows import fill
from views.address import add_of, home_of, list_of

pytestmark = pytest.mark.browser


@pytest.fixture
def window(chromium: Browser, staff_app: Flask) -> Iterator[Window]:
    """`window("staff")`: a browser window of that person's own, signed in."""
    with windows(chromium, staff_app) as opening:
        yield signing_in(opening)


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.id || document.activeElement.className || document.activeElement.tagName")
    return found


def type_through(page: Page, *words: str) -> None:
    """Types into one box after the other, going on with Enter."""
    for word in words:
        page.keyboard.type(word)
        page.keyboard.press("Enter")


def test_a_card_is_registered_without_a_mouse(window: Window, session: Session) -> None:
    page = window("staff")
    page.goto("/card/add")
    for _ in range(2):
        page.keyboard.press("Tab" if _ == 0 else "Enter")  # past the menu by the skip link
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "application_no"
    type_through(page, "", "髙橋　一郎", "たかはし　いちろう")
    assert focused(page) == "birth_date"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#errors")
    assert focused(page) == "address", "the first mistake has the focus"
    assert page.input_value("#name") == "髙橋　一郎" and page.input_value("#issue_site") == "1", (
        "the only counter of a clerk is proposed"
    )
    page.keyboard.type("神戸市中央区加納町9丁目")
    assert page.input_value("#application_date"), "today is proposed"
    page.fill("#application_date", "2026-11-20")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/card/show/*")
    assert "を登録しました" in page.inner_text(".band")
    card = session.scalars(select(Card)).one()
    assert (card.name, card.name_kana) == ("髙橋　一郎", "タカハシ イチロウ")


@pytest.mark.each_database
def test_the_slash_key_finds_and_the_picker_picks(window: Window, session: Session) -> None:
    key = samples.card(session, name="髙橋 一郎", application_no="1" * 23).id
    samples.card(session, name="高橋 花子", application_no="2" * 23)
    session.commit()  # and asked nothing more until the browser is done: SQLite has one writer
    page = window("staff")
    page.keyboard.press("/")
    assert focused(page) == "jump"
    type_through(page, "1" * 23)
    page.wait_for_url(f"**/card/show/{key}")
    page.keyboard.press("/")
    type_through(page, "高橋")
    page.wait_for_url("**/card/list/?s=*")
    assert page.locator("tbody tr").count() == 2
    page.goto("/shipment/add")
    page.focus("#card")
    page.keyboard.type("髙橋")
    page.wait_for_selector("#card-list [role=option] >> nth=1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#card", "aria-activedescendant") == "card-list-1"
    page.keyboard.press("Enter")
    assert page.input_value("#card") == "1" * 23 and page.is_hidden("#card-list")
    page.keyboard.press("Enter")
    assert focused(page) == "item_kind"
    page.select_option("#item_kind", "notice")
    for box, words in (
        ("sent_date", "2026-11-20"),
        ("postal_code", "６５０-０００１"),
        ("name", "髙橋 一郎"),
        ("address", "神戸市"),
    ):
        page.fill(f"#{box}", words)
    page.dblclick("button.primary")
    page.wait_for_url("**/shipment/show/*")
    assert [s.card_id for s in session.scalars(select(Shipment))] == [key], "a double click sends once"


def test_a_list_is_as_it_was_left(window: Window, session: Session) -> None:
    for n in range(30):
        samples.card(session, name=f"山田 {n}郎")
    session.commit()
    page = window("staff")
    page.goto("/card/list/?size=20&order=application_date.asc")
    page.click("text=次 ▶")
    page.wait_for_url("**after=*")
    left = page.url
    page.click("tbody .name a >> nth=3")
    page.wait_for_url("**/card/show/*")
    page.click("text=編集")
    page.wait_for_url("**/card/edit/*")
    page.click("text=カードの一覧に戻る")
    page.wait_for_url(left)
    assert page.locator("tbody tr").count() == 10


def test_a_picker_says_what_it_takes_and_when_there_is_nothing(window: Window, session: Session) -> None:
    samples.card(session, name="寿限無" * 60)
    session.commit()
    page = window("staff")
    page.goto("/shipment/add")
    assert "氏名" in page.inner_text("#card-how")
    page.focus("#card")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#card-list [role=option]")
    assert page.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.getElementById('card-list'))")
    page.keyboard.press("Escape")
    assert page.is_hidden("#card-list") and page.get_attribute("#card", "aria-expanded") == "false"
    page.keyboard.type("いない人")
    page.wait_for_selector("text=当てはまるものがありません。")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.input_value("[name=card]") == ""


@pytest.mark.each_database
def test_two_windows_one_card(window: Window, session: Session) -> None:
    key = samples.card(session, name="山田 太郎", memo="").id
    session.commit()
    first, second = window("manager"), window("staff")
    for page in (first, second):
        page.goto(f"/card/edit/{key}")
    first.fill("#name", "山田 次郎")
    first.fill("#memo", "電話あり")
    first.keyboard.press("Control+Enter")
    first.wait_for_url("**/show/*")
    second.fill("#name", "山田 三郎")
    second.fill("#address", "神戸市灘区")
    second.keyboard.press("Control+Enter")
    second.wait_for_selector(".clash")
    assert focused(second) == "errors"
    assert second.is_checked("[name=choice-memo][value=theirs]") and second.is_checked("[name=choice-address][value=mine]")
    second.click("text=選んだ値で保存する")
    assert second.url.endswith(f"/card/edit/{key}"), "what both changed must be decided"
    second.check("[name=choice-name][value=mine]")
    second.click("text=選んだ値で保存する")
    second.wait_for_url("**/show/*")
    card = session.get_one(Card, key)
    assert (card.name, card.memo, card.address) == ("山田 三郎", "電話あり", "神戸市灘区")


@pytest.mark.each_database
def test_cells_are_edited_in_the_list(window: Window, session: Session) -> None:
    first, second = window("manager"), window("admin")
    cell = "tr[data-pk='1'] button.cell[data-name=name]"
    for page in (first, second):
        page.goto("/masters/counter/")

    def edit(page: Page, words: str, key: str = "Enter") -> str:
        page.focus(cell)
        page.keyboard.press("Enter")
        page.keyboard.type(words)
        page.keyboard.press(key)
        page.wait_for_selector("#cell-message:visible")
        page.wait_for_selector(cell)
        return page.inner_text(cell)

    assert edit(first, "三宮 第一") == "三宮 第一" and focused(first) == "cell"
    assert edit(second, "三宮 第二") == "三宮 第一" and "入力した値：三宮 第二" in second.inner_text("#cell-message")
    assert edit(second, "三宮 第二", "Tab") == "三宮 第二" and second.evaluate("document.activeElement.dataset.name") == "address"
    second.focus(cell)
    second.keyboard.press("Enter")
    second.keyboard.type("捨てる")
    second.keyboard.press("Escape")
    assert second.inner_text(cell) == "三宮 第二"
    second.context.set_offline(True)
    second.keyboard.press("Enter")
    second.keyboard.type("三宮サテライト")
    second.keyboard.press("Enter")
    second.wait_for_selector("text=通信を確かめて")
    second.context.set_offline(False)
    second.keyboard.press("Enter")
    second.wait_for_selector(".saved " + "button.cell[data-name=name]")
    session.expire_all()
    assert session.get_one(Counter, 1).name == "三宮サテライト"


def test_hours_are_entered_by_keyboard(window: Window, session: Session) -> None:
    page = window("manager")
    page.goto("/masters/counter/edit/1")
    page.fill("[name=hours-1-opens]", "18:00")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#errors")
    assert "「終了」は「開始」より後にしてください。" in page.inner_text("#errors")
    assert focused(page) == "hours-1-opens"
    page.fill("[name=hours-1-opens]", "08:30")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/masters/counter/")
    assert f"{session.get_one(CounterHours, 1).opens:%H:%M}" == "08:30"


def screens(keys: dict[str, int]) -> Iterator[str]:
    """Every page of every table, on both panels, and those that no table has."""
    yield from ("/", "/password/", "/masters/", "/role/list/", "/role/edit/1", "/card/export", "/card/import", "/nothing/at/all")
    yield from (
        "/calendar/day/2026-12-02",
        "/calendar/week/2026-12-02",
        "/calendar/month/2026-12",
        "/calendar/day/2026-12-02/print",
    )
    for spec in specs().values():
        if spec.inline_of:
            continue
        home, key = home_of(spec), keys[spec.name]
        yield list_of(spec)
        yield f"{home}/show/{key}"
        if spec.can_add:
            yield add_of(spec)
        if spec.can_change:
            yield f"{home}/edit/{key}"


def test_every_screen_fits_a_phone(window: Window, session: Session) -> None:
    """One person who may open everything, in one window."""
    keys = fill(session, "sannomiya", LONG[:200])
    card = session.get_one(Card, keys["card"])
    card.memo, card.address = LONG, LONG[:300]
    session.get_one(Reservation, keys["reservation"]).message = LONG[:500]
    keys["card_note"] = samples.note(session, card, LONG).id
    names = ("staff", "manager", "admin")
    clerk, manager, admin = (session.scalars(select(Staff).where(Staff.username == name)).one() for name in names)
    clerk.roles = [*clerk.roles, *manager.roles, *admin.roles]
    session.commit()
    page = window("staff", width=390)
    assert page.get_attribute("details.menu", "open") is None
    faults, answers = {}, {}
    for path in screens(keys):
        answer = page.goto(path)
        answers[path] = answer.status if answer else 0
        faults[path] = page.evaluate(AUDIT)
    assert {path: status for path, status in answers.items() if status != 200} == {"/nothing/at/all": 404}
    assert {path: found for path, found in faults.items() if found != SOUND} == {}


def test_what_a_form_leads_to_fits_a_phone(window: Window, session: Session) -> None:
    card = samples.card(session, name="山田 太郎", memo=LONG[:300])
    samples.shipment(session, card, name="山田 花子")
    key = card.id
    session.commit()
    page, faults = window("manager", width=390), {}

    def look(name: str, sign: str) -> None:
        page.wait_for_selector(sign)
        faults[name] = page.evaluate(AUDIT)

    page.goto(f"/card/edit/{key}")
    card.memo = LONG
    session.commit()  # somebody else, meanwhile
    page.fill("#memo", LONG[:900])
    page.keyboard.press("Control+Enter")
    look("conflict", ".clash")
    page.goto("/card/add")
    page.click("text=登録する")
    look("mistakes", "#errors")
    for name, address in (("a preview", LONG[:300]), ("mistakes of a file", "")):
        page.goto("/card/import")
        lines = [
            "氏名,住所,申請受付日,申請場所,カード交付場所",
            f"{LONG[:200]},{address},2026-11-01,三宮サテライト,三宮サテライト",
        ]
        page.set_input_files("#file", {"name": "cards.csv", "mimeType": "text/csv", "buffer": "\r\n".join(lines).encode()})
        page.click("text=内容を確かめる")
        look(name, "button:has-text('取り込む')" if address else ".band.bad")
    page.goto("/")
    page.fill("#jump", "山田")
    page.keyboard.press("Enter")
    look("what was found", "section.related")
    assert {name: found for name, found in faults.items() if found != SOUND} == {}


def test_rows_are_cards_on_a_phone(window: Window, session: Session) -> None:
    samples.shipment(session, samples.card(session, name="寿限無" * 60), name="寿限無" * 60)
    session.commit()
    page = window("manager", width=390)
    for path in ("/card/list/", "/shipment/list/", "/masters/counter/", "/operation_log/list/", "/role/list/"):
        page.goto(path)
        assert page.evaluate(SMALL, 44) == [], path
        assert page.evaluate("[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth).length") == 0
        named, other = page.locator(".cards tbody .name").first, page.locator(".cards tbody td:not(.name, .tick)").first
        assert named.bounding_box()["y"] < other.bounding_box()["y"], path  # type: ignore[index]
    page.goto("/shipment/list/")
    assert not page.is_visible("#f-item_kind") and page.is_visible("#q")
    page.click("text=絞り込み条件")
    page.select_option("#f-item_kind", "notice")
    page.click("text=絞り込む")
    page.wait_for_url("**item_kind=notice**")
    assert page.is_visible("text=1件を指定中")


def test_a_long_list_keeps_its_heads_and_its_targets_are_large_enough(window: Window, session: Session) -> None:
    for _ in range(60):
        samples.shipment(session, samples.card(session))
    session.commit()
    page = window("manager")
    for path, size in (("/card/list/", 24), ("/shipment/list/", 24), ("/masters/counter/", 24)):
        page.goto(path)
        assert page.evaluate(SMALL, size) == [], path
    assert page.evaluate(
        "[...document.querySelectorAll('button.cell')].every((e) => e.offsetHeight >= 32 && e.offsetWidth >= 32)"
    )
    for path in ("/card/list/", "/shipment/list/"):
        page.goto(path)
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        box = page.locator(".list thead th").nth(1).bounding_box()
        assert box and box["y"] >= 0, path


SMALL = """(least) => [...document.querySelectorAll("main a, main button, main summary, main .tick label")]
  .filter((e) => e.checkVisibility() && !e.closest(".sr") && !e.matches(least > 24 ? "td:not(.name, .open) > a" : "x"))
  .filter((e) => e.getBoundingClientRect().height < least).map((e) => e.outerHTML.slice(0, 80))"""
AUDIT = """() => ({
  wide: (document.querySelector("main").style.overflowX = "visible") && document.documentElement.scrollWidth,  // nothing is cut off
  unnamed: [...document.querySelectorAll("input:not([type=hidden], [hidden]), select, textarea")]
    .filter((e) => !e.labels?.length && !e.ariaLabel && !e.getAttribute("aria-labelledby")).map((e) => e.name),
  twice: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, n, all) => all.indexOf(id) !== n),
  headings: document.querySelectorAll("h1").length,
  language: document.documentElement.lang,
})"""
SOUND: Any = {"wide": 390, "unnamed": [], "twice": [], "headings": 1, "language": "ja"}
LONG = "寿限無" * 30 + "Wolfeschlegelsteinhausenbergerdorff" * 4 + "長" * 760
