"""`python -m bench.pictures`: takes README's pictures anew into docs/pictures, of both sites with the small demo, on a day that stands still.

Date and time boxes speak the language of the browser itself: on Debian and Ubuntu that takes chromium-l10n beside chromium.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import time_machine
from playwright.sync_api import Browser, Page, sync_playwright

from app import create_app
from app.cli import load_demo
from app.context import TOKYO
from app.installing import install
from bench.houses import KEY, PASSWORD
from bench.servers import threaded
from config import ROOT, Settings

FOLDER = ROOT / "docs" / "pictures"
NOW = datetime(2026, 11, 24, 9, 40, tzinfo=TOKYO)
SIZES = {"phone": (390, 844), "wide": (1280, 900)}
STAFF = {
    "staff-today": ("staff", "/"),
    "staff-reception": ("staff", "/reception/"),
    "staff-list": ("staff", "/card/list/"),
    "staff-card": ("staff", "/card/list/?state=notified"),
    "masters": ("manager", "/masters/counter/edit/1"),
    "staff-log": ("auditor", f"/operation_log/list/?started_at_to={NOW:%Y}-11-22"),  # what the camera itself did comes later
}
HANAKO = {
    "name": "髙橋 花子",
    "name_kana": "タカハシ ハナコ",
    "birth_year": "1960",
    "birth_month": "4",
    "birth_day": "1",
    "postal_code": "6500001",
    "address": "神戸市中央区加納町9丁目",
    "phone": "0780000000",
}


def main() -> None:
    with (
        time_machine.travel(NOW),
        TemporaryDirectory() as folder,
        _sites(Path(folder)) as (resident, staff),
        _browser() as browser,
    ):
        _residents(browser, resident)
        for name in (
            "staff-today-wide",
            "staff-reception-wide",
            "staff-reception-phone",
            "staff-list-wide",
            "staff-list-phone",
            "staff-card-wide",
            "staff-card-phone",
        ):
            _staff(browser, staff, name)
        for name in ("masters-wide", "masters-phone", "staff-log-wide"):
            _staff(browser, staff, name)


@contextmanager
def _sites(folder: Path) -> Iterator[tuple[int, int]]:
    """The ports of both sites, on a database of their own."""
    settings = Settings(
        _env_file=None, database_url=f"sqlite:///{folder / 'app.db'}", demo=True, demo_password=PASSWORD, secret_key=KEY
    )
    resident, staff = create_app("resident", settings), create_app("staff", settings)
    install(staff)
    with staff.app_context():
        load_demo(years=1, volume="small", seed=1, until=NOW.date())
    with ExitStack() as stack:
        yield stack.enter_context(threaded(resident)), stack.enter_context(threaded(staff))


@contextmanager
def _browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    speaking: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": "ja", "LANG": "ja_JP.UTF-8"}
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu", "--lang=ja"], env=speaking)


def _page(browser: Browser, port: int, name: str) -> Page:
    """A window as large as the name of the picture says."""
    width, height = SIZES[name.rpartition("-")[2]]
    return browser.new_context(
        base_url=f"http://127.0.0.1:{port}",
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    ).new_page()


def _take(page: Page, name: str) -> None:
    page.evaluate("document.activeElement?.blur(); document.fonts.ready")
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
    print(f"{name}.png  {(FOLDER / f'{name}.png').stat().st_size // 1024} KB  {page.title()}")


def _residents(browser: Browser, port: int) -> None:
    for name in ("resident-wide", "resident-phone"):
        page = _page(browser, port, name)
        page.goto("/book/certificate/sannomiya/")
        _take(page, name)
    page.get_by_role("link", name="空きあり").first.click()
    page.locator("main ul a").first.click()
    page.wait_for_selector("#name")
    for field, typed in HANAKO.items():
        page.fill(f"#{field}", typed)
    page.evaluate("document.querySelector('main form').scrollIntoView()")
    _take(page, "resident-form-phone")
    page.get_by_role("button", name="確認画面へ進む").last.click()
    page.wait_for_selector("#consent")
    _take(page, "resident-check-phone")


def _staff(browser: Browser, port: int, name: str) -> None:
    username, path = STAFF[name.rpartition("-")[0]]
    page = _page(browser, port, name)
    page.goto("/login/")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("details.who")
    page.goto(path)
    if name.startswith("staff-card"):
        page.locator("main tbody td a").first.click()
        page.wait_for_url("**/show/*")
    _take(page, name)
    page.context.close()


if __name__ == "__main__":
    main()
