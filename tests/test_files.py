"""Files out and in: safe to open, complete and narrowed as asked; nothing is taken in that was not looked at and decided upon."""

from __future__ import annotations

import csv
import io
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app import extensions, tabular, xlsx
from app.extensions import db
from app.schema import specs
from config import ROOT
from models import Card, CardState, ImportDraft, MyNumberAccess, OperationLog, Reservation, Shipment
from tests import samples
from tests.bombs import BOMBS, workbook
from tests.pages import fill, find, form, post, table, token, words
from tests.rows import fill as one_of_each
from views import files

Browse = Callable[[str], FlaskClient]
CARD = specs()[Card]
BASE = ("氏名", "住所", "申請受付日", "申請場所", "カード交付場所")
GOOD = ("山田 太郎", "神戸市中央区加納町9丁目", "2026-11-01", "三宮サテライト", "三宮サテライト")


def exported(person: FlaskClient, path: str = "/card/export", **fields: str) -> Any:
    return post(person, path, {"purpose": "点検のため", "format": "csv", "personal": "1", **fields})


def lines_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def csv_file(*lines: tuple[str, ...], heading: tuple[str, ...] = BASE, encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([heading, *lines])
    return out.getvalue().encode(encoding)


def xlsx_file(*lines: tuple[Any, ...], heading: tuple[str, ...] = BASE) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, line in enumerate([heading, *lines]):
        sheet.write_row(number, 0, line)
    book.close()
    return out.getvalue()


def upload(person: FlaskClient, content: bytes, name: str = "cards.csv", table_name: str = "card") -> Any:
    return post(person, f"/{table_name}/import", file=(io.BytesIO(content), name))


def confirm(person: FlaskClient, preview: Any, table_name: str = "card") -> Any:
    return post(person, f"/{table_name}/import", draft=_draft(preview))


def _draft(preview: Any) -> str:
    found = re.search(r'name="draft" value="([^"]+)"', preview.text)
    assert found, words(preview.text)
    return found.group(1)


def cards(session: Session) -> list[Card]:
    session.expire_all()
    return list(session.scalars(select(Card).order_by(Card.id)))


# -- out --------------------------------------------------------------------------------------------------------------


def test_a_file_holds_what_the_list_holds(browse: Browse, session: Session) -> None:
    samples.card(session, name="髙橋 一郎", state=CardState.NOTIFIED, memo='改行\nあり, "引用"')
    samples.card(session, name="高橋 花子")
    samples.card(session, "tanigami", name="髙橋 他所", state=CardState.NOTIFIED)
    manager, clerk = browse("manager"), browse("staff")
    assert {line["氏名"] for line in lines_of(exported(manager))} == {"髙橋 一郎", "高橋 花子", "髙橋 他所"}
    assert [line["カード交付場所"] for line in lines_of(exported(clerk))] == ["三宮サテライト"] * 2
    narrowed = find(clerk, "card", "高橋", state="notified").request.query_string.decode()
    assert "検索語 2文字 状態 通知済 に当てはまるカードを出力します" in words(clerk.get(f"/card/export?{narrowed}").text)
    assert len(lines_of(exported(clerk, f"/card/export?{narrowed}"))) == 1
    found = lines_of(exported(manager, "/card/export?state=notified&order=id.asc"))
    assert [line["氏名"] for line in found] == ["髙橋 一郎", "髙橋 他所"] and found[0]["メモ"] == '改行\nあり, "引用"'
    assert found[0]["状態"] == "通知済" and found[0]["申請受付日"] == "2026-04-01" and found[0]["交付完了チェック"] == "いいえ"


def test_personal_columns_leave_only_with_the_right_and_a_purpose(browse: Browse, session: Session) -> None:
    samples.card(session, name="山田 太郎", memo="")
    clerk, manager = browse("staff"), browse("manager")
    line = lines_of(exported(clerk))[0]
    assert {line[k] for k in ("氏名", "氏名カナ", "住所", "生年月日")} == {"＊＊＊"} and line["メモ"] == ""
    assert (
        lines_of(exported(manager, personal=""))[0]["氏名"] == "＊＊＊"
        and lines_of(exported(manager))[0]["生年月日"] == "1980-04-01"
    )
    for fields in ({"purpose": " "}, {"purpose": "長" * 201}, {"format": "pdf"}):
        answer = exported(manager, **fields)
        assert answer.status_code == 422 and "出力の目的を200文字以内で入力してください。" in answer.text
    told = [
        row.detail
        for row in session.scalars(
            select(OperationLog).where(OperationLog.action_code == "card.export").order_by(OperationLog.id)
        )
    ]
    assert [(d.get("件数"), d.get("個人情報"), d.get("目的")) for d in told[:3]] == [
        (1, "伏せ字", "点検のため"),
        (1, "伏せ字", "点検のため"),
        (1, "あり", "点検のため"),
    ]
    assert all(d["入力エラー"] == "出力の目的" for d in told[3:])


def test_the_log_knows_which_records_left(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    one_of_each(session, "tanigami")
    cards_ = [*session.scalars(select(Card).order_by(Card.id)), *(samples.card(session) for _ in range(4))]
    manager = browse("manager")
    monkeypatch.setattr(files, "LISTED", 2)
    for table_name, word, keys in (
        ("card", "申請書ID", [cards_[0].id, cards_[1].id]),
        ("shipment", "申請書ID", [session.scalars(select(Shipment.card_id)).one()]),
        ("reservation", "番号", [session.scalars(select(Reservation.id)).one()]),
    ):
        exported(manager, f"/{table_name}/export?order=id.asc")
        told = session.scalars(select(OperationLog).where(OperationLog.action_code == f"{table_name}.export")).one().detail
        assert told[word] == keys and len(told[f"全{word}の照合値"]) == 52
    marks = []
    for _ in range(2):
        exported(manager, "/card/export?order=id.asc")
        marks.append(session.scalars(select(OperationLog).order_by(OperationLog.id.desc())).first().detail["全申請書IDの照合値"])  # type: ignore[union-attr]
        samples.card(session)
    assert marks[0] != marks[1], "a record that the log does not name counts too"


FORMULAS = (
    "=1+1",
    "+81",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "=cmd|' /C calc'!A0",
    "'=1+1",
    "''-",
    "'plain",
    "https://example.jp/",
    "007",
)


def test_no_cell_is_a_formula(browse: Browse, session: Session) -> None:
    for words_ in FORMULAS:
        samples.card(session, name=words_)
    manager = browse("manager")
    text = exported(manager)
    assert text.data.startswith(b"\xef\xbb\xbf") and "attachment" in text.headers["Content-Disposition"]
    names = [line["氏名"] for line in lines_of(text)]
    assert not [n for n in names if n.startswith(tabular.FORMULA)]
    book = openpyxl.load_workbook(io.BytesIO(exported(manager, format="xlsx").data))
    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"} and not [c for c in cells if c.hyperlink]
    assert [str(c.value) for c in cells if c.column_letter == "E"] == names and book.worksheets[0]["E1"].value == "氏名"


@settings(max_examples=100, deadline=None, database=None)
@given(st.text() | st.text(alphabet="'=+-@＝\t\r\n1a"))
def test_the_guard_comes_off_exactly(text: str) -> None:
    guarded = tabular.guard(text)
    assert tabular.unguard(guarded) == text and not guarded.startswith(tabular.FORMULA)


def test_recorded_events_leave_as_json_and_a_sheet_has_its_limit(
    browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.card(session, name="山田 太郎")
    manager = browse("manager")
    assert '"action": "追加"' in lines_of(exported(manager, "/card_history/export"))[0]["履歴"]
    monkeypatch.setattr(tabular, "MAX_EXCEL", 0)
    answer = exported(manager, format="xlsx")
    assert answer.status_code == 400 and "CSVで出力してください" in answer.text and len(lines_of(exported(manager))) == 1


# -- in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["utf-8-sig", "utf-8", "cp932", "xlsx"])
def test_a_file_is_looked_at_first_and_then_taken_in_once(kind: str, browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    more = (*GOOD, "1" * 23, "新規", "はい")
    heading = (*BASE, "申請書ID（見た目用）", "交付種別", "手書きチェック")
    plain = csv_file(
        more,
        (),
        (*GOOD[:2], "令和8年11月2日", *GOOD[3:], "", "", ""),
        heading=heading,
        encoding=kind if kind != "xlsx" else "utf-8",
    )
    excel = xlsx_file(
        (*GOOD[:2], date(2026, 11, 1), *GOOD[3:], "1" * 23, "新規", True),
        (),
        (*GOOD[:2], date(2026, 11, 2), *GOOD[3:]),
        heading=heading,
    )
    preview = upload(clerk, excel if kind == "xlsx" else plain, "カード.xlsx" if kind == "xlsx" else "カード.csv")
    assert preview.status_code == 200 and "2行すべて取り込めます" in words(preview.text) and cards(session) == []
    assert table(preview.text)[1][:3] == ["2", "1" * 23, "山田 太郎"] and table(preview.text)[2][0] == "4", (
        "lines are counted as in the file"
    )
    answer = confirm(clerk, preview)
    assert answer.status_code == 303 and "2件を取り込みました。" in clerk.get(answer.headers["Location"]).text
    assert confirm(clerk, preview).status_code == 404
    first, second = cards(session)
    assert (first.application_no, first.application_date, first.handwritten_check, first.issue_site.code) == (
        "1" * 23,
        date(2026, 11, 1),
        True,
        "sannomiya",
    )
    assert (
        second.application_no,
        second.application_date,
        second.issue_kind,
        second.registration_reason,
        second.handwritten_check,
    ) == (None, date(2026, 11, 2), "new", "first", False), "an empty cell is what the form would offer"
    told = [
        row.detail["段階"]
        for row in session.scalars(select(OperationLog).where(OperationLog.action_code == "card.import"))
        if "段階" in row.detail
    ]
    assert told == ["確認", "取り込み"]


def test_every_error_is_named_by_line_and_column_and_nothing_is_kept(browse: Browse, session: Session) -> None:
    samples.card(session, application_no="9" * 23)
    clerk = browse("staff")
    heading = (*BASE, "申請書ID（見た目用）", "郵便番号", "手書きチェック", "交付種別", "性別")
    bad = [
        ("", *GOOD[1:], "", "", "", "", ""),
        (*GOOD[:2], "2026-02-30", *GOOD[3:], "", "12", "", "", ""),
        (*GOOD[:3], "どこか", GOOD[4], "", "", "たぶん", "", ""),
        (*GOOD, "123", "", "", "新種", "中性"),
        ("＊＊＊", *GOOD[1:], "", "", "", "", ""),
        ("123456789018", *GOOD[1:], "", "", "", "", ""),
    ]
    answer = upload(clerk, csv_file((*GOOD, "8" * 23, "", "", "", ""), *bad, heading=heading))
    assert answer.status_code == 422 and "7行のうち6行に誤りがあります。" in words(answer.text)
    found = [(line[0], line[1]) for line in table(answer.text)[1:]]
    assert found == [
        ("3", "氏名"),
        ("4", "郵便番号"),
        ("4", "申請受付日"),
        ("5", "手書きチェック"),
        ("5", "申請場所"),
        ("6", "申請書ID（見た目用）"),
        ("6", "性別"),
        ("6", "交付種別"),
        ("7", "氏名"),
        ("8", "氏名"),
    ]
    assert (
        "123456789018" not in answer.text
        and session.scalar(select(func.count()).select_from(ImportDraft)) == 0
        and len(cards(session)) == 1
    )
    row = session.scalars(select(OperationLog).where(OperationLog.action_code == "card.import")).one()
    assert row.my_number_access is MyNumberAccess.REFUSED and row.detail["誤り"] == 6


def test_what_only_the_database_can_know_is_found_before_too(browse: Browse, session: Session) -> None:
    samples.card(session, application_no="9" * 23)
    clerk = browse("staff")
    heading = (*BASE, "申請書ID（見た目用）")
    answer = upload(
        clerk,
        csv_file((*GOOD, "1" * 23), (*GOOD, "9" * 23), (*GOOD, "1" * 23), (*GOOD[:4], "谷上サテライト", ""), heading=heading),
    )
    assert answer.status_code == 422
    assert [(line[0], line[2]) for line in table(answer.text)[1:]] == [
        ("3", "「申請書ID（見た目用）」が同じデータがすでに登録されています。"),
        ("4", "「申請書ID（見た目用）」が同じデータがすでに登録されています。"),
        ("5", "担当していない窓口の情報は、登録も変更もできません。窓口を選び直してください。"),
    ]
    assert len(cards(session)) == 1


def test_all_or_nothing_when_things_change_after_the_preview(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    preview = upload(clerk, csv_file((*GOOD, "1" * 23), (*GOOD, "2" * 23), heading=(*BASE, "申請書ID（見た目用）")))
    samples.card(session, application_no="2" * 23)
    answer = confirm(clerk, preview)
    assert answer.status_code == 422 and "何も取り込んでいません" in answer.text and len(cards(session)) == 1


def test_a_draft_is_its_uploaders_alone_and_works_once(browse: Browse, session: Session) -> None:
    clerk, manager = browse("staff"), browse("manager")
    preview = upload(clerk, csv_file(GOOD))
    assert confirm(manager, preview).status_code == 404 and confirm(clerk, preview, "shipment").status_code == 404
    assert post(clerk, "/card/import", draft="nothing").status_code == 404
    session.commit()
    answers: list[int] = []
    token(clerk)
    other = clerk.application.test_client()
    other._cookies = clerk._cookies
    sent = {"draft": _draft(preview), "csrf_token": token(clerk)}
    at_once = [
        threading.Thread(target=lambda c=c: answers.append(c.post("/card/import", data=sent).status_code)) for c in (clerk, other)
    ]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert sorted(answers) == [303, 404] and len(cards(session)) == 1


def test_only_the_newest_previews_of_a_person_wait(browse: Browse, session: Session) -> None:
    clerk, manager = browse("staff"), browse("manager")
    others = upload(manager, csv_file(GOOD))
    previews = [upload(clerk, csv_file((*GOOD, f"{n}" * 23), heading=(*BASE, "申請書ID（見た目用）"))) for n in range(1, 8)]
    assert session.scalar(select(func.count()).select_from(ImportDraft)) == 5 + 1
    assert [confirm(clerk, preview).status_code for preview in previews] == [404] * 2 + [303] * 5
    assert confirm(manager, others).status_code == 303


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        for name, content in files.items():
            box.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


UNREADABLE = "Excelファイルとして読み取れません"
NO_TABLES: list[tuple[Callable[[], bytes], str]] = [
    (lambda: b"", "見出しの行がありません"),
    (lambda: b"\xef\xbb\xbf", "見出しの行がありません"),
    (lambda: csv_file(), "取り込む行がありません"),
    (lambda: csv_file(GOOD, heading=("氏名", "住所", "謎")), "知らない列があります: 謎"),
    (lambda: csv_file(GOOD, heading=("山田 太郎", "123456789018", "x" * 99)), "知らない列があります: 山田 太郎、＊＊＊、"),
    (lambda: csv_file((*GOOD, "余り")), "2行目に、見出しのない値があります"),
    (lambda: csv_file(GOOD, heading=("氏名", "氏名", *BASE[2:])), "同じ列が2つあります: 氏名"),
    (lambda: '"氏'.encode(), "CSVの形が壊れています"),
    (lambda: b"\x81\xff\xfe\x80", "文字コードを読み取れません"),
    (lambda: b"\x89PNG\r\n\x1a\n\x00\x00", "CSVかExcel"),
    (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1", "パスワード"),
    (lambda: b"PK\x03\x04nonsense", UNREADABLE),
    (lambda: zipped(a=b"x"), UNREADABLE),
    (lambda: xlsx_file(GOOD)[:3000], UNREADABLE),
    (lambda: zipped(**{"[Content_Types]": b"<a", "xl__workbook": b"<"}), UNREADABLE),
    (BOMBS["a part of sixty megabytes"], "Excelファイルが大きすぎます"),
    (lambda: csv_file(*[("山田",)] * 5_001, heading=("氏名",)), "5,000行まで"),
    (lambda: xlsx_file(*[("山田",)] * 5_001, heading=("氏名",)), "5,000行まで"),
    (lambda: xlsx_file((*GOOD, 2.8100012345678902e22), heading=(*BASE, "申請書ID（見た目用）")), "2行目に15桁を超える数値"),
]


def test_what_is_no_table_gets_a_sentence(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    for content, sentence in NO_TABLES:
        answer = upload(clerk, content())
        assert answer.status_code == 422 and sentence in words(answer.text), (sentence, words(answer.text)[-300:])
    assert "ファイルを選んでください" in post(clerk, "/card/import").text
    told = str([row.detail for row in session.scalars(select(OperationLog))])
    assert "山田" not in told and "123456789018" not in told and cards(session) == []


def test_a_sheet_is_read_as_excel_shows_it() -> None:
    book = workbook(
        styles='<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="31"/></cellXfs></styleSheet>',
        sharedStrings="<sst><si><r><t>髙橋</t></r><r><t> 一郎</t></r><rPh><t>タカハシ</t></rPh></si></sst>",
        sheet1='<x:worksheet><x:sheetData><x:row r="3"><x:c r="A3" t="s"><x:v>0</x:v></x:c><x:c r="C3" s="1"><x:v>46327</x:v></x:c>'
        '<x:c t="b"><x:v>1</x:v></x:c><x:c><x:f>1+1</x:f><x:v>2.0</x:v></x:c></x:row></x:sheetData></x:worksheet>',
    )
    assert list(xlsx.rows(book)) == [(3, ["髙橋 一郎", "", "2026-11-01", "はい", "2"])], "和暦 is a date; a reading is no name"


@pytest.mark.timeout(300)  # the limit that counts is in processor seconds, which a busy machine is slow to give
def test_a_small_file_that_would_be_huge_is_refused_with_little_memory(tmp_path: Path) -> None:
    for name, make in {"a plain book": workbook, **BOMBS}.items():
        (tmp_path / name).write_bytes(make())
    told = subprocess.run([sys.executable, "-m", "tests.bombs", str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    answers = dict(line.split(": ", 1) for line in told.stdout.splitlines())
    assert set(answers) == {"a plain book", *BOMBS}, f"the last one was too much: {told.stdout[-200:]} {told.stderr[-500:]}"
    assert answers.pop("a plain book") == "1 lines"
    assert {name: words_ for name, words_ in answers.items() if not words_.endswith("ください。")} == {}
    hostname = socket.gethostname()
    assert hostname not in answers["an entity that points outside"]


def test_of_many_errors_the_first_are_shown_and_the_rest_counted(browse: Browse, session: Session) -> None:
    answer = upload(browse("staff"), csv_file(*[("", *GOOD[1:])] * 103))
    assert "103行のうち103行に誤りがあります。" in words(answer.text) and "ほか 3 件" in words(answer.text)
    assert len(table(answer.text)) == 101 and cards(session) == []


@pytest.mark.parametrize(
    "name", ["山田太郎_123456789018.csv", "../../etc/passwd.csv", "改\x1b[31m\x07行.csv", "長" * 300 + ".csv"]
)
def test_a_file_keeps_its_name_to_itself(name: str, browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    assert confirm(clerk, upload(clerk, csv_file(GOOD), name)).status_code == 303
    upload(clerk, csv_file(("", *GOOD[1:])), name)
    rows = list(session.scalars(select(OperationLog).where(OperationLog.action_code == "card.import")))
    assert [row.detail["形式"] for row in rows] == ["CSV"] * 3 and rows[0].detail["照合値"] == rows[1].detail["照合値"]
    assert {row.my_number_access for row in rows} == {MyNumberAccess.NONE}
    told = str([row.detail for row in session.scalars(select(OperationLog))])
    assert not [piece for piece in ("山田太郎_", "1234", "passwd", "\\x1b", "長長") if piece in told], told


def test_nobody_waits_while_a_file_is_read_checked_or_written(
    browse: Browse, session: Session, staff_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extensions, "WRITER_WAIT", 1.0)
    card, clerk, colleague = samples.card(session), browse("staff"), browse("manager")
    key, mine, saved = card.id, threading.current_thread(), list[int]()
    token(clerk)

    def save() -> None:
        saved.append(fill(colleague, f"/card/edit/{key}", memo=f"{len(saved)}回目").status_code)

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread() is mine and re.search(r"^SELECT .*FROM (counter|card)\b", statement, re.S) and is_open:
            is_open.clear()
            person = threading.Thread(target=save)
            person.start()
            person.join()

    session.commit()
    with staff_app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", meanwhile)
    try:
        is_open = [True]
        preview = upload(clerk, csv_file(GOOD))
        is_open = [True]
        assert confirm(clerk, preview).status_code == 303
        is_open = [True]
        assert len(lines_of(exported(clerk))) == 2
    finally:
        event.remove(engine, "before_cursor_execute", meanwhile)
    assert saved == [303] * 3


def test_read_only_columns_of_a_file_change_nothing(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    heading = (*BASE, "状態", "交付完了チェック", "カード保管場所", "申請書ID（内部キー用）", "RowStamp")
    assert (
        confirm(
            clerk, upload(clerk, csv_file((*GOOD, "交付済", "はい", "谷上サテライト", "77", "9"), heading=heading))
        ).status_code
        == 303
    )
    [card] = cards(session)
    assert (card.state, card.issue_done, card.storage_site, card.row_stamp) == (
        CardState.APPLIED,
        False,
        None,
        1,
    ) and card.id != 77


def test_a_card_of_another_counter_cannot_be_referred_to(browse: Browse, session: Session) -> None:
    theirs, mine = samples.card(session, "tanigami", application_no="7" * 23), samples.card(session, application_no="6" * 23)
    clerk = browse("staff")
    heading = ("申請書ID", "発送物の種類", "発送日", "郵便番号", "氏名", "住所")
    for number, good in ((theirs.application_no, False), (mine.application_no, True)):
        answer = upload(
            clerk,
            csv_file((str(number), "交付通知書", "2026-11-01", "6500001", "山田", "神戸市"), heading=heading),
            table_name="shipment",
        )
        assert answer.status_code == (200 if good else 422), words(answer.text)
        assert good or "に当てはまるカードがありません" in answer.text


def test_what_goes_out_comes_in_again_exactly(browse: Browse, session: Session) -> None:
    odd = [
        *FORMULAS,
        "葛\U000e0100城 𠮷田",
        "a\tb",
        "1,2;3",
        "_x0041_",
        "0012",
        '="x"',
        "'",
        "改行\nあり",
        "<&>\"'",
        "TRUE",
        "1e5",
        "2026-01-01",
        "全角　中",
    ]
    card = samples.card(session, application_no="1" * 23)
    for n, text in enumerate(odd):
        samples.shipment(
            session, card, name=text, memo=text, address=text, gaiji_flag=bool(n % 2), tracking_no=f"{n:012d}", attempt_no=n + 1
        )
    one_of_each(session, "tanigami")
    manager = browse("manager")
    scope = f"?card={card.id}&order=id.asc"
    for kind in ("csv", "xlsx"):
        before = _values(session, card.id)
        content = exported(manager, f"/shipment/export{scope}", format=kind).data
        for row in session.scalars(select(Shipment).where(Shipment.card_id == card.id)):
            session.delete(row)
        session.commit()
        preview = upload(manager, content, table_name="shipment")
        assert preview.status_code == 200, table(preview.text)
        assert confirm(manager, preview, "shipment").status_code == 303
        assert _values(session, card.id) == before, kind


def _values(session: Session, card_id: int) -> list[tuple[Any, ...]]:
    session.expire_all()
    found = session.scalars(select(Shipment).where(Shipment.card_id == card_id).order_by(Shipment.attempt_no))
    return [
        (
            s.item_kind,
            s.sent_date,
            s.postal_code,
            s.name,
            s.address,
            s.tracking_no,
            s.attempt_no,
            s.returned_date,
            s.gaiji_flag,
            s.memo,
        )
        for s in found
    ]


def test_the_import_page_says_what_it_takes(browse: Browse) -> None:
    page = browse("staff").get("/card/import").text
    assert (
        "使える見出し：申請書ID（見た目用）、氏名、" in page
        and "状態、" not in page.split("使える見出し：")[1]
        and form(page)["csrf_token"]
    )
