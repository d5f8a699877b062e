"""帳票イメージファイリング情報 [諮問書 表(7)]: a document and its scanned pages."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import Date, Integer, String, Time, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, BigId, Code, UtcDateTime, coded, column, relation, rule
from models.cards import Card


class MimeType(Code):
    PDF = "application/pdf", "PDF", "1"
    TIFF = "image/tiff", "TIFF", "2"
    JPEG = "image/jpeg", "JPEG", "3"
    PNG = "image/png", "PNG", "4"


class Document(Base):
    """帳票イメージ: one filed paper (an application form, an identity document …) of one card."""

    __tablename__, __label__, __group__, __area__ = "document", "帳票イメージ", "帳票", "images"
    __scope__, __deletable__ = "card", False
    __table_args__ = (
        rule("fiscal_year BETWEEN 2015 AND 2100", "fiscal_year", "「年度」は西暦4桁（2015以降）で入力してください。"),
        rule("partition_year BETWEEN 2015 AND 2100", "partition_year", "「分割年」は西暦4桁（2015以降）で入力してください。"),
    )
    id: Mapped[int] = column(BigId, label="識別番号", listed=True, edit=False, primary_key=True)
    partition_year: Mapped[int] = column(Integer, label="分割年", begins="year", edit="add")
    fiscal_year: Mapped[int] = column(
        Integer, label="年度", begins="fiscal_year", hint="4月から翌年3月まで", listed=True, search=True, edit="add"
    )
    business_class: Mapped[str] = column(String(30), label="業務区分", kind="code", codes="business_class", edit="add")
    document_class: Mapped[str] = column(
        String(30), label="資料区分", listed=True, search=True, kind="code", codes="document_class", edit="add"
    )
    document_no: Mapped[str] = column(String(30), label="資料番号", listed=True, search=True, kind="alnum")
    name_kanji: Mapped[str] = column(
        String(200), label="漢字氏名", begins="card.name", listed=True, search=True, pii="name", kind="name"
    )
    card: Mapped[Card] = relation(label="マイナンバーカード申請書ID", listed=True, search=True, edit="add")
    registered_date: Mapped[date] = column(
        Date, label="登録日", section="登録と更新の記録", listed=True, search=True, sort=True, auto="today"
    )
    registered_time: Mapped[time] = column(Time, label="登録時間", auto="clock")
    registered_by_id: Mapped[str] = column(String(64), label="登録職員ID", kind="alnum", auto="actor_id")
    registered_by_name: Mapped[str] = column(String(129), label="登録職員名", auto="actor_name")
    updated_date: Mapped[date] = column(Date, label="更新日", auto="touched_today")
    updated_time: Mapped[time] = column(Time, label="更新時間", auto="touched_clock")
    updated_by_id: Mapped[str] = column(String(64), label="更新職員ID", kind="alnum", auto="touched_by_id")
    updated_by_name: Mapped[str] = column(String(129), label="更新職員名", auto="touched_by_name")
    row_timestamp: Mapped[datetime] = column(UtcDateTime, label="タイムスタンプ", auto="touched")

    def __str__(self) -> str:
        return self.document_no


class DocumentPage(Base):
    """帳票イメージのページ: one stored file of a document; turned on screen by 回転角度, never rewritten."""

    __tablename__, __label__, __group__, __area__ = "document_page", "帳票ページ", "帳票", "images"
    __scope__ = "document"
    __writable__ = False
    __order__ = ("id", "desc")
    __table_args__ = (
        UniqueConstraint("document_id", "file_seq", "page_no"),
        rule("page_no >= 1", "page_positive"),
        rule("rotation IN (0, 90, 180, 270)", "quarter_turns"),
        rule("size_bytes >= 0", "size_not_negative"),
    )
    id: Mapped[int] = column(BigId, label="ページID", edit=False, primary_key=True)
    document: Mapped[Document] = relation(label="識別番号", listed=True, search=True, edit=False)
    file_seq: Mapped[int] = column(Integer, label="ファイル連番", listed=True, edit=False, default=1)
    partition_year: Mapped[int] = column(Integer, label="分割年", edit=False)
    page_no: Mapped[int] = column(Integer, label="ページ番号", listed=True, edit=False)
    stored_name: Mapped[str] = column(String(80), label="ファイル名", kind="alnum", edit=False, unique=True)
    display_name: Mapped[str] = column(String(255), label="表示用ファイル名", listed=True, pii=True, edit=False)
    mime_type: Mapped[MimeType] = coded(MimeType, label="MIMEタイプ", listed=True, edit=False)
    size_bytes: Mapped[int] = column(Integer, label="ファイルサイズ", listed=True, edit=False)
    rotation: Mapped[int] = column(Integer, label="回転角度", edit=False, default=0)

    def __str__(self) -> str:
        return f"{self.file_seq}-{self.page_no}"
