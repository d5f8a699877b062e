"""Who may open what: every route of both sites against every account, held in one table a site.

`access_staff.txt` says, for each account and for somebody who has not signed in, the exact answer of every route and method:
to a look, or to a form sent empty. A row's key is that of a row at 三宮, so that `staff2` (新長田) finds none (404).
A new route without a row fails, and so does a right that has become wider or narrower.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.schema import specs
from models import Card, OperationLog, Shipment
from tests.conftest import House, csrf_token
from tests.pages import form, post, refused_by_policy, words
from tests.rows import fill

Route = tuple[str, str]
"""(method, rule): ("GET", "/card/show/<pk>")."""
NOBODY = "visitor"
"""Somebody at the staff site who has not signed in."""


def _read(name: str) -> tuple[list[str], dict[Route, list[int]]]:
    """The people of a table, and the answer that each gets from every route."""
    lines = [line.split() for line in (Path(__file__).parent / name).read_text().splitlines() if line and line[0] != "#"]
    return lines[0][2:], {(method, rule): [int(word) for word in answers] for method, rule, *answers in lines[1:]}


PEOPLE, ANSWERS = _read("access_staff.txt")
_, RESIDENT_ANSWERS = _read("access_resident.txt")
FILLED = {
    "<path:filename>": "no-such-file",
    "<token>": "forged",
    "<key>": "cancel",
    "<category>": "no-such-category",
    "<counter>": "no-such-counter",
    "<day>": "2026-12-02",
    "<month>": "2026-12",
    "<int(max=9223372036854775807):slot>": "1",
    "<reference>": "forged",
    "<name>": "forged",
    "<number>": "1",
}
"""What the walk writes into addresses; a key is that of a row at 三宮."""


def _routes(app: Flask) -> set[Route]:
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def _scoped() -> list[str]:
    """Every table whose rows belong to counters; a new one is walked too, and tests/rows.py must know how to make its row."""
    return [spec.name for spec in specs().values() if spec.scope]


def _table_of(rule: str) -> str:
    return rule.removeprefix("/masters").split("/")[1]


def _address(rule: str, keys: dict[str, int]) -> str:
    table = _table_of(rule)
    relation = "issue_site" if table == "card" else "card"
    for gap, word in {**FILLED, "<relation>": relation, "<pk>": str(keys.get(table, 1))}.items():
        rule = rule.replace(gap, word)
    assert "<" not in rule, f"tests/test_access.py does not know how to fill {rule}"
    return rule


def _in_order(routes: dict[Route, list[int]]) -> list[Route]:
    """Reading first, so that nothing is gone before it is read; signing out last."""
    return sorted(routes, key=lambda route: (route[1] == "/logout/", route[0] == "POST", "delete" in route[1]))


def _faults(client: FlaskClient, route: Route, keys: dict[str, int], token: str, expected: int) -> str:
    """What is wrong with the answer to an empty form or a plain look; nothing when it is as the table says."""
    method, rule = route
    answer = client.open(_address(rule, keys), method=method, data={"csrf_token": token} if method == "POST" else None)
    if answer.status_code != expected:
        return f"{method} {rule}: {answer.status_code}, the table says {expected}"
    if expected == 403 and "権限がありません" not in answer.text:
        return f"{method} {rule}: refused without a sentence"
    if answer.mimetype == "text/html" and (found := refused_by_policy(answer.text)):
        return f"{method} {rule}: the page holds {found}"
    return ""


@pytest.mark.parametrize(("site", "table"), [("staff", ANSWERS), ("resident", RESIDENT_ANSWERS)])
def test_the_table_names_every_route_and_no_other(site: str, table: dict[Route, list[int]], database: House) -> None:
    routes = _routes(database.site(site))
    assert routes - set(table) == set(), f"routes without a row in tests/access_{site}.txt"
    assert set(table) - routes == set(), f"rows of tests/access_{site}.txt for routes that are gone"


@pytest.mark.parametrize("username", [name for name in PEOPLE if name != NOBODY])
def test_every_account_gets_what_the_table_says(username: str, browse: Callable[[str], FlaskClient], session: Session) -> None:
    keys = fill(session, "sannomiya")
    session.commit()
    person, column = browse(username), PEOPLE.index(username)
    token = csrf_token(person.get("/").text)
    found = [_faults(person, route, keys, token, ANSWERS[route][column]) for route in _in_order(ANSWERS)]
    assert [fault for fault in found if fault] == []


def test_who_has_not_signed_in_is_led_to_the_door(staff_app: Flask) -> None:
    """Whatever the address, so that nobody learns which exist; but for the few that are there for everybody."""
    stranger, column = staff_app.test_client(), PEOPLE.index(NOBODY)
    token = csrf_token(stranger.get("/login/").text)
    found = [_faults(stranger, route, {}, token, ANSWERS[route][column]) for route in _in_order(ANSWERS)]
    assert [fault for fault in found if fault] == []
    behind = [_address(rule, {}) for (method, rule), codes in ANSWERS.items() if method == "GET" and codes[column] == 302]
    assert {stranger.get(path).headers["Location"].partition("?")[0] for path in behind} == {"/login/"}
    assert stranger.get("/no/such/page").status_code == 302


def test_a_resident_gets_what_the_table_says(visitor: FlaskClient) -> None:
    token = csrf_token(visitor.get("/lookup").text)
    found = [_faults(visitor, route, {}, token, codes[0]) for route, codes in RESIDENT_ANSWERS.items()]
    assert [fault for fault in found if fault] == []


def test_a_method_that_a_route_does_not_know_is_refused(browse: Callable[[str], FlaskClient]) -> None:
    admin = browse("admin")
    data = {"csrf_token": csrf_token(admin.get("/").text)}
    behind = {rule for (_, rule), codes in ANSWERS.items() if codes[PEOPLE.index(NOBODY)] == 302}
    unknown = [(method, rule) for method in ("GET", "POST", "DELETE") for rule in sorted(behind) if (method, rule) not in ANSWERS]
    answers = {route: admin.open(_address(route[1], {}), method=route[0], data=data).status_code for route in unknown}
    assert {route: code for route, code in answers.items() if code != 405} == {}


@pytest.mark.parametrize("username", ["staff2", "contractor"])
def test_rows_of_another_counter_are_not_there(username: str, browse: Callable[[str], FlaskClient], session: Session) -> None:
    """Every way to a row: page, form, deletion, relation in the address, filter; a refusal says that there is none."""
    theirs = fill(session, "gakuen-toshi", name="秘密　花子")
    session.commit()
    person, column, scoped = browse(username), PEOPLE.index(username), _scoped()
    assert set(scoped) <= set(theirs), "tests/rows.py makes no row of some scoped table"
    token = csrf_token(person.get("/").text)
    for method, rule in ANSWERS:
        if "<pk>" in rule and _table_of(rule) in scoped:
            expected = 403 if ANSWERS[method, rule][column] == 403 else 404
            answer = person.open(_address(rule, theirs), method=method, data={"csrf_token": token} if method == "POST" else None)
            assert answer.status_code == expected, f"{username} {method} {rule}: {answer.status_code}"
            assert "秘密" not in answer.text
    session.rollback()
    told = session.scalars(
        select(OperationLog).where(OperationLog.action_code == "card.refused", OperationLog.user_id == username)
    ).all()
    assert told and {row.detail["番号"] for row in told} == {str(theirs["card"])}, "asking for another counter's row is logged"
    for name in scoped:
        page = person.get(f"/{name}/list/?card={theirs['card']}").text
        assert "秘密" not in page and f"/{name}/show/{theirs[name]}" not in page
        assert (
            f"/{name}/show/{theirs[name]}"
            not in person.get(f"/{name}/list/?_flt_0_card={theirs['card']}&psize_CardView=100000").text
        )


def test_a_list_counts_no_row_of_another_counter(browse: Callable[[str], FlaskClient], session: Session) -> None:
    for counter in ("sannomiya", "shin-nagata", "gakuen-toshi"):
        fill(session, counter)
    session.commit()
    people = {"staff": 1, "staff2": 1, "manager": 3}
    for username, many in people.items():
        person = browse(username)
        lists = {name: words(person.get(f"/{name}/list/").text) for name in _scoped()}
        assert [name for name, page in lists.items() if f" {many}件中 {many}件を表示" not in page] == [], username


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


# FAB fills a relation of a new or changed row from `_flt_0_<relation>` in the address, from whatever counter, and leaves its box out.
CARD = {"name": "新規　次郎", "address": "神戸市", "application_date": "2026-10-01", "application_site": "1"}
LETTER = {"name": "新規　次郎", "address": "神戸市", "postal_code": "6500001"}


def test_a_filter_in_the_address_gives_a_new_row_nothing(browse: Callable[[str], FlaskClient], session: Session) -> None:
    theirs, mine = fill(session, "gakuen-toshi", name="秘密　花子"), fill(session, "sannomiya")
    site, own = (session.get_one(Card, keys["card"]).issue_site_id for keys in (theirs, mine))
    clerk = browse("staff")
    for path, relation, foreign, entered in (
        (f"/card/add?_flt_0_issue_site={site}", "issue_site", site, CARD),
        (f"/shipment/add?_flt_0_card={theirs['card']}", "card", theirs["card"], LETTER),
    ):
        begun = form(clerk.get(path).text)
        assert begun.pop(relation) != [str(foreign)], path
        answer = post(clerk, path, {**begun, **entered})
        assert answer.status_code == 422 and "秘密" not in answer.text, f"{path}: the relation was not asked for"
    saved = post(clerk, f"/card/add?_flt_0_issue_site={site}", {**form(clerk.get("/card/add").text), **CARD})
    assert saved.status_code == 303
    session.rollback()
    assert [row.issue_site_id for row in session.scalars(select(Card).where(Card.name == CARD["name"]))] == [own]
    assert session.scalars(select(Shipment).where(Shipment.name == LETTER["name"])).all() == []


def test_a_filter_in_the_address_changes_nothing_of_a_row(browse: Callable[[str], FlaskClient], session: Session) -> None:
    theirs, mine = fill(session, "gakuen-toshi"), fill(session, "sannomiya")
    sites = [session.get_one(Card, keys["card"]).issue_site_id for keys in (theirs, mine)]
    clerk, forced = browse("staff"), f"_flt_0_issue_site={sites[0]}"
    for left_out in ((), ("issue_site",)):
        sent = form(clerk.get(f"/card/edit/{mine['card']}?{forced}").text)
        kept = {name: value for name, value in sent.items() if name not in left_out}
        assert post(clerk, f"/card/edit/{mine['card']}?{forced}", kept, memo=f"変更{len(left_out)}").status_code == 303
    for site in sites:
        assert post(clerk, f"/card/edit/{theirs['card']}?_flt_0_issue_site={site}", memo="変更").status_code == 404
    session.rollback()
    found = [session.get_one(Card, keys["card"]) for keys in (theirs, mine)]
    assert [(row.issue_site_id, row.memo) for row in found] == [(sites[0], ""), (sites[1], "変更1")]


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
