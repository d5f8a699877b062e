"""A 個人番号 that somebody puts into an address or a search means nothing there, and is written down nowhere (番号法20条)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote, urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import audit
from app.context import Context
from app.extensions import db
from app.gate import own_path
from app.schema import Spec, specs
from models import MyNumberAccess, OperationLog
from tests.pages import post
from tests.test_audit import PERSONAL_NUMBER
from views.address import is_range, list_of

Browse = Callable[[str], FlaskClient]
DRESSES = (
    PERSONAL_NUMBER,
    "1234-5678-9018",
    f"a{PERSONAL_NUMBER}",
    f"{PERSONAL_NUMBER}b",
    "１２３４５６７８９０１８",
    "1234/5678/9018",
)
TRACES = (PERSONAL_NUMBER, "1234-5678", "1234/5678", "１２３４")


def words_of(spec: Spec, value: str) -> dict[str, str]:
    """Every word that the address of a list may hold, all with this value."""
    named = [f"{p.key}_{side}" for p in spec.filters if is_range(p) for side in ("from", "to")]
    return dict.fromkeys([*named, *(p.key for p in spec.filters), "after", "before", "s", "order", "size", "q"], value)


def lists() -> Iterator[Spec]:
    return (spec for spec in specs().values() if not spec.inline_of)


def who_may(spec: Spec) -> str:
    return "manager" if spec.area != "log" else "auditor"


def nowhere(words: str) -> bool:
    plain = unquote(words)
    return not any(trace in plain for trace in TRACES)


def everything_logged(session: Session) -> str:
    session.rollback()
    return str(session.execute(text("SELECT * FROM operation_log")).all())


def test_in_the_address_of_a_list_it_means_nothing(browse: Browse, session: Session) -> None:
    people = {name: browse(name) for name in ("manager", "auditor")}
    for spec in lists():
        for value in DRESSES:
            answer = people[who_may(spec)].get(f"{list_of(spec)}?{urlencode(words_of(spec, value))}")
            assert answer.status_code == 200, (spec.name, value)
            assert nowhere(answer.text), (spec.name, value)
    assert nowhere(everything_logged(session))
    told = session.scalars(select(OperationLog.my_number_access).where(OperationLog.action_code.like("%.list"))).all()
    assert set(told) == {MyNumberAccess.REFUSED}


def test_sent_as_a_search_it_leads_to_no_address(browse: Browse, session: Session) -> None:
    people = {name: browse(name) for name in ("manager", "auditor")}
    for spec in lists():
        base = list_of(spec).removesuffix("list/")
        for name in words_of(spec, ""):
            answer = post(people[who_may(spec)], f"{base}search", {name: DRESSES[len(name) % len(DRESSES)]})
            assert (answer.status_code, answer.headers["Location"]) == (303, list_of(spec)), (spec.name, name)
    told = session.scalars(select(OperationLog.my_number_access).where(OperationLog.action_code.like("%.list"))).all()
    assert set(told) == {MyNumberAccess.REFUSED}
    assert "個人番号（マイナンバー）では検索できません。" in people["manager"].get("/").text
    assert nowhere(everything_logged(session))
    assert nowhere(str(session.execute(text("SELECT data FROM web_session")).all()))


def test_as_the_key_of_a_row_it_is_not_written_down(browse: Browse, session: Session, staff_app: Flask) -> None:
    """With a right and without it, with the form's token and without it."""
    people = [browse("admin"), browse("maintainer")]
    urls = staff_app.url_map.bind("localhost")
    for rule in staff_app.url_map.iter_rules():
        if "pk" not in rule.arguments:
            continue
        for value in DRESSES[:2]:
            for method in (rule.methods or set()) & {"GET", "POST"}:
                address = urls.build(
                    rule.endpoint, {"pk": value} | dict.fromkeys(rule.arguments & {"key"}, "cancel"), method=method
                )
                for person in people:
                    refused = person.post(address) if method == "POST" else person.get(address)
                    assert refused.status_code in (400, 403, 404), address
                    if method == "POST":
                        assert post(person, address).status_code in (403, 404), address
    assert nowhere(everything_logged(session))


@pytest.mark.parametrize("path", ["/card/add", "/shipment/delete/123456789018", "/masters/counter/new/"])
def test_a_refused_form_is_logged_by_its_route_and_not_by_its_address(browse: Browse, session: Session, path: str) -> None:
    assert browse("staff").post(f"{path}?name={PERSONAL_NUMBER}").status_code == 400
    [row] = session.scalars(select(OperationLog).where(OperationLog.action_code == "access.refused"))
    assert "/" not in row.detail["対象"]
    assert nowhere(str(row.detail))


def test_it_does_not_come_along_through_the_sign_in(staff_app: Flask) -> None:
    for value in DRESSES[:2]:
        asked = staff_app.test_client().get(f"/card/list/?card={value}")
        assert asked.headers["Location"] == "/login/"
        assert own_path(f"/card/list/?card={quote(value)}") == "/"


def test_what_reaches_the_log_all_the_same_is_hidden_and_said(session: Session) -> None:
    """The last line of defence: whatever some future screen may tell the log."""
    act = audit.act(
        "card", "list", "カード", 条件={"資料区分": "1234-5678-9018", "状態": "交付済"}, 相手=["山田", PERSONAL_NUMBER]
    )
    with db.engine.begin() as connection:
        audit.write_alone(connection, Context(act=act))
    row = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert row is not None
    assert row.detail == {"条件": {"資料区分": "＊＊＊", "状態": "交付済"}, "相手": ["山田", "＊＊＊"]}
    assert row.my_number_access is MyNumberAccess.REFUSED
