"""Whatever is typed and in whatever order it is sent: a Japanese sentence, nothing lost, nothing half done, never a 500."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import text
from models import Reservation, Slot
from tests.booking_pages import GOOD, Page, Resident, form_path, free_slot, in_use, stored, today

TRIED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = (*GOOD, "building", "email", "message", "sex")
BIRTH = ("birth_year", "birth_month", "birth_day")
HOSTILE = [
    "",
    "　",
    "\u200b\u2060",
    "あ" * 600,
    "９" * 41,
    "０７８１２３４５６７",
    "葛\U000e0100城",  # a variant chosen by selector
    "𠮷野 𩸽",
    "\x01\x02\x1b[31m",
    "山田\r\n\t太郎",
    "\u202e太郎\u202c\u200f",
    "👨‍👩‍👧🏽",
    "é\u0301" * 30,
    "٣٤٥",
    "½²㍻㌔",
    "'; DROP TABLE slot; --",
    "{{ 7*7 }}%s%n<script>",
    "\ud7ff\ufffd\uffff",
    "=1+1",
    "-1",
    "1e9",
    "9999999999999999999999",
    "1868",
    "明治元",
    "2999",
    "31",
    "2",
    "昭和35",
]
typed = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60))
entries = st.dictionaries(st.sampled_from(FIELDS), typed, min_size=1, max_size=4)


def sentences(page: Page) -> dict[str, str]:
    """The sentence of each field that is to be corrected; the parts of a birth date share a place for theirs."""
    birth = re.search(r'id="birth-error">(.*?)</div>', page.html, re.S)
    shared = re.sub("<[^>]+>", "", birth.group(1)) if birth else ""
    return {
        name: shared if name in BIRTH else page.error_of(name)
        for name in (*page.invalid, *(["sex"] if page.error_of("sex") else []))
    }


def is_japanese(sentence: str) -> bool:
    return sentence.endswith("。") and bool(re.search("[ぁ-ん]", sentence))


def kept_as(field: str, value: str) -> str:
    """What the page gives back of an entry: all that can be seen of it."""
    words = text.tidy(value.replace("\r\n", "\n").replace("\r", "\n") if field == "message" else value)
    return words if field == "message" else " ".join(re.split(r"[\n\t]+", words))


@TRIED
@given(entry=entries)
@example(entry={"name": "あ" * 201})
@example(entry={"address": "𠮷" * 201})
@example(entry={"building": "👪" * 101})
@example(entry={"message": "あ" * 501})
@example(entry={"name_kana": "ア" * 201})
@example(entry={"birth_month": "2", "birth_day": "31"})
@example(entry={"birth_year": "2999"})
@example(entry={"birth_year": "1868"})
@example(entry={"birth_year": "M1", "birth_month": "1", "birth_day": "1"})
@example(entry={"name": "𠮷" * 200, "address": "👪" * 200, "message": "\U000e0100" * 10 + "葛" * 400})
def test_every_entry_is_booked_as_meant_or_explained_at_its_field(visitor: Any, session: Session, entry: dict[str, str]) -> None:
    slot, before = _slot(session), len(stored(session))
    resident = Resident(visitor)
    resident.to_form(slot)
    page = resident.press("確認画面へ進む", **{**GOOD, **entry})
    assert page.status == 200, page.html
    assert len(stored(session)) == before
    for field, value in entry.items():
        if field != "sex" and not text.has_personal_number(value):
            assert page.fields[field].replace("\r\n", "\n") == kept_as(field, value), field
    if "この内容で予約する" not in page.buttons:
        assert sentences(page)
        assert all(is_japanese(sentence) for sentence in sentences(page).values()), sentences(page)
        assert set(sentences(page)) <= {*entry, *BIRTH}, "nobody is blamed for what was right"
        return
    done = resident.press("この内容で予約する", consent="y")
    made = stored(session)[-1]
    assert str(made) in done.text
    assert (len(stored(session)), in_use(session)) == (before + 1, before + 1)
    if "name" in entry:
        assert made.name == kept_as("name", entry["name"])
    made.birth_date, made.phone = date(1900, 1, 1), "0000000000"  # so that the next one is not the same person on the same day
    session.commit()


def _slot(session: Session) -> Slot:
    """One time with room for every try."""
    found = session.scalars(select(Slot)).first() or free_slot(session, places=1000)
    session.commit()
    return found


ADDRESSES = [
    "",
    "0",
    "-1",
    "１",
    "99999999999999999999",
    "pickup",
    "..",
    "あ",
    "%2e%2e",
    "'",
    "2026-02-31",
    "1868-01-25",
    "a" * 300,
]


@TRIED
@given(
    parts=st.lists(st.sampled_from(ADDRESSES), min_size=5, max_size=5),
    draft=st.sampled_from(["", "x", "6b064c93." + "a" * 22, "あ"]),
)
def test_invented_addresses_get_a_page_in_japanese(visitor: Any, session: Session, parts: list[str], draft: str) -> None:
    slot = _slot(session)
    right = form_path(slot).strip("/").split("/")
    path = "/".join(["", "book", *(part or own for part, own in zip(parts, right[1:], strict=False)), ""])  # "" leaves it right
    for end in ("", "check"):
        page = Resident(visitor).open(f"{path}{end}?draft={draft}")
        assert page.status in (200, 404), (path, page.status)
        assert "<h1" in page.html


STEPS = st.sampled_from(
    ["send", "wrong", "confirm", "again", "choose", "back", "tab", "category", "fill", "free", "late", "forge"]
)


@settings(TRIED, max_examples=25)
@given(steps=st.lists(STEPS, min_size=3, max_size=12))
@example(steps=["send", "fill", "confirm", "free", "confirm", "back", "again"])
@example(steps=["send", "late", "back", "confirm", "again"])
@example(steps=["send", "confirm", "tab", "send", "fill", "confirm", "free", "again", "confirm"])
@example(steps=["tab", "category", "send", "tab", "send", "confirm", "tab", "confirm"])
def test_steps_in_any_order_leave_nothing_half_done(resident_app: Flask, session: Session, steps: list[str]) -> None:
    slot = _slot(session)
    walk = Walk(resident_app, session, slot)
    with time_machine.travel(datetime.now(UTC)) as clock:
        for step in steps:
            getattr(walk, f"do_{step}")(clock)
            walk.check()
    slot.capacity = 1000


class Walk:
    """A resident with two tabs who does whatever comes to mind."""

    names = count(1)

    def __init__(self, app: Flask, session: Session, slot: Slot) -> None:
        client = app.test_client()
        self.session, self.slot, self.pages = session, slot, []  # type: ignore[var-annotated]
        self.tabs = [Resident(client), Resident(client)]
        self.shown = {made.name for made in stored(session)}
        for tab, category in zip(self.tabs, ("pickup", "reissue"), strict=True):
            tab.open(form_path(slot, category))
        self.tab.page = self.tabs[0].page

    @property
    def tab(self) -> Resident:
        return self.tabs[0]

    def press(self, button: str, **typed: str) -> None:
        if any(button in words for words in self.tab.page.buttons):
            self.pages.append(self.tab.page)
            self.tab.press(button, **typed)

    def do_send(self, _clock: Any) -> None:
        self.press("確認画面へ進む", **GOOD)

    def do_wrong(self, _clock: Any) -> None:
        self.press("確認画面へ進む", **{**GOOD, "phone": "1"})

    def do_confirm(self, _clock: Any) -> None:
        self.press("この内容で予約する", consent="y")

    def do_again(self, _clock: Any) -> None:
        """Sends once more the last page that could be sent."""
        if self.pages:
            self.tab.page = self.pages[-1]
            self.press("この内容で予約する", **{**GOOD, "name": f"山田 {next(self.names)}"}, consent="y")

    def do_choose(self, _clock: Any) -> None:
        self.press("日時を変える")

    def do_back(self, _clock: Any) -> None:
        if self.pages:
            self.tab.open(self.pages.pop().url)

    def do_tab(self, _clock: Any) -> None:
        self.tabs.reverse()

    def do_category(self, _clock: Any) -> None:
        """Takes the draft of this tab to another procedure."""
        self.tab.open(self.tab.page.url.replace("/pickup/", "/reissue/"))

    def do_fill(self, _clock: Any) -> None:
        self.room_for(max(1, self.slot.used))

    def do_free(self, _clock: Any) -> None:
        self.room_for(1000)

    def room_for(self, places: int) -> None:
        self.slot.capacity = places
        self.session.commit()

    def do_late(self, clock: Any) -> None:
        clock.shift(timedelta(hours=1, minutes=1))

    def do_forge(self, _clock: Any) -> None:
        for name in ("seal", "form_token", "csrf_token"):
            self.press("この内容で予約する", consent="y", **{name: "x" * 43})

    def check(self) -> None:
        page = self.tab.page
        assert page.status in (200, 400, 404, 409), page.html
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert len(stored(self.session)) == in_use(self.session)
        tokens = self.session.scalar(select(func.count(func.distinct(Reservation.form_token))))
        assert tokens == len(stored(self.session)), "one form, one reservation"
        assert {made.name for made in stored(self.session)} <= self.shown, "nothing is booked that was not shown"
        if any("この内容で予約する" in words for words in page.buttons):
            self.shown.add(page.fields["name"])


@pytest.mark.parametrize("category", ["pickup", "reissue"])
def test_two_tabs_with_two_procedures_are_two_bookings(resident_app: Flask, session: Session, category: str) -> None:
    client, slot = resident_app.test_client(), free_slot(session)
    tabs = {code: Resident(client) for code in ("pickup", "reissue")}
    for code, tab in tabs.items():
        tab.open(form_path(slot, code))
        tab.press("確認画面へ進む", **GOOD)
    first = tabs.pop(category)
    for tab in (first, *tabs.values()):
        assert "予約を受け付けました" in tab.press("この内容で予約する", consent="y").text
    assert {made.category.code for made in stored(session)} == {"pickup", "reissue"}
    assert slot.slot_date > today()


@pytest.mark.parametrize("field", ["name", "birth_day", "message", "form_token"])
def test_a_nul_is_refused_in_words_and_the_draft_stays(resident: Resident, session: Session, field: str) -> None:
    """No keyboard types one: whoever sends it meets a page, and what was kept before is there still."""
    check = resident.to_check(free_slot(session))
    resident.open(check.url.replace("/check", "/"))
    answer = resident.press("確認画面へ進む", **{field: "a\0b"})
    assert (answer.status, "受け付けられませんでした" in answer.text, "078-000-0000" in answer.text) == (400, True, True)
    assert {**resident.open(check.url).fields, "csrf_token": ""} == {**check.fields, "csrf_token": ""}
