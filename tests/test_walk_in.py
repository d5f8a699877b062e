"""予約なしの来庁: the next free time of today and a number of the same queue, or a clear no."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.rules import walkin
from app.rules.bookings import Applicant
from models import Channel, Intake, Reservation, ReservationState
from tests.booking_pages import counter, stored
from tests.conftest import csrf_token
from tests.test_booking_rules import category
from tests.test_visits import booked, broken, morning, place

RNG = random.Random(2)
PERSON = Applicant(name="飛 込", name_kana="", address="", phone="0781230000")
BOTH = (Channel.COUNTER, Channel.WEB)
Browse = Callable[[str], FlaskClient]


def receive(session: Session) -> Reservation:
    return walkin.receive(session, category(session), counter(session), PERSON, BOTH, morning(), rng=RNG)


def test_the_next_free_time_of_today_and_the_next_number(session: Session) -> None:
    place(session, 10, places=1, used=0)
    place(session, 11, places=2)
    first, second = receive(session), receive(session)
    assert [(row.start_time.hour, row.queue_number, row.state) for row in (first, second)] == [
        (10, 1, ReservationState.ARRIVED),
        (11, 2, ReservationState.ARRIVED),
    ]
    assert (first.intake, first.channel) == (Intake.DESK, Channel.COUNTER)
    assert broken(session) == []


def test_who_has_a_reservation_and_who_has_none_stand_in_one_queue(session: Session) -> None:
    from app.rules import visits

    slot = place(session, 10, places=3)
    early = booked(session, slot)
    visits.perform(session, visits.ACTS["arrive"], early, morning())
    assert (early.queue_number, receive(session).queue_number) == (1, 2)


def test_a_day_without_places_says_so_and_books_nothing(session: Session) -> None:
    place(session, 10, places=0)
    with pytest.raises(walkin.NoneToday):
        receive(session)
    assert stored(session) == []


def send(client: FlaskClient, **fields: Any) -> Any:
    page = client.get("/walk-in/").text
    return client.post("/walk-in/", data={"csrf_token": csrf_token(page), **fields})


def test_what_is_wrong_is_said_at_its_field(browse: Browse, session: Session) -> None:
    answer = send(browse("staff"), category="pickup", counter="sannomiya", name="", name_kana="漢字", phone="12")
    assert answer.status_code == 422
    for words in ("氏名を200文字以内で", "カナはカタカナで", "電話番号は数字10桁か11桁で"):
        assert words in answer.text
    answer = send(browse("staff"), category="x", counter="shin-nagata", name="123456789018", phone="0781230000")
    assert "手続きを選んでください" in answer.text and "窓口を選んでください" in answer.text and "123456789018" not in answer.text
    assert stored(session) == []
