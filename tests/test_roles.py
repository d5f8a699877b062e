"""役割と権限: an administrator changes what a role may do; it counts at once, is logged, and nobody locks everybody out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.installing import install
from models import OperationLog, Staff
from tests.pages import form, post, table, words

Browse = Callable[[str], FlaskClient]


def page_of(session: Session, name: str) -> str:
    return f"/role/edit/{session.scalars(select(Role.id).where(Role.name == name)).one()}"


def with_rights(person: FlaskClient, path: str, *, add: tuple[str, ...] = (), drop: tuple[str, ...] = ()) -> Any:
    """Opens a role's page, ticks and unticks, and sends it."""
    sent = form(person.get(path).text)
    sent["right"] = [right for right in (*sent.get("right", []), *add) if right not in drop]
    return post(person, path, sent)


def test_rights_given_and_taken_count_at_the_next_request(browse: Browse, session: Session) -> None:
    clerk, admin = browse("staff"), browse("admin")
    assert (clerk.get("/card/list/").status_code, clerk.get("/operation_log/list/").status_code) == (200, 403)
    answer = with_rights(admin, page_of(session, "staff"), add=("can_list OperationLog",), drop=("can_list Card",))
    assert answer.status_code == 303
    assert (clerk.get("/card/list/").status_code, clerk.get("/operation_log/list/").status_code) == (403, 200)
    row = session.scalars(select(OperationLog).where(OperationLog.action_code == "role.edit")).one()
    assert (row.detail["役割"], row.detail["付けた権限"], row.detail["外した権限"]) == (
        "サテライト職員",
        ["操作ログ 一覧"],
        ["カード 一覧"],
    )


def test_an_administrators_choice_survives_the_next_set_up(browse: Browse, session: Session, staff_app: Flask) -> None:
    with_rights(browse("admin"), page_of(session, "contractor"), drop=("can_add Card",))
    install(staff_app)
    role = session.scalars(select(Role).where(Role.name == "contractor")).one()
    session.refresh(role)
    assert "can add on Card" not in map(str, role.permissions)


def test_the_page_shows_every_table_and_offers_only_what_makes_sense(browse: Browse, session: Session) -> None:
    page = browse("admin").get(page_of(session, "staff")).text
    assert "サテライト職員の権限" in words(page)
    assert {"カード", "操作ログ", "窓口", "利用者", "役割と権限", "個人情報を伏せずに出力"} <= {line[0] for line in table(page)}
    assert 'value="can_list OperationLog"' in page and 'value="can_edit OperationLog"' not in page
    assert 'value="can_edit Card" checked' in page and 'value="can_export_personal PersonalData" checked' not in page


def test_two_administrators_at_one_role(browse: Browse, session: Session) -> None:
    admin, path = browse("admin"), page_of(session, "operator")
    opened = form(admin.get(path).text)
    with_rights(admin, path, add=("can_list Card",))
    late = post(admin, path, {**opened, "right": [*opened["right"], "can_export Reservation"]})
    assert late.status_code == 409 and "ほかの人が先に変更しました" in late.text
    assert 'value="can_list Card" checked' in admin.get(path).text, "the first change stands"


@pytest.mark.parametrize("right", ["can_edit Role", "can_edit Staff"])
def test_the_last_who_can_manage_accounts_and_roles_cannot_give_it_away(right: str, browse: Browse, session: Session) -> None:
    admin, path = browse("admin"), page_of(session, "admin")
    answer = with_rights(admin, path, drop=(right,))
    assert answer.status_code == 422 and "管理できる人がいなくなります" in answer.text
    with_rights(admin, page_of(session, "manager"), add=(right,))
    assert with_rights(admin, path, drop=(right,)).status_code == 303, "now there is somebody else"


def test_a_new_role_begins_without_rights_and_sees_its_own_counters(browse: Browse, session: Session) -> None:
    admin = browse("admin")
    made = post(admin, "/role/add", name="受付補助")
    assert made.status_code == 303 and "checked" not in admin.get(made.headers["Location"]).text.split("<main")[1]
    assert with_rights(admin, made.headers["Location"], add=("can_list Card", "can_show Card")).status_code == 303
    clerk = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    clerk.roles = [session.scalars(select(Role).where(Role.name == "受付補助")).one()]
    helper = browse("staff")
    assert (helper.get("/card/list/").status_code, helper.get("/card/add").status_code) == (200, 403)
    assert "受付補助" in words(admin.get("/role/list/").text) and ["受付補助", "担当窓口だけ", "1", "権限を変える"] in table(
        admin.get("/role/list/").text
    )


NOT_A_NAME = [
    ("", "64文字以内で入力"),
    ("あ" * 65, "64文字以内で入力"),
    ("admin", "すでにあります"),
    ("監査", "すでにあります"),
    ("123456789018", "個人番号"),
]


@pytest.mark.parametrize(("name", "sentence"), NOT_A_NAME)
def test_a_name_that_cannot_be_a_roles_gets_a_sentence(name: str, sentence: str, browse: Browse, session: Session) -> None:
    answer = post(browse("admin"), "/role/add", name=name)
    assert answer.status_code == 422 and sentence in answer.text and "123456789018" not in answer.text


def test_unknown_rights_and_roles_do_nothing(browse: Browse, session: Session) -> None:
    admin = browse("admin")
    assert with_rights(admin, page_of(session, "staff"), add=("can_fly Card", "can_edit OperationLog")).status_code == 303
    assert "can edit on OperationLog" not in " ".join(
        str(p) for p in session.scalars(select(Role).where(Role.name == "staff")).one().permissions
    )
    assert (admin.get("/role/edit/99999").status_code, admin.get("/role/edit/x").status_code) == (404, 404)


def test_who_may_only_look_at_accounts_may_only_look_at_roles(browse: Browse, session: Session) -> None:
    manager, path = browse("manager"), page_of(session, "staff")
    assert manager.get("/role/list/").status_code == 200 and "権限を変える" not in manager.get("/role/list/").text
    assert (manager.get(path).status_code, post(manager, "/role/add", name="x").status_code) == (403, 403)
    assert browse("staff").get("/role/list/").status_code == 403


def test_people_read_what_a_role_is_called(browse: Browse, session: Session) -> None:
    admin = browse("admin")
    person = session.scalars(select(Staff).where(Staff.username == "contractor")).one()
    for path in ("/staff/list/", f"/staff/show/{person.id}", f"/staff/edit/{person.id}"):
        assert "委託業者" in words(admin.get(path).text), path
