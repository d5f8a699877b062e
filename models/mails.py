"""送信メール: what is to be told to residents, written with the act that it tells of; and 定型文, its words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Code, UtcDateTime, coded, column, index_of, relation, rule
from models.bookings import Language, Reservation
from models.masters import Master
from models.waiting import WaitingEntry


class MailKind(Code):
    CONFIRMED = "confirmed", "予約の受付", "1"
    CHANGED = "changed", "日時の変更", "2"
    CANCELLED = "cancelled", "キャンセル", "3"
    REMINDER = "reminder", "前日のお知らせ", "4"
    OFFER = "offer", "空き待ちのご案内", "5"
    CLOSED = "closed", "窓口の休業によるキャンセル", "6"


class MailState(Code):
    WAITING = "waiting", "送信待ち", "10"
    SENT = "sent", "送信済", "20"
    DEAD = "dead", "送信できず", "30"
    DROPPED = "dropped", "送信不要", "40"


class Outbox(Base):
    """送信メール: one mail about a reservation, or an offer to who waits for one. It holds no address and no text: both are read from the reservation when it is sent."""

    __tablename__, __label__, __group__, __area__ = "outbox", "送信メール", "予約", "reservations"
    __scope__, __writable__, __files__ = ("reservation", "waiting"), False, False
    __acts__ = {"can_resend": "送り直し"}
    __table_args__ = (
        rule("attempts >= 0", "attempts"),
        rule("(reservation_id IS NULL) <> (waiting_id IS NULL)", "about_one"),
        rule("(state = 'sent') = (sent_at IS NOT NULL)", "sent_when"),
        # The worker asks for the next mails every few seconds: what waits is few, however many were sent.
        index_of("ix_outbox_waiting", "due_at", where="state = 'waiting'"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reservation: Mapped[Reservation | None] = relation(label="来庁予約", listed=True, edit=False)
    waiting: Mapped[WaitingEntry | None] = relation(label="空き待ち", edit=False)
    kind: Mapped[MailKind] = coded(MailKind, label="種類", listed=True, edit=False)
    state: Mapped[MailState] = coded(MailState, label="状態", listed=True, search=True, edit=False, default=MailState.WAITING)
    dedupe_key: Mapped[str] = column(String(60), label="重複を防ぐ鍵", kind="code", unique=True, edit=False)
    detail: Mapped[dict[str, Any]] = column(JSON, label="内容", edit=False, default=dict)
    created_at: Mapped[datetime] = column(UtcDateTime, label="登録日時", listed=True, edit=False)
    due_at: Mapped[datetime] = column(UtcDateTime, label="次に送る日時", edit=False)
    attempts: Mapped[int] = column(Integer, label="試した回数", listed=True, edit=False, default=0)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # somebody is sending it until then
    sent_at: Mapped[datetime | None] = column(UtcDateTime, label="送信日時", listed=True, edit=False)
    last_error: Mapped[str] = column(String(200), label="最後のエラー", edit=False, default="")

    def __str__(self) -> str:
        return f"{self.kind.label}（{self.state.label}）"


class MailTemplate(Master):
    """メール定型文: the words of a mail in one language. {予約番号} and other known words are filled in."""

    __tablename__, __label__, __order__ = "mail_template", "メール定型文", ("id", "asc")
    __addable__, __deletable__ = False, False
    __table_args__ = (UniqueConstraint("kind", "language"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[MailKind] = coded(MailKind, label="種類", listed=True, search=True, edit=False)
    language: Mapped[Language] = coded(Language, label="言語", listed=True, search=True, edit=False)
    subject: Mapped[str] = column(String(100), label="件名", listed=True)
    body: Mapped[str] = column(Text, label="本文", kind="memo", hint="{予約番号} のような差し込み語を使えます")

    def __str__(self) -> str:
        return f"{self.kind.label}（{self.language.label}）"
