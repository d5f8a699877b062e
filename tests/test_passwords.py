"""Passwords: which are refused and why, how they are kept, and the one-time link."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app import passwords
from app.context import acting, system
from app.extensions import db
from app.passwords import COMMON, HAS_OWN_WORD, TOO_LONG, TOO_SHORT
from app.reset_link import reset_link
from models import Staff
from tests.conftest import csrf_token
from tests.databases import PASSWORD
from tests.sites import log, person, rows

NEW = "hamburger-tsukimi-77"
Browse = Callable[[str], FlaskClient]


def change(client: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Any:
    token = csrf_token(client.get("/password/").text)
    return client.post("/password/", data={"csrf_token": token, "old": old, "new": new, "again": new if again is None else again})


def attempt(app: Flask, username: str, password: str) -> int:
    client = app.test_client()
    token = csrf_token(client.get("/login/").text)
    return client.post("/login/", data={"username": username, "password": password, "csrf_token": token}).status_code


# -- which ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "good",
    [
        "tsukimi-hamburger-77",
        "lowercaseonlybutlong",
        "山のむこうに青い電車がとまる",
        "correct horse battery",
        "x7#kQ!vv0pLw",
        "9183650274918365027461",
        "z" + "4kq9 tuvm eo " * 15,
    ],
)
def test_length_and_surprise_are_enough(good: str) -> None:
    assert passwords.fault(good, ("staff", "三宮", "太郎")) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("short-7#Kq", TOO_SHORT),
        ("", TOO_SHORT),
        ("a" * 201, TOO_LONG),
        ("password1234", COMMON),
        ("123456789012", COMMON),
        ("qwertyuiop12", COMMON),
        ("passwordpassword", COMMON),
        ("aaaaaaaaaaaa", COMMON),
        ("さくらさくらさくら9999", COMMON),
        ("letmeinletmein", COMMON),
        ("kobe-tsukimi-hamburger", HAS_OWN_WORD),
        ("ＫＯＢＥ-tsukimi-hamburger", HAS_OWN_WORD),
        ("my.number-tsukimi-77", HAS_OWN_WORD),
        ("つきみ神戸ハンバーガー77", HAS_OWN_WORD),
        ("三宮の青い電車がとまる日", HAS_OWN_WORD),
        ("マイナンバー電車がとまる日", HAS_OWN_WORD),
        ("Hanako1980-tsukimi", HAS_OWN_WORD),
        ("摩耶花子の青い電車がとまる", HAS_OWN_WORD),
    ],
)
def test_what_others_would_guess_is_refused(bad: str, why: str) -> None:
    assert passwords.fault(bad, ("hanako1980", "摩耶", "花子")) == why


def test_one_letter_of_a_name_forbids_nothing() -> None:
    assert passwords.fault(NEW, ("h", "月", "")) is None


# -- how --------------------------------------------------------------------------------------------------------------


def test_kept_as_argon2id_and_never_twice_the_same() -> None:
    one, two = passwords.hashed(NEW), passwords.hashed(NEW)
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != two
    assert passwords.matches(one, NEW)
    assert not passwords.matches(one, NEW + "x")
    assert not passwords.is_outdated(one)


@pytest.mark.parametrize(
    "stored", [None, "", "!unusable", "plain", "$argon2id$broken", pytest.param(passwords.unusable(), id="made")]
)
def test_nothing_matches_an_account_without_a_password(stored: str | None) -> None:
    assert not any(passwords.matches(stored, typed) for typed in ("", "\0", stored or "x", "!unusable"))


def test_older_hash_still_opens_and_is_replaced(staff_app: Flask, session: Session) -> None:
    person(session, "staff").password = generate_password_hash(NEW)
    session.commit()
    assert attempt(staff_app, "staff", "wrong wrong wrong") == 401
    assert attempt(staff_app, "staff", NEW) == 302
    assert str(person(session, "staff").password).startswith("$argon2id$")
    assert attempt(staff_app, "staff", NEW) == 302


def test_accounts_made_by_commands_are_kept_alike(staff_app: Flask, session: Session) -> None:
    with staff_app.app_context(), acting(db.session(), system("テスト")):
        sm = staff_app.appbuilder.sm  # type: ignore[attr-defined]
        sm.add_user("newcomer", "月", "見", "n@example.invalid", None, password=NEW)
        sm.add_user("doorless", "窓", "口", "d@example.invalid", None)
        db.session.commit()
        sm.reset_password(sm.find_user("doorless").id, NEW)
    for name in ("newcomer", "doorless"):
        assert str(person(session, name).password).startswith("$argon2id$")
        assert attempt(staff_app, name, NEW) == 302


# -- one's own --------------------------------------------------------------------------------------------------------


def test_changing_asks_for_the_old_one(browse: Browse, staff_app: Flask, session: Session) -> None:
    client = browse("staff")
    answer = change(client, old="wrong wrong wrong")
    assert (answer.status_code, "いまのパスワードが違います。" in answer.text) == (422, True)
    assert attempt(staff_app, "staff", NEW) == 401
    assert change(client).location == "/"
    assert (attempt(staff_app, "staff", NEW), attempt(staff_app, "staff", PASSWORD)) == (302, 401)
    refused, changed = log(session, "session.password")
    assert ("結果" in refused.detail, "結果" in changed.detail, changed.user_id) == (True, False, "staff")
    assert all(word not in str(row.detail) for row in (refused, changed) for word in (NEW, PASSWORD, "argon2"))


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("short-7#Kq", None, TOO_SHORT),
        ("staff-tsukimi-hamburger", None, HAS_OWN_WORD),
        ("三宮太郎の青い電車がとまる", None, HAS_OWN_WORD),
        ("password1234", None, COMMON),
        (NEW, NEW + "x", "2回の入力が違います"),
        (PASSWORD, None, "いまと同じパスワードです"),
        ("", "", "新しいパスワードを入力してください"),
    ],
)
def test_refused_passwords_are_explained_at_the_field(
    browse: Browse, staff_app: Flask, new: str, again: str | None, words: str
) -> None:
    client = browse("staff")
    answer = change(client, new=new, again=again)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert not new or f'value="{new}"' not in answer.text
    assert attempt(staff_app, "staff", PASSWORD) == 302


def test_account_that_must_change_first_gets_nowhere_else(browse: Browse, session: Session) -> None:
    person(session, "staff").must_change_password = True
    session.commit()
    client = browse("staff")
    for address in ("/", "/card/list/", "/masters/", "/nowhere"):
        assert client.get(address).location == "/password/"
    page = client.get("/password/").text
    assert "自分だけが知っているパスワード" in page
    assert "変更せずに戻る" not in page
    assert change(client).location == "/"
    assert client.get("/").status_code == 200
    assert not person(session, "staff").must_change_password


# -- the one-time link ------------------------------------------------------------------------------------------------


def link_for(app: Flask, session: Session, username: str = "staff") -> str:
    """As the administrator's button will do it."""
    session.commit()
    with app.app_context(), acting(db.session(), system("管理者")):
        path = reset_link(db.session(), person(db.session(), username), site="")
        db.session.commit()
    return path


def follow(client: FlaskClient, path: str, new: str = NEW) -> Any:
    token = csrf_token(client.get(path).text)
    return client.post(path, data={"csrf_token": token, "new": new, "again": new})


def test_link_sets_a_password_once(staff_app: Flask, session: Session, browse: Browse) -> None:
    working = browse("staff")
    path = link_for(staff_app, session)
    assert (attempt(staff_app, "staff", PASSWORD), rows(session, "staff"), working.get("/").status_code) == (401, [], 302)
    client = staff_app.test_client()
    page = client.get(path)
    assert "三宮 太郎" in page.text
    assert client.get(path).status_code == 200  # a mail program that looks ahead uses nothing up
    assert follow(client, path).location == "/login/"
    assert "サインインしてください" in client.get("/login/").text
    assert attempt(staff_app, "staff", NEW) == 302
    assert client.get(path).status_code == 410
    assert log(session, "session.password")[-1].user_id == "staff"
    assert not person(session, "staff").must_change_password


def test_link_used_twice_at_once_sets_one_password(staff_app: Flask, session: Session) -> None:
    """Both forms are open when both are sent: one password stands, whoever sent the other learns that it does not."""
    path, start = link_for(staff_app, session), threading.Barrier(4)
    typed = [f"{NEW} {word}" for word in ("ichi", "ni", "san", "yon")]

    def send(new: str) -> int:
        client = staff_app.test_client()
        token = csrf_token(client.get(path).text)
        start.wait(30)
        return int(client.post(path, data={"csrf_token": token, "new": new, "again": new}).status_code)

    session.commit()
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(send, typed))
    assert sorted(answers) == [302, 410, 410, 410]
    assert [attempt(staff_app, "staff", new) for new in typed] == [302 if code == 302 else 401 for code in answers]
    assert len([row for row in log(session, "session.password") if "結果" not in row.detail]) == 1


def test_link_refuses_weak_passwords_and_stays_usable(staff_app: Flask, session: Session) -> None:
    path, client = link_for(staff_app, session), staff_app.test_client()
    answer = follow(client, path, "password1234")
    assert (answer.status_code, COMMON in answer.text) == (422, True)
    assert follow(client, path).location == "/login/"


def test_link_dies_after_a_day(staff_app: Flask, session: Session) -> None:
    path = link_for(staff_app, session)
    made = datetime.now(UTC)
    with time_machine.travel(made + timedelta(hours=23, minutes=59)):
        assert staff_app.test_client().get(path).status_code == 200
    with time_machine.travel(made + timedelta(hours=24, minutes=1)):
        answer = staff_app.test_client().get(path)
        assert (answer.status_code, "管理者に新しいリンクを頼んでください" in answer.text) == (410, True)


def test_second_link_makes_the_first_worthless(staff_app: Flask, session: Session) -> None:
    first, second = link_for(staff_app, session), link_for(staff_app, session)
    client = staff_app.test_client()
    assert (client.get(first).status_code, client.get(second).status_code) == (410, 200)


@pytest.mark.parametrize("token", ["x", "WzEsICJ4Il0.aSJ5Zg.AAAA", "WzEsMl0", "a" * 5000])
def test_made_up_links_open_nothing(staff_app: Flask, token: str) -> None:
    assert staff_app.test_client().get(f"/reset/{token}").status_code == 410


def test_link_of_an_ended_account_opens_nothing(staff_app: Flask, session: Session) -> None:
    path = link_for(staff_app, session)
    person(session, "staff").active = False
    session.commit()
    assert staff_app.test_client().get(path).status_code == 410


def test_link_of_one_account_sets_no_other(staff_app: Flask, session: Session) -> None:
    path = link_for(staff_app, session)
    follow(staff_app.test_client(), path)
    assert attempt(staff_app, "admin", NEW) == 401
    untouched: Staff = person(session, "admin")
    assert not untouched.must_change_password
