"""予約代行: the call centre's own door at the residents' site, and the same pages on the staff site."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import operators
from models import Channel, Intake, MailKind, Operator, OperatorSession, Outbox, Reservation, ReservationState, Slot
from tests.booking_pages import GOOD, Page, Resident, apart, day_path, free_slot, log_of, stored
from tests.conftest import csrf_token
from tests.databases import PASSWORD

Browse = Callable[[str], FlaskClient]
ABOUT = {"facts": ["name", "phone"], "reason": "own"}


@pytest.fixture
def caller(resident: Resident) -> Resident:
    """An operator who has signed in at the residents' site."""
    resident.open("/operator/sign-in")
    resident.press("サインイン", username="operator", password=PASSWORD)
    assert "予約代行" in resident.page.text and resident.page.status == 200
    return resident


def on_desk(slot: Slot) -> str:
    return f"/operator{day_path(slot)}"


def book(caller: Resident, slot: Slot, **changes: str) -> Page:
    caller.open(f"{on_desk(slot)}?channel={slot.channel.value}")
    caller.follow(f"{slot.start_time.hour}:{slot.start_time.minute:02}")
    caller.press("確認画面へ進む", **{**GOOD, "intake": "phone", "intake_note": "耳が遠いとのこと", **changes})
    return caller.press("この内容で予約する", consent="y")


# -- the door ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("username", "password"), [("operator", "wrong"), ("nobody", PASSWORD), ("staff", PASSWORD), ("", "")])
def test_only_its_own_accounts_come_in(resident: Resident, session: Session, username: str, password: str) -> None:
    resident.open("/operator/sign-in")
    answer = resident.send("サインイン", username=username, password=password)
    assert (answer.status_code, "ユーザーIDかパスワードが違う" in answer.text) == (401, True)
    assert resident.open("/operator/").url.startswith("/operator/sign-in")
    (row,) = log_of(session, "session.refused")
    assert (row.user_id, username in str(row.detail) and bool(username)) == ("unknown", False)


def test_signing_in_is_logged_counted_and_begins_a_new_cookie(resident: Resident, session: Session) -> None:
    resident.open("/operator/sign-in")
    resident.send("サインイン", username="operator", password="wrong")
    before = resident.client.get_cookie("resident")
    resident.press("サインイン", username="Operator ", password=PASSWORD)
    after = resident.client.get_cookie("resident")
    row = session.scalars(select(Operator)).one()
    assert before and after and before.value != after.value
    assert (row.failures, row.last_sign_in is not None) == (0, True)
    assert [found.user_id for found in log_of(session, "session.sign_in")] == ["op:operator"]


def test_signing_out_ends_the_session_for_good(caller: Resident, session: Session) -> None:
    kept = caller.client.get_cookie("resident")
    assert kept
    caller.press("サインアウト")
    assert session.scalars(select(OperatorSession)).all() == []
    caller.client.set_cookie("resident", kept.value)
    assert caller.open("/operator/").url.startswith("/operator/sign-in")


@pytest.mark.parametrize("what", ["idle", "long", "switched off", "expired"])
def test_a_session_ends(caller: Resident, session: Session, what: str) -> None:
    row, mine = session.scalars(select(Operator)).one(), session.scalars(select(OperatorSession)).one()
    now = datetime.now(UTC)
    if what == "idle":
        mine.seen_at = now - timedelta(minutes=16)
    elif what == "long":
        mine.created_at = now - timedelta(hours=9)
    elif what == "switched off":
        row.active = False
    else:
        row.expires_on = now.date() - timedelta(days=2)
    session.commit()
    page = caller.open("/operator/book/")
    assert page.url.startswith("/operator/sign-in") and "サインインが終わりました" in page.text


def test_nothing_behind_the_door_is_seen_without_signing_in(resident: Resident, resident_app: Flask, session: Session) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER)
    for path in ("/operator/", "/operator/book/", on_desk(slot), "/operator/reservation/1", "/operator/booked/x"):
        assert urlsplit(resident.open(path).url).path == "/operator/sign-in", path


def test_the_password_is_set_by_a_link_once(browse: Browse, resident: Resident, session: Session) -> None:
    admin = browse("admin")
    row = session.scalars(select(Operator)).one()
    page = admin.get(f"/operator_account/show/{row.id}").text
    answer = admin.post(f"/operator_account/link/{row.id}", data={"csrf_token": csrf_token(page)})
    found = re.search(r'readonly value="([^"]+)"', answer.text)
    assert found, answer.text
    address = urlsplit(found[1]).path
    resident.open(address)
    short = resident.press("このパスワードにする", new="short", again="short")
    assert (short.status, "12文字以上" in short.error_of("new")) == (422, True)
    resident.press("このパスワードにする", new="green-tea-and-rain", again="green-tea-and-rain")
    assert resident.open(address).status == 410
    resident.open("/operator/sign-in")
    assert resident.send("サインイン", username="operator", password=PASSWORD).status_code == 401
    assert "予約代行" in resident.press("サインイン", username="operator", password="green-tea-and-rain").text
    assert "green-tea" not in str([found.detail for found in log_of(session)])


def test_a_link_is_dead_after_a_day(session: Session) -> None:
    row, now = session.scalars(select(Operator)).one(), datetime.now(UTC)
    word = operators.new_link(session, row, now)
    assert operators.owner_of(session, word, now + timedelta(hours=23)).id == row.id
    with pytest.raises(operators.DeadLink):
        operators.owner_of(session, word, now + timedelta(hours=25))


# -- booking for somebody ---------------------------------------------------------------------------------------------


def test_an_operator_books_on_the_call_centres_places(caller: Resident, session: Session) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER, days=1)  # no days of notice for who books for somebody
    done = book(caller, slot)
    (made,) = stored(session)
    assert str(made) in done.text
    assert (made.state, made.channel, made.intake, made.intake_note, made.booked_by) == (
        ReservationState.BOOKED,
        Channel.CALLCENTER,
        Intake.PHONE,
        "耳が遠いとのこと",
        "op:operator",
    )
    assert [row.user_id for row in log_of(session, "reservation.book")] == ["op:operator"]


def test_an_operator_books_public_places_too_but_not_the_counters(caller: Resident, session: Session) -> None:
    web, desk = free_slot(session), free_slot(session, hour=11, channel=Channel.COUNTER)
    caller.open(f"{on_desk(web)}?channel=web")
    assert "10:00" in " ".join(caller.page.buttons)
    for asked in ("counter", "reserve", "x"):
        assert "11:00" not in " ".join(caller.open(f"{on_desk(desk)}?channel={asked}").buttons)
    book(caller, web)
    assert [row.channel for row in stored(session)] == [Channel.WEB]


def test_residents_cannot_ask_for_other_channels(resident: Resident, session: Session) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER)
    assert not resident.open(f"{day_path(slot)}?channel=callcenter").buttons


def test_the_caller_is_found_by_name_kana_phone_and_number(caller: Resident, session: Session) -> None:
    book(caller, free_slot(session, channel=Channel.CALLCENTER))
    (made,) = stored(session)
    for words in ("高橋", "タカハシ", "078-123-4567", str(made)):
        caller.open("/operator/")
        page = caller.press("探す", q=words)
        assert str(made) in page.links, words
    acts = [row for row in log_of(session, "reservation.list") if row.user_id == "op:operator"]
    assert len(acts) == 4 and all("高橋" not in str(row.detail) for row in acts)


def test_cancelling_asks_two_facts_and_a_reason_and_tells_the_resident(caller: Resident, session: Session) -> None:
    slot = free_slot(session, channel=Channel.CALLCENTER)
    book(caller, slot, email="hanako@example.jp")
    (made,) = stored(session)
    caller.open(f"/operator/reservation/{made.id}/cancel")
    page = caller.press("キャンセルする", facts="name")
    assert page.status == 422 and "2つ以上" in page.text
    answer = send(caller, f"/operator/reservation/{made.id}/cancel", **ABOUT)
    assert answer.status_code == 303
    session.expire_all()
    assert (made.state, made.state_reason, slot.used) == (ReservationState.CANCELLED, "own", 0)
    assert [row.kind for row in session.scalars(select(Outbox).order_by(Outbox.id))] == [MailKind.CONFIRMED, MailKind.CANCELLED]


def test_moving_shows_old_and_new_and_takes_the_new_place_or_nothing(caller: Resident, session: Session) -> None:
    slot, full = free_slot(session, channel=Channel.CALLCENTER), free_slot(session, hour=14, channel=Channel.CALLCENTER, places=1)
    other = free_slot(session, hour=15, channel=Channel.CALLCENTER)
    book(caller, slot)
    (made,) = stored(session)
    page = caller.open(f"/operator/reservation/{made.id}/move")
    assert "いまの予約" in page.text and "15:00" in page.text
    session.execute(update(Slot).where(Slot.id == full.id).values(used=1), execution_options={"by_rule": "test"})
    session.commit()
    answer = send(caller, f"/operator/reservation/{made.id}/move", slot=str(full.id), **ABOUT)
    assert answer.status_code == 409 and "満席" in answer.text
    assert send(caller, f"/operator/reservation/{made.id}/move", slot=str(other.id), **ABOUT).status_code == 303
    session.expire_all()
    assert (made.slot_id, slot.used, full.used, other.used) == (other.id, 0, 1, 1)


@pytest.mark.parametrize("number", ["0", "-1", "999999", "x", "9" * 40, "123456789018"])
def test_reservations_that_are_none_are_not_found(caller: Resident, number: str) -> None:
    assert caller.open(f"/operator/reservation/{number}").status == 404


def send(caller: Resident, path: str, **fields: Any) -> Any:
    token = caller.page.fields["csrf_token"] if "csrf_token" in caller.page.fields else caller.open(path).fields["csrf_token"]
    return apart(caller.client.post, path, data={"csrf_token": token, **fields})


# -- on the staff site ------------------------------------------------------------------------------------------------


def test_the_same_pages_are_on_the_staff_site_for_who_may_book(browse: Browse, session: Session) -> None:
    slot = free_slot(session, channel=Channel.COUNTER)
    clerk = Resident(browse("staff"))
    book(clerk, slot)
    (made,) = stored(session)
    assert (made.channel, made.booked_by) == (Channel.COUNTER, "staff")
    assert browse("contractor").get("/operator/").status_code == 403


def test_a_clerk_books_at_their_own_counter_only(browse: Browse, session: Session) -> None:
    slot = free_slot(session, at="shin-nagata", channel=Channel.COUNTER)
    clerk = Resident(browse("staff"))
    clerk.open(on_desk(slot))
    if "10:00" in " ".join(clerk.page.buttons):
        answer = clerk.send("10:00")
        assert answer.status_code == 404
    assert session.scalars(select(Reservation)).all() == []
