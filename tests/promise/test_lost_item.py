"""The low-code promise (design: 「one such class in one new file」), item by item, over HTTP, on both databases."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from app import dictionary, schema, soundness
from app.text import place
from models import Counter, OperationLog
from tests import pages
from tests.conftest import csrf_token

Browse = Callable[[str], FlaskClient]


def post(client: FlaskClient, path: str, page: str = "", **form: Any) -> Any:
    token = csrf_token(client.get(page or path).text)
    return client.post(path, data={"csrf_token": token, **form}, content_type="multipart/form-data" if "file" in form else None)


def add(client: FlaskClient, session: Session, counter: str = "sannomiya", **more: str) -> Any:
    site = session.scalars(select(Counter).where(Counter.code == counter)).one()
    form = {"counter": str(site.id), "found_on": "2026-11-01", "description": "黒い傘", "owner_name": "忘物　髙子", **more}
    return post(client, "/lost_item/add", **form)


def rows(session: Session, model: Any) -> list[Any]:
    session.rollback()
    return list(session.scalars(select(model).order_by(model.id)))


@pytest.fixture
def kept(browse: Browse, session: Session, lost_item: Any) -> Any:
    """An umbrella at 三宮, entered through the form."""
    answer = add(browse("staff"), session)
    assert answer.status_code == 303, answer.text
    return rows(session, lost_item)[-1]


def test_menu_list_and_labels(browse: Browse, kept: Any) -> None:
    page = browse("staff").get("/lost_item/list/").text
    assert 'href="/lost_item/list/"' in browse("staff").get("/").text
    assert all(word in page for word in ("忘れ物", "窓口業務", "拾得日", "品名", "黒い傘", "三宮サテライト", "2026-11-01 (日)"))


def test_personal_data_is_masked_on_the_list_and_read_on_the_page(browse: Browse, kept: Any) -> None:
    clerk = browse("staff")
    head, line = pages.table(clerk.get("/lost_item/list/").text)
    assert dict(zip(head, line, strict=True))["氏名"] == "＊物 髙子"
    assert "忘物　髙子" not in clerk.get("/lost_item/list/").text
    assert "忘物　髙子" in clerk.get(f"/lost_item/show/{kept.id}").text


def test_search_by_pieces_and_filter_by_day(browse: Browse, kept: Any) -> None:
    clerk = browse("staff")
    for words, found in (("高子", True), ("黒い", True), ("白い", False)):
        answer = post(clerk, "/lost_item/search", page="/lost_item/list/", q=words)
        assert words not in answer.headers["Location"]
        assert ("黒い傘" in clerk.get(answer.headers["Location"]).text) is found
    assert "黒い傘" in clerk.get("/lost_item/list/?found_on_from=2026-11-01&found_on_to=2026-11-01").text
    assert "黒い傘" not in clerk.get("/lost_item/list/?found_on_from=2026-11-02").text


def test_show_edit_and_delete(browse: Browse, kept: Any, session: Session, lost_item: Any) -> None:
    clerk = browse("staff")
    assert "忘物　髙子" in clerk.get(f"/lost_item/show/{kept.id}").text
    form = {
        "row_stamp": "1",
        "counter": str(kept.counter_id),
        "found_on": "2026-11-01",
        "description": "青い傘",
        "owner_name": "",
    }
    assert post(clerk, f"/lost_item/edit/{kept.id}", **form).status_code == 303
    assert (rows(session, lost_item)[0].description, rows(session, lost_item)[0].row_stamp) == ("青い傘", 2)
    assert post(clerk, f"/lost_item/delete/{kept.id}", page=f"/lost_item/show/{kept.id}", row_stamp="2").status_code == 303
    assert rows(session, lost_item) == []


def test_two_people_editing_meet_the_conflict_page(browse: Browse, kept: Any, session: Session, lost_item: Any) -> None:
    clerk = browse("staff")
    form = {"row_stamp": "1", "counter": str(kept.counter_id), "found_on": "2026-11-01", "owner_name": "忘物　髙子"}
    assert post(clerk, f"/lost_item/edit/{kept.id}", description="青い傘", **form).status_code == 303
    second = post(clerk, f"/lost_item/edit/{kept.id}", description="赤い傘", **form)
    assert second.status_code == 409 and "元の値" in second.text and "青い傘" in second.text and "赤い傘" in second.text
    assert rows(session, lost_item)[0].description == "青い傘"


def test_rights_differ_by_role(browse: Browse, kept: Any) -> None:
    answers = {
        who: browse(who).get(path).status_code
        for who, path in (
            ("admin", "/lost_item/add"),
            ("contractor", f"/lost_item/edit/{kept.id}"),
            ("operator", "/lost_item/list/"),
        )
    }
    assert answers == {"admin": 403, "contractor": 403, "operator": 403}
    assert browse("contractor").get("/lost_item/add").status_code == 200


def test_another_counter_does_not_see_the_row(browse: Browse, kept: Any, session: Session) -> None:
    other = browse("staff2")
    assert "黒い傘" not in other.get("/lost_item/list/").text
    for path in ("show", "edit"):
        assert other.get(f"/lost_item/{path}/{kept.id}").status_code == 404
    token = csrf_token(other.get("/").text)
    assert other.post(f"/lost_item/delete/{kept.id}", data={"csrf_token": token}).status_code == 404
    assert other.post("/lost_item/delete", data={"csrf_token": token, "id": kept.id}).status_code == 404
    file = post(other, "/lost_item/export", purpose="点検", format="csv").data.decode("utf-8-sig")
    assert "黒い傘" not in file
    assert add(other, session, "sannomiya").status_code in (404, 422), "nobody may put a row into another counter"


def test_a_form_offers_only_ones_own_counters(browse: Browse, lost_item: Any) -> None:
    def offered(who: str) -> list[str]:
        box = re.search(r'<select id="counter".*?</select>', browse(who).get("/lost_item/add").text, re.S)
        assert box, f"{who} has nothing to choose a counter from"
        return re.findall(r'<option value="\d+"[^>]*>([^<]+)', box.group())

    assert offered("staff2") == ["新長田サテライト"]
    assert {"三宮サテライト", "新長田サテライト"} < set(offered("manager"))


def test_a_count_is_of_the_rows_in_scope(browse: Browse, kept: Any, session: Session) -> None:
    other = browse("staff2")
    page = pages.words(other.get("/lost_item/list/").text)
    assert "忘れ物はまだありません" in page and "件中" not in page
    assert add(other, session, "shin-nagata").status_code == 303
    counts = {who: pages.words(browse(who).get("/lost_item/list/").text) for who in ("staff", "staff2", "manager")}
    assert [f"{many}件中 {many}件を表示" in counts[who] for who, many in (("staff", 1), ("staff2", 1), ("manager", 2))] == [
        True
    ] * 3


def test_personal_data_is_masked_in_the_log(kept: Any, session: Session) -> None:
    session.rollback()
    log = session.scalars(select(OperationLog).where(OperationLog.action_code == "lost_item.add")).one()
    assert log.detail["変更"][0]["項目"]["氏名"] == ["", "＊＊＊"]
    assert log.detail["変更"][0]["項目"]["品名"] == ["", "黒い傘"]
    assert "髙子" not in str([r.detail for r in session.scalars(select(OperationLog))])


def test_an_edit_is_logged_with_both_values_and_nothing_that_stayed(browse: Browse, kept: Any, session: Session) -> None:
    form = {"row_stamp": "1", "counter": str(kept.counter_id), "found_on": "2026-11-02", "owner_name": ""}
    assert post(browse("staff"), f"/lost_item/edit/{kept.id}", description="黒い傘", **form).status_code == 303
    session.rollback()
    log = session.scalars(select(OperationLog).where(OperationLog.action_code == "lost_item.edit")).one()
    assert (log.user_id, log.action_name) == ("staff", "忘れ物 更新")
    assert [change["項目"] for change in log.detail["変更"]] == [
        {"拾得日": ["2026-11-01 (日)", "2026-11-02 (月)"], "氏名": ["＊＊＊", ""]}
    ]


def test_reading_is_logged(browse: Browse, kept: Any, session: Session) -> None:
    browse("staff").get(f"/lost_item/show/{kept.id}")
    session.rollback()
    seen = session.scalars(select(OperationLog).where(OperationLog.action_code == "lost_item.show")).one()
    assert (seen.user_id, seen.action_name, seen.detail["番号"]) == ("staff", "忘れ物 参照", kept.id)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_export_and_import_round_trip(browse: Browse, kept: Any, session: Session, lost_item: Any, format_: str) -> None:
    chief = browse("manager")
    file = post(chief, "/lost_item/export", purpose="点検", format=format_, personal="1").data
    if format_ == "csv":
        head, line = list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))[:2]
    else:
        head, line = (
            [str(c or "") for c in r] for r in openpyxl.load_workbook(io.BytesIO(file)).active.iter_rows(values_only=True)
        )
    assert dict(zip(head, line, strict=True)) | {"RowStamp": ""} == {
        "窓口": "三宮サテライト",
        "拾得日": "2026-11-01",
        "品名": "黒い傘",
        "氏名": "忘物　髙子",
        "RowStamp": "",
    }
    preview = post(chief, "/lost_item/import", file=(io.BytesIO(file), f"忘れ物.{format_}"))
    assert preview.status_code == 200 and "1行すべて取り込めます" in preview.text and len(rows(session, lost_item)) == 1
    draft = preview.text.split('name="draft" value="')[1].split('"')[0]
    assert post(chief, "/lost_item/import", draft=draft).status_code == 303
    first, second = rows(session, lost_item)
    assert (first.description, first.owner_name, first.counter_id) == (second.description, second.owner_name, second.counter_id)


def test_import_names_line_and_column(browse: Browse, session: Session, lost_item: Any) -> None:
    broken = "窓口,拾得日,品名\n三宮サテライト,2026-02-30,傘\n,2026-11-01,鍵\n".encode()
    page = post(browse("manager"), "/lost_item/import", file=(io.BytesIO(broken), "a.csv"))
    assert page.status_code == 422 and "「拾得日」は正しい日付" in page.text and "「窓口」を選んでください" in page.text
    assert rows(session, lost_item) == []


def test_personal_numbers_are_refused(browse: Browse, session: Session, lost_item: Any) -> None:
    answer = add(browse("staff"), session, description="番号 1234-5678-9018 の紙")
    assert answer.status_code == 422 and "個人番号" in answer.text and "9018" not in answer.text
    assert rows(session, lost_item) == []


def test_a_master_goes_to_the_masters_room(browse: Browse, session: Session) -> None:
    chief = browse("manager")
    assert post(chief, "/masters/lost_place/new/", place="一階の棚").status_code == 303
    page = chief.get("/masters/lost_place/").text
    assert "一階の棚" in page and "忘れ物置き場" in page
    token = csrf_token(page)
    answer = chief.post(
        "/masters/lost_place/ajax/update/",
        data={"csrf_token": token, "pk": "1", "row_stamp": "1", "column": "place", "value": "二階"},
    )
    assert (answer.status_code, answer.get_json()["words"], answer.get_json()["row_stamp"]) == (200, "二階", 2)


def test_dictionary_and_declarations(kept: Any, session: Session) -> None:
    assert soundness.check() == []
    assert "忘れ物" in dictionary.page() and "拾得日" in dictionary.page()
    assert {i["name"] for i in inspect(session.connection()).get_indexes("lost_item")} >= {
        "ix_lost_item_counter_id_id",
        "ix_lost_item_found_on_id",
    }
    found = {
        piece: session.scalar(text("SELECT count(*) FROM lost_item WHERE search_key LIKE :piece"), {"piece": f"%{piece}%"})
        for piece in ("黒イ イ傘", "高子", place(kept.counter_id), "白イ")
    }
    assert found == {"黒イ イ傘": 1, "高子": 1, place(kept.counter_id): 1, "白イ": 0}


def test_a_wrong_declaration_stops_the_start_with_a_number(lost_item: Any) -> None:
    broken = schema.Spec(lost_item)
    broken.scope = ("countr",)
    assert soundness.check({lost_item: broken}) == ["S003 models.lost_item.LostItem: __scope__ 'countr' is not a relation"]
