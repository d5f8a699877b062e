"""Signing in and out over HTTP: who may, who may not, and what is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import gate, passwords
from app.context import TOKYO
from app.gate import own_path
from app.sign_in import WRONG
from models import OperationLog
from tests.conftest import csrf_token
from tests.conftest import sign_in as enter
from tests.databases import PASSWORD
from tests.sites import log, person, rows


def attempt(client: FlaskClient, username: str, password: str, at: str = "/login/", **kw: Any) -> Any:
    token = csrf_token(client.get("/login/").text)
    return client.post(at, data={"username": username, "password": password, "csrf_token": token}, **kw)


def test_right_password_opens_the_panel(staff_app: Flask, session: Session) -> None:
    client = staff_app.test_client()
    assert attempt(client, "staff", PASSWORD).location == "/"
    assert "三宮 太郎" in client.get("/").text
    me = person(session, "staff")
    assert (me.login_count, me.fail_login_count) == (1, 0)
    assert me.last_login is not None
    [row] = log(session, "session.sign_in")
    assert (row.user_id, row.user_name, row.department) == ("staff", "三宮 太郎", "三宮サテライト")
    assert "変更" not in row.detail  # counting sign-ins is no change of the account


def test_user_name_is_the_same_in_capitals_and_with_spaces_round_it(staff_app: Flask) -> None:
    assert attempt(staff_app.test_client(), " STAFF ", PASSWORD).status_code == 302


def test_wrong_password_is_counted_and_logged_although_nothing_else_is_kept(staff_app: Flask, session: Session) -> None:
    client = staff_app.test_client()
    answer = attempt(client, "staff", "not the password")
    assert (answer.status_code, WRONG in answer.text) == (401, True)
    assert client.get("/").status_code == 302
    assert person(session, "staff").fail_login_count == 1
    assert rows(session) == []
    [row] = log(session, "session.refused")
    assert (row.user_id, row.user_name, row.action_name) == ("staff", "三宮 太郎", "サインイン 拒否")
    assert "変更" not in row.detail
    enter(client, "staff")
    assert person(session, "staff").fail_login_count == 0


def test_unknown_name_is_answered_alike_and_never_written_down(staff_app: Flask, session: Session) -> None:
    answer = attempt(staff_app.test_client(), "my-secret-typed-too-early", "x" * 14)
    assert (answer.status_code, WRONG in answer.text) == (401, True)
    [row] = log(session, "session.refused")
    assert row.user_id == "unknown"
    assert all(
        "secret" not in f"{getattr(r, c.key)}" for r in session.scalars(select(OperationLog)) for c in OperationLog.__table__.c
    )


@pytest.mark.parametrize("ended", ["active", "expires_on", "password"])
def test_ended_accounts_are_answered_like_a_wrong_password(staff_app: Flask, session: Session, ended: str) -> None:
    me = person(session, "staff")
    setattr(me, ended, {"active": False, "expires_on": datetime.now(TOKYO).date() - timedelta(days=1), "password": None}[ended])
    session.commit()
    answer = attempt(staff_app.test_client(), "staff", PASSWORD)
    assert (answer.status_code, WRONG in answer.text) == (401, True)


def test_the_last_day_of_an_account_still_counts(staff_app: Flask, session: Session) -> None:
    person(session, "staff").expires_on = datetime.now(TOKYO).date()
    session.commit()
    assert attempt(staff_app.test_client(), "staff", PASSWORD).status_code == 302


@pytest.mark.parametrize("username", ["staff", "auditor", "nobody-at-all"])
def test_every_refusal_costs_one_hash(staff_app: Flask, session: Session, username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known, ended and unknown names cannot be told apart by time: each costs one check with the same parameters."""
    for name in ("staff", "auditor"):
        person(session, name).password = passwords.hashed(PASSWORD)
    person(session, "auditor").active = False
    session.commit()
    checked: list[str] = []

    class Counting:
        def verify(self, stored: str, typed: str) -> bool:
            checked.append(stored.rsplit("$", 2)[0])
            return real.verify(stored, typed)

    real = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    attempt(staff_app.test_client(), username, "not the password")
    assert checked == ["$argon2id$v=19$m=19456,t=2,p=1"]


def test_empty_boxes_are_asked_for_at_the_field(staff_app: Flask) -> None:
    answer = attempt(staff_app.test_client(), "", "")
    assert answer.status_code == 422
    assert "ユーザーIDを入力してください。" in answer.text
    assert "パスワードを入力してください。" in answer.text


def test_sign_in_needs_the_token_of_its_own_page(staff_app: Flask, session: Session) -> None:
    answer = staff_app.test_client().post("/login/", data={"username": "staff", "password": PASSWORD})
    assert (answer.status_code, rows(session)) == (400, [])
    assert "開き直して" in answer.text


@pytest.mark.parametrize("sent", ["[1, 2]", '"x"', '{"username": 5, "password": "x"}', '{"username": "a\\u0000b"}'])
def test_only_forms_are_read(staff_app: Flask, sent: str) -> None:
    person = staff_app.test_client()
    token = csrf_token(person.get("/login/").text)
    answer = person.post("/login/", data=sent, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 400 and "受け付けられませんでした" in answer.text


# -- the gate ---------------------------------------------------------------------------------------------------------


def test_every_address_asks_for_a_sign_in(staff_app: Flask) -> None:
    """All of them, whatever the verb: a new route is closed without anybody remembering to close it."""
    for rule in staff_app.url_map.iter_rules():
        if rule.endpoint in gate.OPEN or rule.endpoint.endswith("static") or rule.endpoint in ("healthz", "readyz"):
            continue
        for verb in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            address = staff_app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method=verb)
            answer = staff_app.test_client().open(address, method=verb)
            assert answer.status_code == 302, f"{verb} {address}: {answer.status_code}"
            assert answer.location.startswith("/login/"), f"{verb} {address}: {answer.location}"


def test_unknown_addresses_say_nothing_to_strangers(staff_app: Flask, browse: Callable[[str], FlaskClient]) -> None:
    assert staff_app.test_client().get("/is/there/a/card/7").location == "/login/?next=%2Fis%2Fthere%2Fa%2Fcard%2F7"
    assert browse("staff").get("/is/there/a/card/7").status_code == 404


@pytest.mark.parametrize(
    "headers", [{"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest"}, {"Sec-Fetch-Dest": "empty"}]
)
def test_scripts_get_a_401_instead_of_a_page(staff_app: Flask, headers: dict[str, str]) -> None:
    answer = staff_app.test_client().get("/card/list/", headers=headers)
    assert answer.status_code == 401
    assert "サインイン" in answer.get_json()["message"]


def test_sign_in_returns_to_the_page_that_was_asked_for(staff_app: Flask) -> None:
    client = staff_app.test_client()
    door = client.get("/card/list/?state=arrived").location
    assert attempt(client, "staff", PASSWORD, at=door).location == "/card/list/?state=arrived"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/\t/evil",
        "/\n/evil.example",
        "\\\\evil.example",
        "evil.example",
        "",
        "/login/?next=/login/",
        "/logout/",
        "///evil.example",
        "/%0d\r\nSet-Cookie:x=1",
        "/" + "a" * 3000,
    ],
)
def test_next_is_followed_only_within_this_site(target: str) -> None:
    assert own_path(target) == "/"


@pytest.mark.parametrize("target", ["/", "/card/show/7", "/card/list/?state=arrived&page=2", "/masters/counter/"])
def test_next_keeps_our_own_pages(target: str) -> None:
    assert own_path(target) == target


def test_no_side_doors(staff_app: Flask) -> None:
    """No token API, menu API, documentation, choice of language, registration, or page that sets another person's password."""
    addresses = {rule.rule for rule in staff_app.url_map.iter_rules()}
    words = (
        "api",
        "swagger",
        "lang",
        "back",
        "register",
        "resetpassword",
        "resetmypassword",
        "users",
        "roles",
        "userinfo",
        "download",
        "openapi",
    )
    assert [a for a in addresses if any(word in a.strip("/").split("/") for word in words)] == []
    assert not any(rule.endpoint.startswith("SecurityApi") for rule in staff_app.url_map.iter_rules())


def test_bearer_tokens_and_basic_authentication_open_nothing(staff_app: Flask) -> None:
    for value in ("Bearer eyJhbGciOiJIUzI1NiJ9.e30.x", "Bearer sst_x", "Basic c3RhZmY6Y29ycmVjdC1ob3JzZS03"):
        assert staff_app.test_client().get("/", headers={"Authorization": value}).status_code == 302


def test_page_without_the_right_is_refused_and_logged(browse: Callable[[str], FlaskClient], session: Session) -> None:
    answer = browse("operator").get("/card/list/")
    assert answer.status_code == 403
    assert "権限がありません" in answer.text
    [row] = log(session, "access.refused")
    assert (row.user_id, row.action_class) == ("operator", "auth")


def test_forged_form_of_a_signed_in_person_is_refused_and_logged(browse: Callable[[str], FlaskClient], session: Session) -> None:
    answer = browse("staff").post("/card/add", data={"name": "偽"})
    assert answer.status_code == 400
    [row] = log(session, "access.refused")
    assert row.user_id == "staff"
    assert "CardView.add" in row.detail["対象"]


# -- signing out ------------------------------------------------------------------------------------------------------


def test_signing_out_is_a_form_and_not_a_link(browse: Callable[[str], FlaskClient], staff_app: Flask) -> None:
    client = browse("staff")
    assert client.get("/logout/").status_code == 405
    assert staff_app.test_client().get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 400
    assert client.get("/").status_code == 200


def test_signing_out_ends_the_session_and_says_so(browse: Callable[[str], FlaskClient], session: Session) -> None:
    client = browse("staff")
    answer = client.post("/logout/", data={"csrf_token": csrf_token(client.get("/").text)})
    assert answer.location == "/login/"
    assert "サインアウトしました。" in client.get("/login/").text
    assert rows(session) == []
    [row] = log(session, "session.sign_out")
    assert row.user_id == "staff"


def test_forged_host_is_answered_in_plain_words(staff_app: Flask) -> None:
    answer = staff_app.test_client().get("/login/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
