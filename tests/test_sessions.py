"""Sessions of the staff site end when they should, in the database, and cost a reader nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import audit, sessions
from app.gate import NOT_SAVED, OVER
from models import CardNote, WebSession
from tests import rows as make
from tests.conftest import csrf_token
from tests.conftest import sign_in as enter
from tests.databases import PASSWORD
from tests.sites import log, person, rows, site, statements

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
NEW = "hamburger-tsukimi-77"
Browse = Callable[[str], FlaskClient]


def cookie(client: FlaskClient, name: str = "staff") -> str:
    found = client.get_cookie(name)
    return found.value if found else ""


def is_in(client: FlaskClient) -> bool:
    return client.get("/").status_code == 200


@contextmanager
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def change_password(client: FlaskClient, old: str = PASSWORD, new: str = NEW) -> Any:
    token = csrf_token(client.get("/password/").text)
    return client.post("/password/", data={"csrf_token": token, "old": old, "new": new, "again": new})


# -- beginning --------------------------------------------------------------------------------------------------------


def test_the_table_holds_only_the_hash_of_the_cookie(browse: Browse, session: Session) -> None:
    client = browse("staff")
    [row] = rows(session)
    assert row.id_hash == hashlib.sha256(cookie(client).encode()).hexdigest()
    assert len(cookie(client)) >= 43  # 256 bits
    assert cookie(client) not in str(row.data)


def test_a_cookie_planted_before_signing_in_is_worth_nothing_after_it(staff_app: Flask, session: Session) -> None:
    victim, attacker = staff_app.test_client(), staff_app.test_client()
    planted_page, token = (csrf_token(client.get("/login/").text) for client in (attacker, victim))
    victim.set_cookie("staff", "planted" * 8)
    victim.post("/login/", data={"csrf_token": token, "username": "staff", "password": PASSWORD})
    assert cookie(victim) not in ("", "planted" * 8)
    attacker.set_cookie("staff", "planted" * 8)
    assert not is_in(attacker)
    assert victim.post("/logout/", data={"csrf_token": planted_page}).status_code == 400


def test_each_sign_in_has_a_name_of_its_own(browse: Browse) -> None:
    assert cookie(browse("staff")) != cookie(browse("staff"))


def test_signed_cookie_of_a_stranger_cannot_name_a_person(staff_app: Flask, session: Session) -> None:
    """Even who could sign that cookie (the key leaked) would not be signed in by it."""
    client = staff_app.test_client()
    signer = staff_app.session_interface.get_signing_serializer(staff_app)  # type: ignore[attr-defined]
    client.set_cookie("staff_visit", signer.dumps({"_user_id": str(person(session, "admin").id), "csrf_token": "x"}))
    assert not is_in(client)


def test_strangers_leave_no_rows(staff_app: Flask, session: Session) -> None:
    for address in ("/login/", "/", "/card/list/", "/nowhere"):
        staff_app.test_client().get(address)
    assert session.scalar(select(func.count()).select_from(WebSession)) == 0


# -- ending -----------------------------------------------------------------------------------------------------------


def test_replaying_the_cookie_after_signing_out_leads_to_the_sign_in_page(browse: Browse, staff_app: Flask) -> None:
    client = browse("staff")
    kept = cookie(client)
    client.post("/logout/", data={"csrf_token": csrf_token(client.get("/").text)})
    thief = staff_app.test_client()
    thief.set_cookie("staff", kept)
    assert thief.get("/").location == "/login/"


def test_idle_session_ends_in_the_database_and_the_log(browse: Browse, session: Session) -> None:
    with clock() as now:
        client = browse("staff")
        now.shift(timedelta(minutes=15, seconds=1))
        assert client.get("/card/list/").location == "/login/?next=%2Fcard%2Flist%2F"
        assert OVER in client.get("/login/").text
    assert rows(session) == []
    [row] = log(session, "session.expired")
    assert (row.user_id, row.user_name) == ("staff", "三宮 太郎")
    assert "操作がない" in row.detail["理由"]


def test_working_keeps_a_session_alive_but_not_beyond_eight_hours(browse: Browse, session: Session) -> None:
    with clock() as now:
        client = browse("staff")
        for _ in range(34):
            now.shift(timedelta(minutes=14))
            assert is_in(client)
        now.shift(timedelta(minutes=5))
        assert not is_in(client)
    assert "サインインから" in log(session, "session.expired")[0].detail["理由"]


def test_the_idle_time_is_a_setting(database: Any) -> None:
    with clock() as now, site(database, session_idle_minutes=2) as app:
        client = app.test_client()
        enter(client, "staff")
        now.shift(timedelta(seconds=119))
        assert is_in(client)
        now.shift(timedelta(seconds=121))
        assert not is_in(client)


def test_sessions_of_closed_browsers_end_when_somebody_else_signs_in(browse: Browse, session: Session) -> None:
    with clock() as now:
        browse("staff")
        now.shift(timedelta(hours=1))
        browse("manager")
    assert [row.user_id for row in rows(session)] == [person(session, "manager").id]
    assert [row.user_id for row in log(session, "session.expired")] == ["staff"]


def test_new_password_ends_the_other_sessions_and_renames_this_one(browse: Browse, staff_app: Flask, session: Session) -> None:
    here, there = browse("staff"), browse("staff")
    before = cookie(here)
    assert change_password(here).location == "/"
    assert len(rows(session, "staff")) == 1
    assert (is_in(here), is_in(there)) == (True, False)
    assert cookie(here) != before
    thief = staff_app.test_client()
    thief.set_cookie("staff", before)
    assert not is_in(thief)


def test_a_password_changed_elsewhere_ends_the_session_by_its_stamp(browse: Browse, session: Session) -> None:
    client = browse("staff")
    person(session, "staff").password = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA"
    session.commit()
    assert not is_in(client)
    assert rows(session) == []
    assert "パスワード" in log(session, "session.expired")[0].detail["理由"]


@pytest.mark.parametrize("what", ["active", "expires_on"])
def test_ended_account_is_out_at_its_next_request(browse: Browse, session: Session, what: str) -> None:
    client = browse("staff")
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    setattr(person(session, "staff"), what, False if what == "active" else yesterday)
    session.commit()
    assert not is_in(client)
    assert rows(session) == []


def test_administrator_ends_every_session_of_an_account(browse: Browse, session: Session) -> None:
    one, two, other = browse("staff"), browse("staff"), browse("manager")
    assert sessions.end_all(session, person(session, "staff").id) == 2
    session.commit()
    assert (is_in(one), is_in(two), is_in(other)) == (False, False, True)


def test_ending_them_on_the_screen_is_logged(browse: Browse, session: Session) -> None:
    admin, one = browse("admin"), browse("staff")
    home = f"/staff/show/{person(session, 'staff').id}"
    session.commit()
    token = csrf_token(admin.get(home).text)
    assert admin.post(home.replace("show", "sessions"), data={"csrf_token": token}).location == home
    assert not is_in(one)
    [row] = log(session, "staff.sign_out")
    assert (row.user_id, row.detail["件数"]) == ("admin", 1)


def test_right_that_was_taken_away_is_gone_at_the_next_request(browse: Browse, session: Session) -> None:
    client = browse("staff")
    assert client.get("/card/list/").status_code == 200
    person(session, "staff").roles = []
    session.commit()
    assert client.get("/card/list/").status_code == 403


# -- a form in hand when it ends --------------------------------------------------------------------------------------


def test_form_sent_too_late_is_clearly_not_saved_and_comes_back_after_signing_in(browse: Browse, session: Session) -> None:
    card = make.card(session)
    session.commit()
    with clock() as now:
        client = browse("staff")
        page = client.get(f"/card_note/add?card={card.id}")
        now.shift(timedelta(minutes=16))
        answer = client.post("/card_note/add", data={"csrf_token": csrf_token(page.text), "card": card.id, "comment": "途中まで"})
        assert answer.location == "/login/?next=%2Fcard_note%2Fadd"
        door = client.get(answer.location)
        assert NOT_SAVED in door.text
        again = client.post(
            answer.location, data={"csrf_token": csrf_token(door.text), "username": "staff", "password": PASSWORD}
        )
        assert again.location == "/card_note/add"
    assert session.scalar(select(func.count()).select_from(CardNote)) == 0


def test_button_sent_too_late_returns_to_the_page_it_stood_on(browse: Browse, session: Session) -> None:
    with clock() as now:
        client = browse("staff")
        now.shift(timedelta(minutes=16))
        answer = client.post(
            "/shipment/delete/1", data={"csrf_token": "x"}, headers={"Referer": "http://localhost/shipment/show/1?tab=2"}
        )
        assert answer.location == "/login/?next=%2Fshipment%2Fshow%2F1%3Ftab%3D2"


def test_button_sent_from_elsewhere_returns_to_the_first_page(staff_app: Flask) -> None:
    answer = staff_app.test_client().post("/shipment/delete/1", headers={"Referer": "https://evil.example/card/list/"})
    assert answer.location == "/login/"


# -- what it costs ----------------------------------------------------------------------------------------------------


def writes(sent: list[str]) -> list[str]:
    return [s for s in sent if s.split()[0] in ("UPDATE", "INSERT", "DELETE") and "web_session" in s]


def test_reading_pages_writes_the_time_at_most_twenty_times_within_the_limit(
    browse: Browse, staff_app: Flask, session: Session
) -> None:
    with clock() as now:
        client = browse("staff")
        client.get("/")
        with statements(staff_app) as sent:
            for _ in range(9):
                now.shift(timedelta(seconds=5))
                assert is_in(client)
        assert writes(sent) == []
        now.shift(timedelta(seconds=1))
        with statements(staff_app) as sent:
            client.get("/card/list/")
            client.get("/card/list/")
        assert len(writes(sent)) == 1
    [row] = rows(session)
    assert row.seen_at == START + timedelta(seconds=46)


def test_a_message_is_kept_until_it_was_shown_once(browse: Browse, session: Session) -> None:
    client = browse("staff")
    change_password(client)
    assert "_flashes" in rows(session, "staff")[0].data
    assert "パスワードを変えました。" in client.get("/").text
    assert "_flashes" not in rows(session, "staff")[0].data
    assert "パスワードを変えました。" not in client.get("/").text


def test_files_and_health_checks_look_nobody_up(browse: Browse, staff_app: Flask) -> None:
    client = browse("staff")
    with statements(staff_app) as sent:
        client.get("/static/staff.css").close()
        assert client.get("/healthz").status_code == 200
    assert sent == []


def test_refused_request_keeps_the_session_but_a_failed_sign_in_makes_none(browse: Browse, session: Session) -> None:
    client = browse("operator")
    assert client.get("/card/list/").status_code == 403
    assert is_in(client)
    assert len(rows(session)) == 1


def busy(*_: Any, **__: Any) -> Any:
    raise OperationalError("COMMIT", None, TimeoutError("database is locked"))


def test_sign_in_that_could_not_be_written_signs_nobody_in(
    staff_app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = staff_app.test_client()
    token = csrf_token(client.get("/login/").text)
    session.commit()
    with monkeypatch.context() as patched:
        patched.setattr(type(session), "commit", busy)
        patched.setattr("tests.conftest._open", [])
        answer = client.post("/login/", data={"csrf_token": token, "username": "staff", "password": PASSWORD})
    assert (answer.status_code, cookie(client), rows(session)) == (503, "", [])


def test_change_that_could_not_be_written_is_not_called_saved(
    browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = make.card(session).id
    session.commit()
    client = browse("staff")
    token = csrf_token(client.get(f"/card_note/add?card={card}").text)
    with monkeypatch.context() as patched:
        patched.setattr(type(session), "commit", busy)
        patched.setattr("tests.conftest._open", [])
        answer = client.post("/card_note/add", data={"csrf_token": token, "card": card, "comment": "電話した"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "登録しました" not in answer.text + client.get("/card/list/").text
    assert session.scalar(select(func.count()).select_from(CardNote)) == 0
    assert "混み合っています" in log(session, "card_note.add")[0].detail["結果"]


def test_page_whose_reading_cannot_be_logged_is_not_shown(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browse("staff")
    with monkeypatch.context() as patched:
        patched.setattr(audit, "write_alone", busy)
        answer = client.get("/card/list/")
    assert (answer.status_code, "混み合っています" in answer.text) == (503, True)


def test_database_that_is_away_is_said_in_words(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browse("staff")

    def gone(cookie: str) -> None:
        raise OperationalError("SELECT", None, TimeoutError("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "of_cookie", gone)
        answer = client.get("/card/list/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "混み合っています" in answer.text
    assert is_in(client)
