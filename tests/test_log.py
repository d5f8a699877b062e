"""操作ログ of the staff site: one row for each act, who and when and what, and nothing personal in any of it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from app.parts import Part
from app.schema import specs
from models import (
    ActionClass,
    Card,
    CardHistory,
    CardState,
    CodeItem,
    Document,
    DocumentPage,
    MyNumberAccess,
    OperationLog,
    Reservation,
    Shipment,
)
from tests import samples
from tests.pages import fill, find, form, post, table, words
from tests.rows import fill as one_of_each
from tests.test_models import PERSONAL

Browse = Callable[[str], FlaskClient]
CARD = {"name": "山田 太郎", "address": "神戸市", "application_date": "2026-11-01", "application_site": "1", "issue_site": "1"}


def rows(session: Session, after: int = 0) -> list[OperationLog]:
    session.expire_all()
    return list(session.scalars(select(OperationLog).where(OperationLog.id > after).order_by(OperationLog.id)))


def told(session: Session, act: Callable[[], Any]) -> OperationLog:
    """The one row that an act leaves."""
    session.commit()
    before = max((row.id for row in rows(session)), default=0)
    act()
    new = rows(session, before)
    assert len(new) == 1, [row.action_code for row in new]
    return new[0]


def csv_file(name: str = "山田 太郎") -> tuple[io.BytesIO, str]:
    return io.BytesIO(
        f"氏名,住所,申請受付日,申請場所,カード交付場所\r\n{name},神戸市,2026-11-01,三宮サテライト,三宮サテライト\r\n".encode()
    ), "山田太郎の分.csv"


def test_each_act_is_one_row_with_its_class(browse: Browse, session: Session) -> None:
    keys = one_of_each(session, "sannomiya")
    clerk = browse("staff")
    card, shipment = keys["card"], keys["shipment"]
    draft: list[str] = []

    def preview() -> None:
        draft.extend(re.findall(r'name="draft" value="([^"]+)"', post(clerk, "/card/import", file=csv_file()).text))

    acts: list[tuple[Callable[[], Any], str, str, ActionClass]] = [
        (lambda: clerk.get("/"), "panel.show", "今日 参照", ActionClass.READ),
        (lambda: clerk.get("/card/list/"), "card.list", "カード 一覧", ActionClass.SEARCH),
        (lambda: find(clerk, "card", "試験"), "card.list", "カード 一覧", ActionClass.SEARCH),
        (lambda: post(clerk, "/jump", q="試験"), "panel.list", "全体検索 一覧", ActionClass.SEARCH),
        (lambda: post(clerk, "/shipment/pick/card", q="試験"), "shipment.pick", "発送管理 候補検索", ActionClass.SEARCH),
        (lambda: clerk.get(f"/card/show/{card}"), "card.show", "カード 参照", ActionClass.READ),
        (lambda: clerk.get(f"/card/edit/{card}"), "card.show", "カード 参照", ActionClass.READ),
        (lambda: post(clerk, "/card/add", CARD), "card.add", "カード 登録", ActionClass.ADD),
        (
            lambda: post(clerk, f"/shipment/delete/{shipment}", row_stamp="99"),
            "shipment.delete",
            "発送管理 削除（変更なし）",
            ActionClass.DELETE,
        ),
        (
            lambda: post(clerk, f"/shipment/delete/{shipment}", row_stamp="1"),
            "shipment.delete",
            "発送管理 削除",
            ActionClass.DELETE,
        ),
        (lambda: clerk.get("/card/export"), "card.show", "カード 参照", ActionClass.READ),
        (lambda: post(clerk, "/card/export", purpose="点検", format="csv"), "card.export", "カード 出力", ActionClass.EXPORT),
        (preview, "card.import", "カード 取り込み（変更なし）", ActionClass.ADD),
        (lambda: post(clerk, "/card/add", CARD | {"name": ""}), "card.add", "カード 登録（変更なし）", ActionClass.ADD),
        (lambda: post(clerk, "/card/import", draft=draft[0]), "card.import", "カード 取り込み", ActionClass.ADD),
        (lambda: clerk.get("/masters/counter/"), "counter.list", "窓口 一覧", ActionClass.SEARCH),
        (lambda: clerk.get("/staff/list/"), "access.refused", "アクセス 拒否", ActionClass.AUTH),
        (lambda: post(clerk, "/masters/counter/delete/1"), "access.refused", "アクセス 拒否", ActionClass.AUTH),
    ]
    for act, code, name, kind in acts:
        row = told(session, act)
        assert (row.action_code, row.action_name, row.action_class, row.user_id) == (code, name, kind, "staff")
    assert told(session, lambda: post(clerk, "/logout/")).action_code == "session.sign_out"


def test_a_row_says_who_from_where_and_when(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    clerk = browse("staff")
    clerk.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (試験)" + "x" * 400
    start = datetime.now(UTC)
    row = told(session, lambda: clerk.get(f"/card/show/{card.id}"))
    assert (row.user_id, row.user_name, row.department, row.application_id) == ("staff", "三宮 太郎", "三宮サテライト", card.id)
    assert row.client_info.startswith("127.0.0.1 Mozilla/5.0") and len(row.client_info) <= 300 and row.request_id
    assert start - timedelta(seconds=1) <= row.started_at <= row.ended_at <= datetime.now(UTC)
    other = told(session, lambda: clerk.get(f"/card/show/{card.id}"))
    assert other.request_id != row.request_id


def test_a_program_that_calls_itself_a_personal_number_is_not_written_down(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    clerk.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 123456789018"
    row = told(session, lambda: clerk.get("/card/list/"))
    assert "123456789018" not in row.client_info and row.client_info.startswith("127.0.0.1 Mozilla/")
    assert row.my_number_access is MyNumberAccess.REFUSED


def test_a_list_says_what_was_asked_and_which_cards_were_shown(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="髙橋 秘密")
    samples.shipment(session, card)
    clerk = browse("staff")
    site = samples.counter(session).id
    row = told(
        session,
        lambda: find(
            clerk, "card", "髙橋 秘密", state="applied", application_date_from="2026-01-01", issue_site=str(site), order="id.asc"
        ),
    )
    assert row.detail["条件"] == {
        "検索語": "5文字",
        "状態": "申請受付",
        "申請受付日": "2026-01-01 (木)〜",
        "カード交付場所": "三宮サテライト",
        "並び": "申請書ID（内部キー用）の昇順",
    }
    assert (row.detail["件数"], row.detail["申請書ID"]) == ("1件", [card.id])
    picked = told(session, lambda: post(clerk, "/shipment/pick/card", q="髙橋 秘密"))
    assert picked.detail == {"相手": "カード", "検索語": "5文字", "申請書ID": [card.id]}
    assert told(session, lambda: clerk.get("/shipment/list/")).detail["申請書ID"] == [card.id]
    assert told(session, lambda: clerk.get("/shipment/list/?item_kind=山田&order=秘密.desc&秘密=1")).detail.get("条件") is None


def test_a_change_is_told_field_by_field(browse: Browse, session: Session) -> None:
    closure = fill(
        browse("manager"),
        "/masters/counter_closure/new/",
        counter="1",
        starts_on="2026-12-29",
        ends_on="2027-01-03",
        reason="年末年始",
    )
    card = samples.card(session, memo="")
    clerk = browse("staff")
    sent = {**form(clerk.get(f"/card/edit/{card.id}").text), "name": "髙橋 一郎", "memo": "返送済", "sex": "male", "address": ""}
    assert closure.status_code == 303 and post(clerk, f"/card/edit/{card.id}", sent).status_code == 422
    row = told(session, lambda: post(clerk, f"/card/edit/{card.id}", {**sent, "address": "神戸市西区"}))
    assert row.detail["変更"] == [
        {
            "対象": "カード",
            "番号": card.id,
            "種別": "変更",
            "項目": {"氏名": ["＊＊＊", "＊＊＊"], "性別": ["", "＊＊＊"], "住所": ["＊＊＊", "＊＊＊"], "メモ": ["", "＊＊＊"]},
        }
    ]
    assert (row.application_id, row.detail["番号"]) == (card.id, card.id)
    history = session.scalars(select(CardHistory).order_by(CardHistory.id.desc())).first()
    assert history and history.event == {
        "action": "変更",
        "by": "staff",
        "by_name": "三宮 太郎",
        "changes": {
            "氏名": ["山田 太郎", "髙橋 一郎"],
            "性別": ["", "男"],
            "住所": ["神戸市中央区加納町9丁目", "神戸市西区"],
            "メモ": ["", "返送済"],
        },
    }
    [added] = [r for r in rows(session) if r.action_code == "counter_closure.add"]
    assert added.detail["変更"][0]["項目"] == {
        "窓口": ["", "三宮サテライト"],
        "開始日": ["", "2026-12-29 (火)"],
        "終了日": ["", "2027-01-03 (日)"],
        "理由": ["", "年末年始"],
    }


def test_what_was_refused_is_told_though_it_was_taken_back(browse: Browse, session: Session) -> None:
    samples.card(session, application_no="5" * 23)
    clerk = browse("staff")
    failed = told(session, lambda: post(clerk, "/card/add", CARD, name="", postal_code="12"))
    assert failed.detail["入力エラー"] == ["氏名", "郵便番号"] and "変更" not in failed.detail
    taken = told(session, lambda: post(clerk, "/card/add", CARD, application_no="5" * 23))
    assert taken.detail["入力エラー"] == ["申請書ID（見た目用）"] and "変更" not in taken.detail
    scoped = told(session, lambda: post(clerk, "/card/add", {**CARD, "issue_site": "2"}))
    assert scoped.detail["入力エラー"] == ["カード交付場所"]
    refused = told(session, lambda: clerk.get("/operation_log/list/"))
    assert refused.detail["対象"] == "操作ログ 一覧" and refused.detail["方法"] == "GET"
    number = told(session, lambda: post(clerk, "/card/add", CARD, memo="123456789018"))
    assert number.my_number_access is MyNumberAccess.REFUSED and number.detail["入力エラー"] == ["メモ"]
    assert [r.my_number_access for r in (failed, taken, scoped, refused)] == [MyNumberAccess.NONE] * 4


# -- nothing personal -------------------------------------------------------------------------------------------------

PLANTED = {
    "name": "秘匿姓 秘匿名",
    "kana": "ヒトクセイ ヒトクメイ",
    "date": date(1931, 2, 17),
    "phone": "0786667777",
    "postal": "6549876",
    "email": "hitoku@example.jp",
    "text": "秘匿町九丁目",
    "alnum": "HTK667788",
    "memo": "秘匿の覚書",
    "json": {"問": "秘匿の答え"},
}
TRACES = ("秘匿", "HTK6", "667788", "ヒトク", "1931", "02-17", "6667777", "6549876", "hitoku", "123456789018")


def planted(model: Any) -> dict[str, Any]:
    """A value that would be noticed, for every personal column of a table: of those written down, whatever the table says itself.
    A code or a number has too few values for one that is noticed."""
    spec = specs()[model]
    parts = [spec.parts[key] for key in PERSONAL[spec.name]]
    return {part.key: PLANTED[_sort_of(part)] for part in parts if not part.enum and part.shape != "number"}


def _sort_of(part: Part) -> str:
    if part.shape in ("date", "json", "memo"):
        return part.shape
    return part.field.kind if part.field.kind in PLANTED else "text"


def test_nothing_personal_gets_into_the_log(browse: Browse, session: Session) -> None:
    card = samples.card(session, **planted(Card))
    booked = samples.reservation(session, **planted(Reservation))
    posted = samples.shipment(session, card, **planted(Shipment))
    note = samples.note(session, card, str(PLANTED["memo"]))
    paper = samples.document(session, card, **planted(Document))
    page = DocumentPage(
        document=paper,
        partition_year=2026,
        page_no=1,
        stored_name="x",
        mime_type="application/pdf",
        size_bytes=1,
        **planted(DocumentPage),
    )
    session.add(page)
    session.commit()
    manager, clerk = browse("manager"), browse("staff")
    for person in (manager, clerk):
        for row in (card, booked, posted, note, paper, page):
            name = row.__tablename__
            for path in (f"/{name}/list/", f"/{name}/show/{row.id}", f"/{name}/edit/{row.id}", f"/{name}/export"):
                person.get(path)
            for typed in ("秘匿姓", "ヒトクセイ", "0786667777", "秘"):
                find(person, name, typed)
            post(person, f"/{name}/export", purpose="点検", format="csv", personal="1")
    for typed in ("秘匿姓 秘匿名", "0786667777"):
        post(clerk, "/jump", q=typed)
        post(clerk, "/shipment/pick/card", q=typed)
    for path in (
        f"/card/edit/{card.id}",
        f"/reservation/edit/{booked.id}",
        f"/shipment/edit/{posted.id}",
        f"/document/edit/{paper.id}",
    ):
        sent = form(clerk.get(path).text)
        named = {key: "秘匿変更" for key in sent if key in ("name", "name_kanji", "address", "memo", "message", "building")}
        assert post(clerk, path, {**sent, **named}).status_code == 303, path
        assert post(clerk, path, {**sent, **named, "address": "秘匿乙"}).status_code in (409, 303)
        post(clerk, path, {**sent, "name": "", "name_kanji": "", "birth_date": "1931-02-30", "phone": "6667777"})
    post(clerk, "/card/add", {**CARD, "name": "秘匿登録", "issue_site": "2"})
    post(clerk, "/shipment/add", {"card__words": "秘匿姓", "item_kind": "notice"})
    for content in (
        b"\xe7\xa7\x98\xe5\x8c\xbf,0786667777\r\n1,2",
        csv_file("秘匿入力")[0].getvalue(),
        csv_file("秘匿" * 200)[0].getvalue(),
    ):
        post(clerk, "/card/import", file=(io.BytesIO(content), "秘匿.csv"))
    for key in ("秘匿姓", "123456789018"):
        assert clerk.get(f"/card/show/{key}").status_code == 404
    clerk.get(f"/card/list/?s=秘匿&state=秘匿&order=秘匿.asc&q=秘匿&document_class=秘匿&issue_site=6667777{'0' * 9}")
    post(clerk, "/card_note/add", {"card": str(card.id), "comment": "秘匿の覚書"})
    post(clerk, f"/shipment/delete/{posted.id}", row_stamp="9")
    everything = rows(session)
    assert len(everything) > 100
    for told_ in everything:
        words = json.dumps(told_.detail, ensure_ascii=False) + told_.action_name + told_.client_info
        assert not [trace for trace in TRACES if trace in words], (told_.action_code, told_.detail)


def test_the_log_is_written_once(session: Session) -> None:
    samples.card(session)
    session.commit()
    for statement in (update(OperationLog).values(user_id="x"), delete(OperationLog), delete(CardHistory)):
        with pytest.raises(RuntimeError, match="bypass"):
            session.execute(statement)
        session.rollback()
    assert session.scalar(text("SELECT count(*) FROM operation_log WHERE user_id = 'x'")) == 0


def test_the_log_reads_like_sentences(browse: Browse, session: Session) -> None:
    clerk, auditor = browse("staff"), browse("auditor")
    entry = {**CARD, "issue_kind": "renewal", "postal_code": "6500001"}
    row = told(session, lambda: post(clerk, "/card/add", entry))
    page = words(auditor.get(f"/operation_log/show/{row.id}").text)
    number = row.detail["変更"][0]["番号"]
    name = session.scalars(select(CodeItem.name).where(CodeItem.list_name == "issue_kind", CodeItem.value == "renewal")).one()
    for sentence in (
        f"カード（番号 {number}）を登録しました。",
        f"「交付種別」を「{name}」にしました。",
        "「氏名」を入力しました（内容は記録しません）。",
        "「カード交付場所」を「三宮サテライト」にしました。",
    ):
        assert sentence in page
    assert "山田" not in page and "6500001" not in page and "650-0001" not in page
    sent = {**form(clerk.get(f"/card/edit/{number}").text), "issue_kind": "reissue", "name": "山田 次郎"}
    edited = told(session, lambda: post(clerk, f"/card/edit/{number}", sent))
    page = words(auditor.get(f"/operation_log/show/{edited.id}").text)
    assert f"「交付種別」を「{name}」から「再交付" in page and "「氏名」を変えました（内容は記録しません）。" in page
    listed = told(session, lambda: find(clerk, "card", "山田", state="applied"))
    page = words(auditor.get(f"/operation_log/show/{listed.id}").text)
    assert "条件：検索語は2文字、状態は申請受付" in page and f"表示した申請書（内部の番号）1件：{number}" in page


def test_a_history_says_what_happened_and_its_list_nothing_personal(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    post(clerk, "/card/add", CARD)
    card = session.scalars(select(Card)).one()
    fill(clerk, f"/card/edit/{card.id}", name="山田 次郎", memo="娘が来る")
    card.state = CardState.ARRIVED
    session.commit()
    page = clerk.get("/card_history/list/").text
    assert [line[1] for line in table(page)[1:]] == ["変更（申請受付 → 到着）", "変更（氏名・メモ）", "追加（申請受付）"]
    assert "次郎" not in page and "娘" not in page
    latest = session.scalars(select(CardHistory.id).order_by(CardHistory.id)).all()[1]
    page = words(clerk.get(f"/card_history/show/{latest}").text)
    assert "三宮 太郎（staff）：「変更」" in page and "「氏名」を「山田 太郎」から「山田 次郎」に変えました。" in page
    assert "「メモ」を「娘が来る」にしました。" in page


def test_a_form_that_begins_from_a_card_is_a_reading_of_it(browse: Browse, session: Session) -> None:
    """It shows the name and the address of whom the card is for."""
    clerk, held = browse("staff"), one_of_each(session, "sannomiya", name="始まり　花子")
    theirs = one_of_each(session, "tanigami", name="よその　太郎")
    clerk.get("/password/")
    for path in ("/shipment/add", "/document/add"):
        shown: list[str] = []
        row = told(session, lambda p=path, s=shown: s.append(clerk.get(f"{p}?card={held['card']}").text))  # type: ignore[misc]
        assert "始まり　花子" in shown[0]
        assert (row.application_id, row.action_class, row.detail["画面"]) == (held["card"], ActionClass.READ, "新規登録")
        assert "始まり" not in str(row.detail)
        assert "よその" not in clerk.get(f"{path}?card={theirs['card']}").text


def test_the_log_knows_which_bookings_a_list_showed(browse: Browse, session: Session) -> None:
    clerk, held = browse("staff"), one_of_each(session, "sannomiya", name="一覧　花子")
    row = told(session, lambda: clerk.get("/reservation/list/"))
    assert row.detail["表示した番号"] == [held["reservation"]]
    assert told(session, lambda: clerk.get("/card/list/")).detail["申請書ID"] == [held["card"]]
