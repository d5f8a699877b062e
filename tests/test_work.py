"""計算の課題: asked where a category wants it or a burst is seen; one solution is worth one form, for half an hour."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from altcha.v1 import solve_challenge
from flask import Flask
from sqlalchemy.orm import Session

from booking import work
from models import ReservationState
from tests.booking_pages import GOOD, Page, Resident, day_path, free_slot, stored
from tests.test_booking_rules import category

BOOKED = ReservationState.BOOKED


def puzzle_of(page: Page) -> dict[str, Any]:
    found = [attrs["data-puzzle"] for _, attrs in page.tags if "data-puzzle" in attrs]
    return json.loads(found[0]) if found else {}


def answer(puzzle: dict[str, Any], **changes: Any) -> str:
    solved = solve_challenge(puzzle["challenge"], puzzle["salt"], puzzle["algorithm"], puzzle["most"])
    assert solved
    named = {name: puzzle[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**named, "number": solved.number, **changes}).encode()).decode()


def to_check(resident: Resident, session: Session, hour: int = 10) -> Page:
    slot = free_slot(session, hour=hour)
    resident.open(day_path(slot))
    resident.follow(f"{hour}:00")
    return resident.press("確認画面へ進む", **{**GOOD, "phone": f"07812345{hour}"})


@pytest.fixture
def asked(session: Session) -> None:
    category(session).asks_work = True
    session.commit()


def test_who_solves_it_books(asked: None, resident: Resident, session: Session) -> None:
    page = to_check(resident, session)
    resident.press("この内容で予約する", consent="y", altcha=answer(puzzle_of(page)))
    assert [row.state for row in stored(session)] == [BOOKED]


@pytest.mark.parametrize("sent", ["", "x", "e30=", base64.b64encode(b"[1]").decode(), "9" * 5000])
def test_who_does_not_is_asked_again_and_keeps_the_entry(asked: None, resident: Resident, session: Session, sent: str) -> None:
    to_check(resident, session)
    page = resident.press("この内容で予約する", consent="y", altcha=sent)
    assert "自動の申込みでないことを確かめられませんでした" in page.text and "この内容で予約する" in page.buttons
    assert BOOKED not in [row.state for row in stored(session)]


@pytest.mark.parametrize(
    "changes", [{"number": 7}, {"challenge": "00" * 32}, {"salt": "x?expires=9999999999&form=y&"}, {"signature": "0"}]
)
def test_a_forged_solution_is_worth_nothing(asked: None, resident: Resident, session: Session, changes: dict[str, Any]) -> None:
    page = to_check(resident, session)
    resident.press("この内容で予約する", consent="y", altcha=answer(puzzle_of(page), **changes))
    assert BOOKED not in [row.state for row in stored(session)]


def test_a_solution_of_another_form_is_worth_nothing(
    asked: None, resident: Resident, resident_app: Flask, session: Session
) -> None:
    solved = answer(puzzle_of(to_check(resident, session)))
    other = Resident(resident_app.test_client())
    to_check(other, session, 14)
    other.press("この内容で予約する", consent="y", altcha=solved)
    assert BOOKED not in [row.state for row in stored(session)]


def test_a_burst_asks_everybody_and_then_nobody_again(
    resident: Resident, resident_app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert puzzle_of(to_check(resident, session)) == {}
    monkeypatch.setitem(resident_app.config, "LIMIT_BURST", "1 per minute")
    assert puzzle_of(to_check(Resident(resident_app.test_client()), session, 14))
    with resident_app.test_request_context():
        assert work.is_burst()
    monkeypatch.setitem(resident_app.config, "LIMIT_BURST", "600 per minute")
    assert puzzle_of(resident.open(resident.page.url)) == {}
