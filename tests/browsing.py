"""Windows of a real browser at one of the sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import Browser, Page

from bench.servers import threaded
from tests.databases import PASSWORD

Window = Callable[..., Page]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OURS = ("http://127.0.0.1:", "data:")


@contextmanager
def windows(chromium: Browser, app: Flask) -> Iterator[Window]:
    """`window(width=390, script=False)`: a window of a person's own. None may meet an error of the site, or ask another machine."""
    opened, wrong = [], []
    with threaded(app) as port:

        def opening(width: int = 1280, script: bool = True) -> Page:
            context = chromium.new_context(
                base_url=f"http://127.0.0.1:{port}",
                locale="ja-JP",
                viewport={"width": width, "height": 844},
                java_script_enabled=script,
            )
            opened.append(context)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
            page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 500 else None)
            page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(OURS) else None)
            return page

        yield opening
        for context in opened:
            context.close()
    assert wrong == []


def signing_in(opening: Window) -> Window:
    """`window("staff")`: a window of that person's own, signed in."""

    def signed_in(username: str, width: int = 1280, script: bool = True) -> Page:
        page = opening(width, script)
        page.goto("/login/")
        page.fill("#username", username)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("details.who")
        page.wait_for_load_state()
        return page

    return signed_in
