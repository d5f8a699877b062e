"""利用者: an administrator makes accounts, hands over links, ends sessions; nobody's password is seen or set by another."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import AppError
from app.holding import NOT_THIS_NAME
from models import Counter, OperationLog, Staff
from tests.conftest import csrf_token, sign_in
from tests.pages import find, words

Browse = Callable[[str], FlaskClient]


def _post(client: FlaskClient, path: str, page: str, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": csrf_token(client.get(page).text), **form})


def _new(client: FlaskClient, session: Session, **more: Any) -> Any:
    counter = session.scalars(select(Counter).where(Counter.code == "tanigami")).one()
    role = next(r for r in session.scalars(select(Staff).where(Staff.username == "staff")).one().roles)
    form = {
        "username": "newcomer",
        "last_name": "新任",
        "first_name": "一郎",
        "email": "new@example.jp",
        "department": "谷上サテライト",
        "employer": "city",
        "active": "1",
        "roles": [str(role.id)],
        "counters": [str(counter.id)],
        **more,
    }
    return _post(client, "/staff/add", "/staff/add", **form)


def test_a_new_account_signs_in_only_through_its_link(browse: Browse, session: Session, staff_app: Any) -> None:
    admin = browse("admin")
    assert _new(admin, session).status_code == 303
    session.rollback()
    person = session.scalars(select(Staff).where(Staff.username == "newcomer")).one()
    assert [c.code for c in person.counters] == ["tanigami"] and not person.password
    stranger = staff_app.test_client()
    token = csrf_token(stranger.get("/login/").text)
    assert stranger.post("/login/", data={"username": "newcomer", "password": "", "csrf_token": token}).status_code != 302
    page = _post(admin, f"/staff/link/{person.id}", f"/staff/show/{person.id}").text
    link = re.search(r'value="http://[^/]+(/[^"]+)"', page)
    assert link
    answer = _post(
        stranger,
        link.group(1),
        link.group(1),
        password="gozen rokuji ni okiru",
        again="gozen rokuji ni okiru",
        new_password="gozen rokuji ni okiru",
        new="gozen rokuji ni okiru",
        confirm="gozen rokuji ni okiru",
    )
    assert answer.status_code in (302, 303), answer.text
    sign_in(staff_app.test_client(), "newcomer", "gozen rokuji ni okiru")
    assert staff_app.test_client().get(link.group(1)).status_code in (400, 403, 404, 410), "the link works once"


def test_the_link_leads_to_the_site_of_the_settings(browse: Browse, session: Session, staff_app: Any, monkeypatch: Any) -> None:
    """And not to whatever name a browser called the site by."""
    monkeypatch.setitem(staff_app.config, "STAFF_SITE", "https://madoguchi.example.jp/")
    person = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    page = _post(browse("admin"), f"/staff/link/{person.id}", f"/staff/show/{person.id}").text
    assert re.search(r'value="https://madoguchi\.example\.jp/reset/[^"]+"', page)


@pytest.mark.parametrize("name", ["b" * 65, "аdmin", "<b>x</b>", "../x", "a b", "山田"])
def test_a_user_name_is_short_and_cannot_be_mistaken(browse: Browse, session: Session, name: str) -> None:
    """The log holds 64 letters of it, and a Cyrillic а is not seen in it."""
    answer = _new(browse("admin"), session, username=name)
    assert answer.status_code == 422 and "半角の英数字と _ - . @ で、64文字まで" in answer.text
    session.rollback()
    session.add(Staff(username=name, first_name="花子", last_name="山田", email="x@example.jp", active=True))
    with pytest.raises(AppError, match="64文字まで"):
        session.commit()
    session.rollback()


@pytest.mark.parametrize("taken", ["STAFF", "Staff", "ＳＴＡＦＦ"])
def test_capitals_make_no_second_account(browse: Browse, session: Session, taken: str) -> None:
    answer = _new(browse("admin"), session, username=taken)
    assert answer.status_code == 422 and "ユーザーID" in answer.text
    session.rollback()
    assert session.scalars(select(Staff.username).where(func.lower(Staff.username) == "staff")).all() == ["staff"]


@pytest.mark.parametrize("reserved", ["system", "Resident", "unknown"])
def test_nobody_is_named_like_who_is_none(browse: Browse, session: Session, reserved: str) -> None:
    answer = _new(browse("admin"), session, username=reserved)
    assert answer.status_code == 422 and NOT_THIS_NAME in answer.text


def test_an_administrator_ends_every_session_of_an_account(browse: Browse, session: Session) -> None:
    clerk, admin = browse("staff"), browse("admin")
    assert clerk.get("/card/list/").status_code == 200
    person = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    assert _post(admin, f"/staff/sessions/{person.id}", f"/staff/show/{person.id}").status_code == 303
    assert clerk.get("/card/list/").status_code == 302


def test_switching_an_account_off_ends_it_at_once(browse: Browse, session: Session) -> None:
    clerk, admin = browse("staff"), browse("admin")
    person = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    page = admin.get(f"/staff/edit/{person.id}").text
    stamp = re.search(r'name="row_stamp" value="(\d+)"', page)
    assert stamp
    answer = _post(
        admin,
        f"/staff/edit/{person.id}",
        f"/staff/edit/{person.id}",
        row_stamp=stamp.group(1),
        last_name="北",
        first_name="花子",
        email=person.email,
        department="三宮",
        employer="city",
        roles=[str(r.id) for r in person.roles],
        counters=[str(c.id) for c in person.counters],
        active="",
    )
    assert answer.status_code == 303
    session.rollback()
    assert session.get_one(Staff, person.id).active is False
    assert clerk.get("/card/list/").status_code == 302
    session.rollback()
    log = session.scalars(select(OperationLog).where(OperationLog.action_code == "staff.edit")).one()
    assert log.detail["変更"][0]["項目"]["有効"] == ["はい", "いいえ"]


def test_accounts_are_found_by_name_department_and_employer(browse: Browse, session: Session) -> None:
    admin = browse("admin")
    _new(admin, session)
    for typed in ("新任", "newcomer", "谷上サテ", "新任 一郎"):
        found = find(admin, "staff", typed)
        assert "newcomer" in words(found.text) and "auditor" not in words(found.text), typed
    city = words(admin.get("/staff/list/?employer=contractor&active=1").text)
    assert "contractor" in city and "newcomer" not in city


def test_a_right_taken_away_is_gone_at_the_next_request(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    assert clerk.get("/card/list/").status_code == 200
    session.scalars(select(Staff).where(Staff.username == "staff")).one().roles = []
    session.commit()
    assert clerk.get("/card/list/").status_code == 403


def test_who_would_see_nothing_is_told_of(browse: Browse, session: Session) -> None:
    admin = browse("admin")
    answer = _new(admin, session, counters=[""])
    assert answer.status_code == 303 and "担当窓口がないため" in admin.get(answer.headers["Location"]).text
