"""The staff site in a real browser: by keyboard, in two windows, on a phone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from models import Card, Counter, CounterHours, Shipment
from tests import samples
from tests.databases import PASSWORD, browser

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Window = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=browser(), args=FLAGS)


@pytest.fixture
def window(chromium: Browser, staff_app: Flask) -> Iterator[Window]:
    """`window("staff")`: a browser window of that person's own, signed in. It must come by without an error of its own."""
    server = make_server("127.0.0.1", 0, staff_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    opened, wrong = [], []

    def signed_in(username: str, width: int = 1280) -> Page:
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{server.server_port}", locale="ja-JP", viewport={"width": width, "height": 844}
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        page.on(
            "request",
            lambda request: wrong.append(request.url) if "127.0.0.1" not in request.url and ":" in request.url[:6] else None,
        )
        opened.append(context)
        page.goto("/login/")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("details.who")
        page.wait_for_load_state()
        return page

    yield signed_in
    for context in opened:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert wrong == []


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
    assert edit(second, "三宮 第二") == "三宮 第一" and "ほかの人が先に変更しました" in second.inner_text("#cell-message")
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


def test_every_screen_fits_a_phone(window: Window, session: Session) -> None:
    card = samples.card(session, name="寿限無" * 60, memo="長" * 900, address="あ" * 300)
    samples.shipment(session, card)
    key = card.id
    session.commit()
    page = window("manager", width=390)
    assert page.get_attribute("details.menu", "open") is None
    for path in (
        "/",
        "/card/list/",
        f"/card/show/{key}",
        f"/card/edit/{key}",
        "/shipment/add",
        "/shipment/list/",
        "/card/export",
        "/card/import",
        "/operation_log/list/",
        "/masters/",
        "/masters/counter/",
        "/masters/counter/edit/1",
        "/masters/desk_pool/edit/1",
        "/staff/list/",
    ):
        page.goto(path)
        faults: Any = page.evaluate(AUDIT)
        assert faults == {"wide": 390, "unnamed": [], "twice": [], "headings": 1, "language": "ja"}, path


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
  wide: document.documentElement.scrollWidth,
  unnamed: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((e) => !e.labels?.length && !e.ariaLabel && !e.getAttribute("aria-labelledby")).map((e) => e.name),
  twice: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, n, all) => all.indexOf(id) !== n),
  headings: document.querySelectorAll("h1").length,
  language: document.documentElement.lang,
})"""
