"""Two people edit one record: the second is shown 元の値, 相手の値 and 自分の値 of every field that differs, and chooses. Nothing is lost silently."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import BookingCategory, Card, CardHistory, CounterClosure, DeskPool, OperationLog, Shipment
from tests import samples
from tests.pages import Fields, form, post, table
from views import records

Browse = Callable[[str], FlaskClient]


def clash_rows(page: str) -> dict[str, list[str]]:
    """label → 元の値, 相手の値, 自分の値, as the page shows them."""
    assert "先に別の保存がありました" in page and "まだ保存していません" in page
    return {line[0].replace(" 両方が変更", ""): line[1:] for line in table(page)[1:]}


def chosen(page: str, **choices: str) -> Fields:
    """The page's form, with 相手 ("theirs") or 自分 ("mine") chosen."""
    return {**form(page), **{f"choice-{key}": [word] for key, word in choices.items()}}


def stored(session: Session, card: Card) -> Card:
    session.expire_all()
    return session.get_one(Card, card.id)


def both_open(browse: Browse, path: str, second: str = "staff") -> tuple[FlaskClient, FlaskClient, Fields, Fields]:
    """Two people, and the same form on both screens."""
    one, other = browse("manager"), browse(second)
    return one, other, form(one.get(path).text), form(other.get(path).text)


def test_the_second_sees_what_differs_and_chooses_field_by_field(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="山田 太郎", memo="元のメモ", postal_code="6500001")
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    assert post(first, path, {**one, "name": "山田 次郎", "memo": "相手のメモ", "birth_date": ""}).status_code == 303
    answer = post(second, path, {**two, "name": "山田 三郎", "memo": "相手のメモ", "address": "神戸市灘区", "sex": "female"})
    assert answer.status_code == 409
    assert re.search(r"本庁 花子 さんが\d\d:\d\dに保存しました。", answer.text), "there is somebody to ask"
    assert clash_rows(answer.text) == {
        "氏名": ["山田 太郎", "山田 次郎", "山田 三郎"],
        "生年月日": ["1980年（昭和55年）4月1日", "（空）", "1980年（昭和55年）4月1日"],
        "性別": ["（空）", "（空）", "女"],
        "住所": ["神戸市中央区加納町9丁目", "神戸市中央区加納町9丁目", "神戸市灘区"],
    }
    assert stored(session, card).name == "山田 次郎", "nothing is saved yet"
    proposed = form(answer.text)
    assert (proposed["choice-birth_date"], proposed["choice-sex"], proposed["choice-address"]) == (["theirs"], ["mine"], ["mine"])
    assert "choice-name" not in proposed, "where both changed a field, the person decides"
    assert post(second, path, chosen(answer.text, name="theirs")).status_code == 303
    row = stored(session, card)
    assert (row.name, row.memo, row.birth_date, row.address, row.sex) == ("山田 次郎", "相手のメモ", None, "神戸市灘区", "female")
    last = session.scalars(select(CardHistory).order_by(CardHistory.id.desc())).first()
    assert last and set(last.event["changes"]) == {"住所", "性別"} and last.event["by"] == "staff"


def test_a_third_save_in_between_leads_to_the_page_again(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="山田 太郎", memo="元")
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    post(first, path, {**one, "name": "第一 の人", "memo": "第一"})
    page = post(second, path, {**two, "name": "第二 の人", "memo": "第二"}).text
    third = {**form(first.get(path).text), "address": "神戸市西区"}
    assert post(first, path, third).status_code == 303
    again = post(second, path, chosen(page, name="theirs", memo="mine"))
    assert again.status_code == 409
    assert clash_rows(again.text) == {
        "メモ": ["第一", "第一", "第二"],
        "住所": ["神戸市中央区加納町9丁目", "神戸市西区", "神戸市中央区加納町9丁目"],
    }
    assert post(second, path, chosen(again.text)).status_code == 303
    row = stored(session, card)
    assert (row.name, row.memo, row.address) == ("第一 の人", "第二", "神戸市西区")


def test_a_mistake_on_the_way_does_not_make_the_clash_forgotten(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="山田 太郎")
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    post(first, path, {**one, "name": "山田 次郎"})
    refused = post(second, path, {**two, "name": "", "address": "神戸市西区"})
    assert refused.status_code == 422
    corrected = post(second, path, {**form(refused.text), "name": "山田 三郎"})
    assert corrected.status_code == 409 and clash_rows(corrected.text)["氏名"] == ["山田 太郎", "山田 次郎", "山田 三郎"]
    assert stored(session, card).name == "山田 次郎"


def test_flags_and_emptied_fields_clash_too(browse: Browse, session: Session) -> None:
    shipment = samples.shipment(session, samples.card(session), gaiji_flag=True, memo="元のメモ", tracking_no="111122223333")
    path = f"/shipment/edit/{shipment.id}"
    first, second, one, two = both_open(browse, path)
    post(first, path, {**one, "gaiji_flag": "", "memo": "", "attempt_no": "2"})
    answer = post(second, path, {**two, "memo": "自分のメモ", "tracking_no": ""})
    assert clash_rows(answer.text) == {
        "発送回数": ["1", "2", "1"],
        "外字有無": ["はい", "いいえ", "はい"],
        "メモ": ["元のメモ", "（空）", "自分のメモ"],
        "追跡番号": ["111122223333", "111122223333", "（空）"],
    }
    assert post(second, path, chosen(answer.text, memo="mine", gaiji_flag="theirs")).status_code == 303
    session.expire_all()
    row = session.get_one(Shipment, shipment.id)
    assert (row.gaiji_flag, row.memo, row.attempt_no, row.tracking_no) == (False, "自分のメモ", 2, None)
    stale = post(second, path, {**two, "gaiji_flag": "1"})
    assert (
        post(
            second, path, chosen(stale.text, memo="theirs", gaiji_flag="mine", attempt_no="theirs", tracking_no="theirs")
        ).status_code
        == 303
    )
    session.expire_all()
    assert session.get_one(Shipment, shipment.id).gaiji_flag is True


def test_relations_of_masters_clash_in_words(browse: Browse, session: Session) -> None:
    closure = session.scalars(select(CounterClosure)).first()
    pool = session.scalars(select(DeskPool).order_by(DeskPool.id)).first()
    assert closure and pool
    path = f"/masters/counter_closure/edit/{closure.id}"
    first, second, one, two = both_open(browse, path, "admin")
    post(first, path, {**one, "counter": "2"})
    answer = post(second, path, {**two, "counter": "1"})
    assert clash_rows(answer.text) == {"窓口": ["すべての窓口", "谷上サテライト", "三宮サテライト"]}
    assert f'href="/masters/counter_closure/show/{closure.id}"' in answer.text.split("<main")[1]
    assert post(second, path, chosen(answer.text, counter="mine")).status_code == 303
    session.expire_all()
    assert closure.counter and closure.counter.id == 1
    path = f"/masters/desk_pool/edit/{pool.id}"
    one, two = form(first.get(path).text), form(second.get(path).text)
    before, first_category = "、".join(map(str, pool.categories)), str(session.get_one(BookingCategory, 1))
    post(first, path, {**one, "categories": ["", "1"]})
    answer = post(second, path, {**two, "categories": [""]})
    assert clash_rows(answer.text) == {"予約区分": [before, first_category, "（空）"]}
    assert post(second, path, chosen(answer.text, categories="mine")).status_code == 303
    session.expire_all()
    assert pool.categories == []


def test_the_same_change_by_both_is_no_clash(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    post(first, path, {**one, "name": "同じ 名前"})
    answer = post(second, path, {**two, "name": "同じ 名前"})
    assert answer.status_code == 303 and "を保存しました" in second.get(answer.headers["Location"]).text


def test_forged_or_missing_versions_are_no_way_round(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="山田 太郎")
    path = f"/card/edit/{card.id}"
    clerk = browse("staff")
    for stamp, base in (("", ""), ("0", "[]"), ("x", "{"), ("99", "null"), ("\x01", '{"name": {"a": 1}}'), ("7", "[" * 99_999)):
        answer = post(clerk, path, {**form(clerk.get(path).text), "name": "上書き", "row_stamp": stamp, "base": base})
        assert answer.status_code == 409 and "上書き" in answer.text
    assert stored(session, card).name == "山田 太郎"


def test_a_row_deleted_meanwhile_is_not_found(browse: Browse, session: Session) -> None:
    shipment = samples.shipment(session, samples.card(session))
    path = f"/shipment/edit/{shipment.id}"
    first, second, _, two = both_open(browse, path)
    post(first, f"/shipment/delete/{shipment.id}", form(first.get(f"/shipment/show/{shipment.id}").text, "destroy"))
    assert post(second, path, {**two, "memo": "遅れて"}).status_code == 404


def test_a_race_between_check_and_save_ends_on_the_page_too(
    browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both requests have read the same version and found it unchanged; the database lets one of them write."""
    card = samples.card(session, name="山田 太郎")
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite lets one writer at a time into a request: there is no such moment")
    meet, is_valid = threading.Barrier(2, timeout=10), records.Sheet.is_valid

    def met(sheet: records.Sheet) -> bool:
        good = is_valid(sheet)
        meet.wait()
        return good

    monkeypatch.setattr(records.Sheet, "is_valid", met)
    session.commit()
    answers: dict[str, Any] = {}
    sent = {"一": (first, {**one, "name": "第一 の人"}), "二": (second, {**two, "name": "第二 の人"})}
    at_once = [
        threading.Thread(target=lambda n=name, c=client, f=fields: answers.update({n: post(c, path, f)}))
        for name, (client, fields) in sent.items()
    ]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert sorted(a.status_code for a in answers.values()) == [303, 409]
    loser = next(a for a in answers.values() if a.status_code == 409)
    assert set(clash_rows(loser.text)) == {"氏名"}
    assert stored(session, card).row_stamp == 2


def test_the_log_tells_of_the_save_that_did_not_happen(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    path = f"/card/edit/{card.id}"
    first, second, one, two = both_open(browse, path)
    post(first, path, {**one, "memo": "一"})
    post(second, path, {**two, "memo": "二"})
    session.expire_all()
    row = session.scalars(
        select(OperationLog).where(OperationLog.action_code == "card.edit").order_by(OperationLog.id.desc())
    ).first()
    assert row and row.user_id == "staff" and "ほかの人が先に変更しました" in row.detail["結果"] and "変更" not in row.detail
    assert not re.search("[一二]", str(row.detail.get("項目", "")))
