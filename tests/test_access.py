"""Who may open what: every route of the staff site against every account, held in one table.

A new route without a row here fails. Letters are the accounts: A admin, M manager, S staff, C contractor, O operator,
U auditor, V maintainer (運用保守).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.schema import Spec, specs
from models import OperationLog, Shipment
from tests.conftest import csrf_token
from tests.rows import fill

PEOPLE = {"A": "admin", "M": "manager", "S": "staff", "C": "contractor", "O": "operator", "U": "auditor", "V": "maintainer"}

#        table            list   add   edit  delete export import
RIGHTS = """
         slot             AMSCO  -     -     -      MS     -
         reservation      AMSCO  -     MSO   -      MS     -
         card             AMSC   MSC   MS    -      MS     MS
         card_history     AMSC   -     -     -      MS     -
         card_note        AMSC   MSC   -     -      MS     MS
         shipment         AMSC   MSC   MSC   MS     MS     MS
         document         MSC    SC    S     -      MS     SC
         document_page    MSC    -     -     -      MS     -
         operation_log    AMU    -     -     -      MU     -
         staff            AMU    A     A     -      -      -
         counter          AMSCO  AM    AM    AM     -      -
         counter_closure  AMSCO  AM    AM    AM     -      -
         booking_category AMSCO  AM    AM    AM     -      -
         desk_pool        AMSCO  AM    AM    AM     -      -
         code_item        AMSCO  AM    AM    AM     -      -
         fee_rule         AMSCO  AM    AM    AM     -      -
         retention_rule   AMSCO  AM    AM    AM     -      -
"""
VERBS = ("list", "add", "edit", "delete", "export", "import")
TABLE = {line.split()[0]: dict(zip(VERBS, line.split()[1:], strict=True)) for line in RIGHTS.strip().splitlines()}
METHODS = {
    "list": "list",
    "search": "list",
    "show": "list",
    "pick": "list",
    "add": "add",
    "edit": "edit",
    "delete": "delete",
    "delete_selected": "delete",
    "export": "export",
    "import_": "import",
    "index_view": "list",
    "create_view": "add",
    "edit_view": "edit",
    "delete_view": "delete",
    "ajax_update": "edit",
    "sign_in_link": "edit",
    "end_sessions": "edit",
}
OPEN = {"login", "static", "healthz", "readyz", "sign_in_by_link"}
"""Routes that answer without signing in."""
EVERYBODY = {"HomeView.index", "masters.index", "jump.jump"}
"""Routes for whoever has signed in; what they show is limited by the rights above."""
OWN = re.compile(r"(?i)login|logout|password|static|healthz|readyz|link")
"""Sign-in, sign-out and one's own password: their answers are held by test_sign_in."""


def _routes(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule in app.url_map.iter_rules() for method in sorted((rule.methods or set()) & {"GET", "POST"})]


def _table_of(rule: Rule) -> tuple[str, str] | None:
    """(table, verb) of a generated route."""
    _, _, method = rule.endpoint.rpartition(".")
    name = rule.rule.split("/")[2] if rule.rule.startswith("/masters/") else rule.rule.split("/")[1]
    return (name, METHODS[method]) if name in TABLE and method in METHODS else None


def test_every_route_has_a_row(staff_app: Flask) -> None:
    unknown = [
        rule.rule
        for rule, _ in _routes(staff_app)
        if not _table_of(rule) and rule.endpoint not in EVERYBODY and not OWN.search(rule.endpoint)
    ]
    assert unknown == [], "routes without a row in tests/test_access.py"
    assert {t for rule, _ in _routes(staff_app) if (found := _table_of(rule)) and (t := found[0])} == set(TABLE)


def _address(rule: Rule, keys: dict[str, int], foreign: bool = False) -> str:
    table = _table_of(rule)
    key = str(keys.get(table[0], 1)) if table else "1"
    part = next((p.key for p in specs_by_name()[table[0]].typed(adding=True) if p.shape == "relation"), "x") if table else "x"
    return re.sub(r"<[^>]*relation[^>]*>", part, re.sub(r"<[^>]*pk[^>]*>", key, rule.rule))


def specs_by_name() -> dict[str, Spec]:
    return {spec.name: spec for spec in specs().values()}


def _ask(client: FlaskClient, rule: Rule, method: str, keys: dict[str, int]) -> Any:
    if method == "GET":
        return client.get(_address(rule, keys))
    token = csrf_token(client.get("/").text)
    return client.post(_address(rule, keys), data={"csrf_token": token})


@pytest.mark.parametrize("letter", PEOPLE)
def test_every_account_gets_what_the_table_says(letter: str, browse: Callable[[str], FlaskClient], session: Session) -> None:
    keys = fill(session, "sannomiya")
    session.commit()
    person = browse(PEOPLE[letter])
    wrong = []
    for rule, method in _routes(person.application):
        if not (found := _table_of(rule)):
            continue
        answer = _ask(person, rule, method, keys)
        may = letter in TABLE[found[0]][found[1]]
        good = answer.status_code in ({200, 303, 404, 409, 422} if may else {403})
        if not good or (not may and method == "GET" and "権限がありません" not in answer.text):
            wrong.append((letter, method, rule.rule, answer.status_code, "may" if may else "may not"))
    assert wrong == []


def test_nobody_gets_in_without_signing_in(staff_app: Flask) -> None:
    stranger = staff_app.test_client()
    token = csrf_token(stranger.get("/login/").text)
    wrong = []
    for rule, method in _routes(staff_app):
        if OWN.search(rule.endpoint):
            continue
        path = _address(rule, {})
        answer = stranger.get(path) if method == "GET" else stranger.post(path, data={"csrf_token": token})
        if answer.status_code != 302 or not answer.headers["Location"].startswith("/login/"):
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("username", ["staff2", "contractor"])
def test_rows_of_another_counter_are_not_there(username: str, browse: Callable[[str], FlaskClient], session: Session) -> None:
    """Every way to a row: page, form, deletion, picker, relation in the address, posted key, filter, export, count."""
    theirs = fill(session, "gakuen-toshi", name="秘密　花子")
    session.commit()
    person = browse(username)
    for rule, method in _routes(person.application):
        found = _table_of(rule)
        if not found or found[0] not in theirs or specs_by_name()[found[0]].is_master or "pk" not in rule.arguments:
            continue
        answer = _ask(person, rule, method, theirs)
        assert answer.status_code in (403, 404), f"{username} {method} {rule.rule}: {answer.status_code}"
        assert "秘密" not in answer.text
    session.rollback()
    told = session.scalars(
        select(OperationLog).where(OperationLog.action_code == "card.refused", OperationLog.user_id == username)
    ).all()
    assert told and {row.detail["番号"] for row in told} == {str(theirs["card"])}, "asking for another counter's row is logged"
    for name in ("card", "reservation", "shipment", "document", "card_note", "card_history"):
        page = person.get(f"/{name}/list/?card={theirs['card']}").text
        assert "秘密" not in page and f"/{name}/show/{theirs[name]}" not in page
        assert (
            f"/{name}/show/{theirs[name]}"
            not in person.get(f"/{name}/list/?_flt_0_card={theirs['card']}&psize_CardView=100000").text
        )


def test_pickers_and_posted_keys_stay_in_scope(browse: Callable[[str], FlaskClient], session: Session) -> None:
    theirs, mine = fill(session, "gakuen-toshi", name="秘密　花子"), fill(session, "sannomiya", name="公開　太郎")
    session.commit()
    clerk = browse("staff")
    token = csrf_token(clerk.get("/shipment/add").text)

    def picked(words: str) -> list[str]:
        return [row["id"] for row in clerk.post("/shipment/pick/card", data={"csrf_token": token, "q": words}).get_json()["rows"]]

    assert (picked("秘密"), picked("公開")) == ([], [str(mine["card"])])
    form = {
        "csrf_token": token,
        "item_kind": "notice",
        "sent_date": "2026-11-01",
        "postal_code": "6500001",
        "name": "名",
        "address": "神戸市",
        "attempt_no": "1",
    }
    answer = clerk.post("/shipment/add", data={**form, "card": str(theirs["card"])})
    assert answer.status_code == 422 and "選び直してください" in answer.text
    assert clerk.get(f"/shipment/add?card={theirs['card']}").text.count("秘密") == 0
    answer = clerk.post("/shipment/add", data={**form, "card__words": "秘密"})
    assert answer.status_code == 422
    session.rollback()
    assert session.scalars(select(Shipment).where(Shipment.name == "名")).all() == []


def test_bulk_delete_takes_nothing_from_another_counter(browse: Callable[[str], FlaskClient], session: Session) -> None:
    theirs, mine = fill(session, "gakuen-toshi"), fill(session, "sannomiya")
    session.commit()
    clerk = browse("staff")
    token = csrf_token(clerk.get("/shipment/list/").text)
    answer = clerk.post("/shipment/delete", data={"csrf_token": token, "id": [str(mine["shipment"]), str(theirs["shipment"])]})
    assert answer.status_code == 404
    session.rollback()
    assert {s.id for s in session.scalars(select(Shipment))} >= {mine["shipment"], theirs["shipment"]}, "nothing is half deleted"


def test_export_holds_only_rows_in_scope(browse: Callable[[str], FlaskClient], session: Session) -> None:
    fill(session, "gakuen-toshi", name="秘密　花子")
    fill(session, "sannomiya", name="公開　太郎")
    session.commit()
    for username, sees in (("manager", True), ("staff", False)):
        person = browse(username)
        token = csrf_token(person.get("/card/export").text)
        file = person.post(
            "/card/export", data={"csrf_token": token, "purpose": "点検", "format": "csv", "personal": "1"}
        ).data.decode("utf-8-sig")
        assert ("秘密" in file) is sees
        assert ("公開" in file) is (username == "manager"), "staff may not export personal columns"
        assert file.count("\r\n") == (3 if sees else 2)
