"""The columns that the city wrote down [諮問書 来庁予約データ など 表(1)–(7)]: each is there under its own name."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

import pytest

from app.schema import specs
from models import Card, CardHistory, CardNote, Document, DocumentPage, OperationLog, Reservation, Shipment

# Typed from the document, not taken from the models: spaces left out, brackets full-width.
WRITTEN: dict[str, tuple[str, ...]] = {
    "(1) 来庁予約データ": (
        *("レコード番号", "申請ID", "グループID", "予約日付", "予約開始時間", "予約終了時間", "手続きID", "手続きの種類"),
        *("申請者情報", "性別", "住所", "マンション名・部屋番号等", "電話番号", "メールアドレス", "申請内容", "状態"),
        *("メッセージ", "申請日付", "申請時間"),
    ),
    "(2) マイナンバーカードデータ": (
        *("申請書ID（内部キー用）", "申請書ID（見在目用）", "交付前設定済", "手書きチェック", "破棄処理チェック"),
        *("失効処理チェック", "交付完了チェック", "交付取りやめチェック", "再発行依頼チェック", "氏名", "住所", "生年月日"),
        *("性別", "製造管理番号", "カードステータス", "点字有無兼証明書有無情報", "カード有効期限"),
        *("利用者証明用電子証明書有効期限", "署名用電子証明書有効期限", "利用者証明用電子証明書シリアル"),
        *("カード管理開始日", "交付前設定処理完了日", "交付通知書発送日", "カード交付日", "カード回収日", "カード廃棄日"),
        *("カード廃棄事由", "申請受付方式", "来庁方式", "代理人交付", "代替文字使用有無", "メモ", "申請場所"),
        *("カード交付場所", "カード保管場所", "交付市町村", "申請受付日", "交付種別", "登録事由", "有料・無料", "徴収日"),
        *("交付手数料", "徴収区分", "督促状送付日", "代理投函日", "RowStamp"),
    ),
    "(3) マイナンバーカード履歴": ("レコード番号", "申請書ID（内部キー用）", "履歴", "更新日時"),
    "(4) マイナンバーカードデータ処理履歴": ("レコード番号", "申請書ID（内部キー用）", "コメント", "更新日時"),
    "(5) 操作ログ": (
        *("Pkey", "クライアント情報", "ユーザーID", "ユーザー名", "部課名", "処理コード", "処理名", "処理分類", "処理内容"),
        *("個人番号アクセスログ", "内部用の申請書ID", "処理開始時間", "処理終了時間"),
    ),
    "(6) 発送管理": (
        *("送付ID", "申請書ID", "発送物の種類", "発送日", "郵便番号", "氏名", "住所", "追跡番号", "発送回数", "返戻日"),
        *("返戻事由", "外字有無", "メモ"),
    ),
    "(7) 帳票イメージファイリング情報": (
        *("分割年", "識別番号", "年度", "業務区分", "資料区分", "資料番号", "漢字氏名", "登録日", "登録時間", "登録職員ID"),
        *("登録職員名", "更新日", "更新時間", "更新職員ID", "更新職員名", "タイムスタンプ", "ファイル連番", "分割年"),
        *("ページ番号", "ファイル名", "表示用ファイル名", "MIMEタイプ", "ファイルサイズ", "回転角度"),
        "マイナンバーカード申請書ID",
    ),
}

# The tables that keep them. (7) names 分割年 twice, once for a document and once for its pages: it is two tables.
KEPT_IN: dict[str, tuple[Any, ...]] = {
    "(1) 来庁予約データ": (Reservation,),
    "(2) マイナンバーカードデータ": (Card,),
    "(3) マイナンバーカード履歴": (CardHistory,),
    "(4) マイナンバーカードデータ処理履歴": (CardNote,),
    "(5) 操作ログ": (OperationLog,),
    "(6) 発送管理": (Shipment,),
    "(7) 帳票イメージファイリング情報": (Document, DocumentPage),
}

OTHERWISE: dict[str, tuple[str, ...]] = {
    # One heading in the document; three columns here, because a person is searched and recognised by each.
    "申請者情報": ("申請者情報（氏名）", "申請者情報（カナ）", "申請者情報（生年月日）"),
    # 見在目 is no word; beside 内部キー用 it is read as 見た目用, the number as people see it.
    "申請書ID（見在目用）": ("申請書ID（見た目用）",),
}


@pytest.mark.parametrize("table", WRITTEN)
def test_every_column_of_the_document_is_there_under_its_name(table: str) -> None:
    wanted = Tally(label for name in WRITTEN[table] for label in OTHERWISE.get(name, (name,)))
    found = Tally(part.label for model in KEPT_IN[table] for part in specs()[model].parts.values())
    assert list((wanted - found).elements()) == []


def test_the_document_was_typed_in_full() -> None:
    assert [len(names) for names in WRITTEN.values()] == [19, 46, 4, 4, 13, 13, 25]
    assert list(WRITTEN) == list(KEPT_IN)
