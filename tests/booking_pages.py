"""A resident at the public site: reads the pages that come back and fills in their forms, as a browser without JavaScript would."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import Context
from datetime import date, datetime, time, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import TOKYO
from models import Channel, Counter, DeskPool, OperationLog, Reservation, Slot
from tests import conftest

GOOD = {
    "name": "髙橋 花子",
    "name_kana": "タカハシ ハナコ",
    "birth_year": "1960",
    "birth_month": "4",
    "birth_day": "1",
    "postal_code": "6500001",
    "address": "神戸市中央区加納町9丁目",
    "phone": "0781234567",
}
PERSONAL_NUMBER = "123456789018"  # its check digit is right
_VOID = {"input", "br", "hr", "img", "link", "meta"}


class Page(HTMLParser):
    """One answer: its status, words, links, fields (of its one form) and buttons, with the address each sends the form to and what
    each adds to it."""

    def __init__(self, answer: Any) -> None:
        super().__init__(convert_charrefs=True)
        self.status, self.html, self.headers = answer.status_code, answer.text, answer.headers
        self.url = answer.request.full_path.removesuffix("?")
        self.links: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.invalid: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        self.adds: dict[str, dict[str, str]] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._action = ""
        self._open: list[tuple[str, dict[str, str], int]] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        attrs = {key: value or "" for key, value in given}
        self.tags.append((tag, attrs))
        if tag not in _VOID:
            self._open.append((tag, attrs, len(self.text)))
        if tag == "form":
            self._action = attrs.get("action", self.url)
        if tag == "input" and "name" in attrs and (attrs.get("type") not in ("radio", "checkbox") or "checked" in attrs):
            self.fields[attrs["name"]] = attrs.get("value", "")
        if "aria-invalid" in attrs:
            self.invalid[attrs.get("name", "")] = attrs.get("aria-describedby", "")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            name, attrs, began = self._open.pop()
            words = re.sub(r"\s+", " ", self.text[began:]).strip()
            if name == "a" and "href" in attrs:
                self.links[words] = attrs["href"]
            elif name == "button" and attrs.get("type") == "submit":
                self.buttons[words] = attrs.get("formaction", self._action)
                self.adds[words] = {attrs["name"]: attrs.get("value", "")} if "name" in attrs else {}
            elif name == "textarea":
                self.fields[attrs["name"]] = self.text[began:].removeprefix("\n")
            if name == tag:
                return

    def error_of(self, field: str) -> str:
        """The sentence at a field, found the way a screen reader finds it."""
        found = re.search(rf'id="{field}-error">(?:<span[^>]*>！</span>)?([^<]*)', self.html)
        return found.group(1) if found else ""


def apart(call: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    """A request outside the application context in which the test's own session lives, as every real request is."""
    for session in conftest._open:
        session.commit()
    return Context().run(call, *args, **kw)


class Resident:
    """Walks through the site by what its pages offer."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: Page

    def open(self, path: str) -> Page:
        """Asks for a page as a browser does that is sent on from one address to the next."""
        answer = apart(self.client.get, path)
        for _ in range(3):
            if answer.status_code != 303:
                break
            answer = apart(self.client.get, answer.headers["Location"])
        self.page = Page(answer)
        return self.page

    def follow(self, words: str) -> Page:
        """Clicks a link, or where there is none of these words, a button: a time is a button, since choosing it holds it."""
        found = [href for text, href in self.page.links.items() if words in text]
        if not found and any(words in text for text in self.page.buttons):
            return self.press(words)
        assert found, f"no link {words!r} among {list(self.page.links)}"
        return self.open(urljoin(self.page.url, found[0]))

    def press(self, words: str, **changes: str | None) -> Page:
        """Sends the form of the page with these changes (None leaves a field out); a redirect is followed."""
        answer = self.send(words, **changes)
        self.page = Page(answer)
        return self.open(answer.headers["Location"]) if answer.status_code == 303 else self.page

    def send(self, words: str, **changes: str | None) -> Any:
        """The bare answer to the form of the page."""
        found = [(text, action) for text, action in self.page.buttons.items() if words in text]
        assert found, f"no button {words!r} among {list(self.page.buttons)}"
        button, action = found[0]
        typed = {**self.page.fields, **self.page.adds[button], **changes}
        fields = {name: value for name, value in typed.items() if value is not None}
        return apart(self.client.post, urljoin(self.page.url, action), data=fields)

    def to_form(self, slot: Slot) -> Page:
        return self.open(form_path(slot))

    def to_check(self, slot: Slot, **changes: str) -> Page:
        self.to_form(slot)
        return self.press("確認画面へ進む", **{**GOOD, **changes})

    def book(self, slot: Slot, **changes: str) -> Page:
        self.to_check(slot, **changes)
        return self.press("この内容で予約する", consent="y")


def form_path(slot: Slot, category: str = "pickup") -> str:
    return f"/book/{category}/{slot.counter.code}/{slot.slot_date.isoformat()}/{slot.id}/"


def day_path(slot: Slot, category: str = "pickup") -> str:
    """The page of the times of a slot's day."""
    return f"/book/{category}/{slot.counter.code}/{slot.slot_date.isoformat()}/"


def today() -> date:
    return datetime.now(TOKYO).date()


def counter(session: Session, code: str = "sannomiya") -> Counter:
    return session.scalars(select(Counter).where(Counter.code == code)).one()


def free_slot(
    session: Session, *, days: int = 5, at: str = "sannomiya", places: int = 3, used: int = 0, hour: int = 10, **values: Any
) -> Slot:
    """A time of the pick-up desk some days from now."""
    pool = session.scalars(select(DeskPool).where(DeskPool.counter == counter(session, at), DeskPool.name == "交付窓口")).one()
    row = Slot(
        **{
            "counter": pool.counter,
            "desk_pool": pool,
            "slot_date": today() + timedelta(days=days),
            "start_time": time(hour),
            "end_time": time(hour, 30),
            "channel": Channel.WEB,
            "capacity": places,
            "wanted": places,
            "used": used,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def stored(session: Session) -> list[Reservation]:
    session.expire_all()
    return list(session.scalars(select(Reservation).order_by(Reservation.id)))


def in_use(session: Session) -> int:
    return session.scalar(select(func.sum(Slot.used))) or 0


def log(session: Session) -> list[OperationLog]:
    session.expire_all()
    return list(session.scalars(select(OperationLog).where(OperationLog.user_id == "resident").order_by(OperationLog.id)))


def log_of(session: Session, code: str = "") -> list[OperationLog]:
    """Every row of an act, whoever did it."""
    session.expire_all()
    wanted = select(OperationLog).order_by(OperationLog.id)
    return list(session.scalars(wanted.where(OperationLog.action_code == code) if code else wanted))
