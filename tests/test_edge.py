"""What no page of either site ever gets to see."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.extensions import db
from models import OperationLog
from tests.conftest import House, csrf_token
from tests.pages import post

Browse = Callable[[str], FlaskClient]
SENTENCE = "画面を開き直して、もう一度お試しください"


def is_refused(answer: Any) -> bool:
    return answer.status_code == 400 and SENTENCE in answer.text and "受け付けませんでした" not in answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/jump", {"q": "山田\0"}),
        ("/card/add", {"once": "a\0b"}),
        ("/card/import", {"draft": "\0"}),
        ("/card/search", {"q": "\0"}),
        ("/card/search", {"na\0me": "x"}),
        ("/masters/counter/ajax/update/", {"value": "\0"}),
        ("/password/", {"new": "\0" * 20}),
        ("/nowhere", {"x": "\0"}),
    ],
)
def test_a_nul_in_a_form_is_refused_in_words(browse: Browse, path: str, fields: dict[str, str]) -> None:
    assert is_refused(post(browse("manager"), path, fields))


def test_a_nul_in_the_name_of_a_file_is_refused(browse: Browse) -> None:
    assert is_refused(post(browse("manager"), "/card/import", {"file": (io.BytesIO(b"x"), "a\0.csv")}))


@pytest.mark.parametrize("path", ["/card/list/?state=%00", "/card/show/%00", "/?%00=1", "/reset/%00", "/nowhere/%00"])
def test_a_nul_in_an_address_is_refused_in_words(browse: Browse, staff_app: Flask, path: str) -> None:
    assert is_refused(browse("staff").get(path))
    assert is_refused(staff_app.test_client().get(path))


def test_a_nul_at_the_door_is_refused(staff_app: Flask) -> None:
    client = staff_app.test_client()
    token = csrf_token(client.get("/login/").text)
    for fields in ({"username": "sta\0ff"}, {"username": "staff", "password": "\0"}):
        assert is_refused(client.post("/login/", data={"csrf_token": token, "password": "x", **fields}))


@pytest.mark.parametrize("path", ["/book/%00/", "/book/pickup/%00/", "/lookup?x=%00", "/booked/%00"])
def test_residents_addresses_hold_no_nul(visitor: FlaskClient, path: str) -> None:
    assert is_refused(visitor.get(path))


def test_residents_forms_hold_no_nul(visitor: FlaskClient) -> None:
    token = csrf_token(visitor.get("/lookup").text)
    assert is_refused(visitor.post("/lookup", data={"csrf_token": token, "code": "ABCDE\00023456", "phone": "0781234567"}))


def test_a_browser_with_a_nul_in_its_name_is_logged_without_it(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    assert clerk.get("/card/list/", headers={"User-Agent": "Mozilla\0/5.0"}).status_code == 200
    row = session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first()
    assert row is not None
    assert row.client_info == "127.0.0.1 Mozilla/5.0"


def test_no_route_lets_a_nul_through(browse: Browse, session: Session) -> None:
    """Every form and every address with a gap in it, of every table, in a field that is there and in one that is not."""
    admin = browse("manager")
    token = csrf_token(admin.get("/").text)
    rules = [rule for rule in admin.application.url_map.iter_rules() if not rule.endpoint.endswith("static")]
    let_through = []
    for rule in rules:
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        if "POST" in (rule.methods or ()):
            answers = [admin.post(path, data={"csrf_token": token, **fields}) for fields in ({"memo": "a\0"}, {"\0": "a"})]
        else:
            answers = [admin.get(path, query_string={"q": "\0"})]
        if rule.arguments:
            answers.append(admin.get(re.sub(r"<[^>]+>", "%00", rule.rule)))
        let_through += [(rule.rule, answer.status_code) for answer in answers if answer.status_code != 400]
    assert let_through == []


@pytest.mark.parametrize("header", ["User-Agent", "Referer", "X-Forwarded-For", "Accept-Language", "Cookie", "X-Requested-With"])
def test_a_nul_in_a_header_is_no_defect(browse: Browse, visitor: FlaskClient, header: str) -> None:
    """On both sites, at the door and behind it, wherever the header's words may be kept."""
    for answer in (
        browse("staff").post("/card/search", data={"q": "x"}, headers={header: "a\0b"}),
        browse("staff").get("/operation_log/list/", headers={header: "a\0b"}),
        visitor.post("/lookup", data={"code": "x"}, headers={header: "a\0b"}),
    ):
        assert answer.status_code < 500


def test_a_screen_waits_for_the_database_fifteen_seconds_and_a_command_as_long_as_it_takes(
    staff_app: Flask, resident_app: Flask, database: House
) -> None:
    if "postgresql" not in database.settings.database_url:
        return
    for app in (staff_app, resident_app):
        with app.test_request_context("/healthz"):
            app.preprocess_request()
            assert db.session.scalar(text("SHOW statement_timeout")) == "15s"
            db.session.rollback()
            with db.engine.connect() as another:
                assert another.scalar(text("SHOW statement_timeout")) == "15s"
            db.session.remove()
        with app.app_context():
            assert db.session.scalar(text("SHOW statement_timeout")) == "0"
            db.session.remove()
