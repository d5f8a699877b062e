"""Types, lengths and codes of the seven tables, typed from what was found out about each column, not taken from the models.

Where nothing was found out about a length, none stands here. That the columns are there under their names is held in
tests/test_requirements.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Date, Integer, String, Time, select
from sqlalchemy.orm import Session

from app.parts import Part
from app.schema import specs
from models import (
    BookingCategory,
    Card,
    CardHistory,
    CardNote,
    CodeItem,
    Counter,
    Document,
    DocumentPage,
    OperationLog,
    Reservation,
    Shipment,
)
from models.base import UtcDateTime
from tests.test_requirements import KEPT_IN, OTHERWISE
from tests.test_requirements import WRITTEN as NAMES


@dataclass(frozen=True)
class Written:
    """What a column is: its kind, how long its text may be, its codes with their numbers in files, the table that it leads to."""

    kind: str
    length: int | None = None
    codes: str = ""
    leads_to: Any = None


KINDS: dict[str, Any] = {
    "date": Date,
    "time": Time,
    "moment": UtcDateTime,
    "flag": Boolean,
    "text": String,
    "json": JSON,
    "number": Integer,
    "big number": BigInteger,
}
DATE, TIME, MOMENT, FLAG, TEXT = (Written(kind) for kind in ("date", "time", "moment", "flag", "text"))
TREE, NUMBER, BIG, KEY, VERSION = (Written(kind) for kind in ("json", "number", "big number", "key", "version"))


def text(length: int) -> Written:
    return Written("text", length=length)


def code(codes: str = "") -> Written:
    return Written("code", codes=codes)


def link(model: Any) -> Written:
    return Written("link", leads_to=model)


# Codes as they were written down: number and label. One of the two is left out where it is not known or not settled.
SEX = code("1男 2女 0不明 9適用不能")
WRITTEN: dict[Any, dict[str, Written]] = {
    # (1) 来庁予約データ
    Reservation: {
        "レコード番号": BIG,
        "申請ID": text(10),
        "予約日付": DATE,
        "予約開始時間": TIME,
        "予約終了時間": TIME,
        "手続きID": link(BookingCategory),
        "手続きの種類": TEXT,
        "申請者情報（氏名）": TEXT,
        "申請者情報（カナ）": TEXT,
        "申請者情報（生年月日）": DATE,
        "性別": SEX,
        "住所": text(200),
        "マンション名・部屋番号等": text(100),
        "電話番号": text(11),
        "メールアドレス": text(254),
        "申請内容": TREE,
        "状態": code("10仮押え 20予約済 30 40キャンセル 50無断欠席 60期限切れ"),
        "メッセージ": text(500),
        "申請日付": DATE,
        "申請時間": TIME,
    },
    # (2) マイナンバーカードデータ
    Card: {
        "申請書ID（内部キー用）": KEY,
        "申請書ID（見た目用）": text(23),
        "交付通知書番号": text(9),
        "氏名カナ": TEXT,
        "交付前設定済": FLAG,
        "手書きチェック": FLAG,
        "破棄処理チェック": FLAG,
        "失効処理チェック": FLAG,
        "交付完了チェック": FLAG,
        "交付取りやめチェック": FLAG,
        "再発行依頼チェック": FLAG,
        "氏名": text(200),
        "住所": text(300),
        "生年月日": DATE,
        "性別": SEX,
        "製造管理番号": text(16),
        "カードステータス": code(),
        "点字有無兼証明書有無情報": NUMBER,
        "カード有効期限": DATE,
        "利用者証明用電子証明書有効期限": DATE,
        "署名用電子証明書有効期限": DATE,
        "利用者証明用電子証明書シリアル": text(40),
        "カード管理開始日": DATE,
        "交付前設定処理完了日": DATE,
        "交付通知書発送日": DATE,
        "カード交付日": DATE,
        "カード回収日": DATE,
        "カード廃棄日": DATE,
        "カード廃棄事由": code("1未受取 2取りやめ 3死亡 4転出 5 6返納 7失効 8有効期限 9その他"),
        "申請受付方式": code("1郵送 2スマホ 3PC 4証明写真機 5窓口 6代理申請（オンライン） 7代理投函"),
        "来庁方式": code("1交付時来庁 2申請時来庁"),
        "代理人交付": code("0本人 1法定代理人 2任意代理人"),
        "代替文字使用有無": FLAG,
        "メモ": text(1000),
        "申請場所": link(Counter),
        "カード交付場所": link(Counter),
        "カード保管場所": link(Counter),
        "交付市町村": text(6),
        "申請受付日": DATE,
        "交付種別": code("1新規 2更新 3再交付 4追記欄満欄 5国外転出者 6特急"),
        "登録事由": code("初回 紛失 焼失 損傷 機能不良 期限 追記欄 番号変更 その他"),
        "有料・無料": code("0無料 1有料"),
        "徴収日": DATE,
        "交付手数料": NUMBER,
        "徴収区分": code("0対象外 1未収 2徴収済 3免除 4還付"),
        "督促状送付日": DATE,
        "代理投函日": DATE,
        "RowStamp": VERSION,
    },
    # (3) カード履歴
    CardHistory: {
        "レコード番号": BIG,
        "申請書ID（内部キー用）": link(Card),
        "履歴": TREE,
        "更新日時": MOMENT,
    },
    # (4) カードデータ処理履歴
    CardNote: {
        "レコード番号": BIG,
        "申請書ID（内部キー用）": link(Card),
        "コメント": text(1000),
        "更新日時": MOMENT,
    },
    # (5) 操作ログ
    OperationLog: {
        "Pkey": KEY,
        "クライアント情報": TEXT,
        "ユーザーID": TEXT,
        "ユーザー名": TEXT,
        "部課名": TEXT,
        "処理コード": TEXT,
        "処理名": TEXT,
        "処理分類": code("1参照 2検索 3登録 4更新 5削除 6出力 7印刷 8認証 9設定"),
        "処理内容": TREE,
        "個人番号アクセスログ": code("0無 1検知・拒否"),
        "処理開始時間": MOMENT,
        "処理終了時間": MOMENT,
    },
    # (6) 発送管理
    Shipment: {
        "送付ID": KEY,
        "申請書ID": link(Card),
        "発送物の種類": code("1交付通知書 2カード本人限定 3カード簡易書留 4督促 5その他"),
        "発送日": DATE,
        "郵便番号": text(7),
        "氏名": TEXT,
        "住所": TEXT,
        "追跡番号": text(12),
        "発送回数": NUMBER,
        "返戻日": DATE,
        "返戻事由": code("1あて所に尋ねあたりません 2保管期間経過 3 4受取拒絶 5宛名不完全 6死亡 9その他"),
        "外字有無": FLAG,
        "メモ": TEXT,
    },
    # (7) 帳票イメージファイリング情報: a document and its pages
    Document: {
        "分割年": NUMBER,
        "年度": NUMBER,
        "資料区分": code("1申請書 2本人確認書類 3回答書 4代理権証明 9"),
        "漢字氏名": TEXT,
        "登録日": DATE,
        "登録時間": TIME,
        "登録職員ID": TEXT,
        "登録職員名": TEXT,
        "更新日": DATE,
        "更新時間": TIME,
        "更新職員ID": TEXT,
        "更新職員名": TEXT,
        "タイムスタンプ": MOMENT,
        "マイナンバーカード申請書ID": link(Card),
    },
    DocumentPage: {
        "分割年": NUMBER,
        "ページ番号": NUMBER,
        "ファイル名": TEXT,
        "表示用ファイル名": TEXT,
        "MIMEタイプ": code("PDF TIFF JPEG PNG"),
        "ファイルサイズ": NUMBER,
        "回転角度": NUMBER,
    },
}
UNKNOWN = {"グループID", "内部用の申請書ID", "識別番号", "業務区分", "資料番号", "ファイル連番"}
"""Columns of the document of which nothing is known that could be held here, or nothing that is settled."""
CARD_STATES = "applied arrived preset notified mailed returned reminded issued cancelled revoked collected disposed"


def kind_fits(part: Part, kind: str) -> bool:
    if kind == "code":
        return bool(part.enum or part.field.codes)
    if kind == "link":
        return part.is_relation and not part.is_many
    if kind == "key":
        return bool(part.column.primary_key)
    if kind == "version":
        return part.column is part.prop.parent.version_id_col
    return isinstance(part.type, KINDS[kind]) and part.enum is None


def codes_of(session: Session, part: Part) -> set[tuple[str, str]]:
    """(number in files, label) of every code, be it fixed or one of the office's lists as they are installed."""
    if part.enum:
        return {(member.number, member.label) for member in part.enum}
    items = select(CodeItem).where(CodeItem.list_name == part.field.codes)
    return {(item.number, item.name) for item in session.scalars(items)}


def read_codes(words: str, *, like: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """`1男 2女` as codes; where only the number or only the label is written, the other may be anything."""
    written = [re.fullmatch(r"(\d*)(\D*)", word).groups() for word in words.split()]  # type: ignore[union-attr]
    labels, numbers = dict(like), {label: number for number, label in like}
    return {(number or numbers.get(label, ""), label or labels.get(number, "")) for number, label in written}


def difference(session: Session, part: Part, wanted: Written) -> str:
    """What a column has and what is written of it, if they are not the same."""
    if not kind_fits(part, wanted.kind):
        return f"{part.label}: {part.type!r}, not a {wanted.kind}"
    if wanted.length and part.length != wanted.length:
        return f"{part.label}: {part.length} characters, not {wanted.length}"
    if wanted.leads_to and part.target is not wanted.leads_to:
        return f"{part.label}: leads to {part.target}, not to {wanted.leads_to}"
    held = codes_of(session, part) if wanted.codes else set()
    written = read_codes(wanted.codes, like=held)
    return f"{part.label}: {held - written}, not {written - held}" if held != written else ""


@pytest.mark.parametrize("model", WRITTEN, ids=lambda model: model.__name__)
def test_every_column_is_what_is_written_of_it(model: Any, session: Session) -> None:
    parts = {part.label: part for part in specs()[model].parts.values()}
    found = [difference(session, parts[label], wanted) for label, wanted in WRITTEN[model].items()]
    assert [words for words in found if words] == []


def test_no_column_of_the_document_was_forgotten() -> None:
    """So that a new column of the document gets its line here, or is said to be unknown."""
    left = set()
    for table, names in NAMES.items():
        held = {label for model in KEPT_IN[table] for label in WRITTEN[model]}
        left |= {label for name in names for label in OTHERWISE.get(name, (name,))} - held
    assert left == UNKNOWN


def test_a_card_has_the_states_of_the_office_and_no_other() -> None:
    enum = next(part.enum for part in specs()[Card].parts.values() if part.label == "状態")
    assert enum and {str(state.value) for state in enum} == set(CARD_STATES.split())
