"""当日受付: scanned or clicked, once or twice, one or a whole household; and a list that is ready to be printed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Reservation, ReservationState
from tests import samples
from tests.booking_pages import PERSONAL_NUMBER
from tests.pages import post, table, words
from tests.test_visit_screens import follow, last_act, made, state
from tests.test_visits import booked, morning, place

Browse = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _ten_o_clock() -> Any:
    with time_machine.travel(morning() + timedelta(hours=2, minutes=12), tick=True):
        yield


def scan(person: FlaskClient, typed: str) -> Any:
    return post(person, "/reception/check", code=typed)


@pytest.mark.parametrize(
    "dressed", ["{}", " {} ", "{0[0]}-{0[1]}", "https://yoyaku.example.jp/lookup?code={}", "{}\n"], ids=range(5)
)
def test_a_scan_checks_in_however_the_code_is_dressed(browse: Browse, session: Session, dressed: str) -> None:
    clerk, row = browse("contractor"), made(session)
    code = row.booking_code
    typed = dressed.format((code[:5], code[5:]) if "[0]" in dressed else code).lower()
    page = follow(clerk, scan(clerk, typed))
    assert row.name in page and "12分遅れ" in page and state(session, row) is ReservationState.ARRIVED


def test_a_second_scan_gets_the_same_answer(browse: Browse, session: Session) -> None:
    clerk, row = browse("staff"), made(session)
    first, second = (follow(clerk, scan(clerk, row.booking_code)) for _ in range(2))
    assert row.name in first and "すでに来庁済" not in first
    assert f"{row} は、すでに来庁済です（10:12）。" in second and row.name in second
    assert session.get_one(Reservation, row.id).row_stamp == 2


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "予約番号を読み取れません"),
        ("https://example.jp/", "予約番号を読み取れません"),
        ("<script>alert(1)</script>", "予約番号を読み取れません"),
        (PERSONAL_NUMBER, "予約番号を読み取れません"),
        ("A" * 5000, "予約番号を読み取れません"),
        ("ABCDEFGHJKLMNPQ", "予約番号を読み取れません"),
        ("ABCDEFGHJK", "担当する窓口にありません"),
    ],
)
def test_something_else_that_is_scanned_gets_a_sentence(browse: Browse, session: Session, typed: str, told: str) -> None:
    answer = scan(browse("staff"), typed)
    assert answer.status_code == 422 and told in words(answer.text) and 'aria-invalid="true"' in answer.text
    assert PERSONAL_NUMBER not in answer.text and "<script>alert" not in answer.text
    assert last_act(session, "reservation.arrive").action_name.endswith("（変更なし）")


def test_another_counters_visitor_is_not_found_and_another_days_is_explained(browse: Browse, session: Session) -> None:
    row = made(session)
    assert "担当する窓口にありません" in words(scan(browse("staff2"), row.booking_code).text)
    with time_machine.travel(morning(-1)):
        answer = scan(browse("staff"), row.booking_code)
    assert answer.status_code == 409 and "ではないため、来庁を記録することはできません" in words(answer.text)
    assert state(session, row) is ReservationState.BOOKED


def test_a_household_is_checked_in_by_two_clicks(browse: Browse, session: Session) -> None:
    clerk, slot = browse("staff"), place(session)
    rows = [booked(session, slot) for _ in range(3)]
    for row in rows:
        row.group_id = "g-1"
    rows[2].state = ReservationState.CANCELLED
    session.commit()
    follow(clerk, scan(clerk, rows[1].booking_code))
    told = last_act(session, "reservation.list").detail["表示した番号"]
    assert sorted(told) == [row.id for row in rows], "whoever is shown is named, on the list of the day or not"
    rows[2].state = ReservationState.BOOKED
    rows[1].state, rows[1].arrived_at = ReservationState.BOOKED, None
    session.commit()
    assert "一緒に来た2人の来庁も記録する" in follow(clerk, scan(clerk, rows[1].booking_code))
    assert [state(session, row).value for row in rows] == ["booked", "arrived", "booked"]
    post(clerk, "/reception/arrive", {"id": [str(rows[n].id) for n in (1, 0, 2)]})
    assert {state(session, row) for row in rows} == {ReservationState.ARRIVED}


def test_the_list_of_the_day_is_in_the_order_of_the_clock_and_without_who_cancelled(browse: Browse, session: Session) -> None:
    late, early = made(session, place(session, 14)), made(session, place(session, 9))
    gone = made(session, place(session, 11))
    gone.state = ReservationState.CANCELLED
    made(session, place(session, 12, at="shin-nagata"))
    session.commit()
    clerk = browse("staff")
    page = clerk.get("/reception/").text
    assert [(line[0], line[4]) for line in table(page)[1:]] == [("09:00", str(early)), ("14:00", str(late))]
    assert "autofocus" in page and last_act(session, "reservation.list").detail["表示した番号"] == [early.id, late.id]
    follow(clerk, post(clerk, "/reception/arrive", id=str(early.id)))
    assert table(clerk.get("/reception/").text)[1][5:] == ["来庁済 1番", ""]


def test_forged_numbers_check_nobody_in(browse: Browse, session: Session) -> None:
    theirs = samples.reservation(session, "shin-nagata")
    session.commit()
    clerk = browse("staff")
    for key in (str(theirs.id), "0", "x", "9" * 30):
        assert post(clerk, "/reception/arrive", id=key).status_code == 404
    assert post(clerk, "/reception/arrive").status_code == 303 and clerk.get("/reception/?of=x").status_code == 200
    assert theirs.name not in clerk.get(f"/reception/?of={theirs.id}").text
