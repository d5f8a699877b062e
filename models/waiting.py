"""空き待ち: who would like to come on a day that is full, in the order in which they asked."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import DIGITS, Base, BigId, Code, UtcDateTime, coded, column, index_of, only, relation, rule
from models.bookings import CODE_ALPHABET, Language
from models.masters import BookingCategory, Counter


class WaitingState(Code):
    WAITING = "waiting", "待っている", "10"
    OFFERED = "offered", "案内中", "20"
    BOOKED = "booked", "予約済", "30"
    LAPSED = "lapsed", "期限切れ", "40"
    WITHDRAWN = "withdrawn", "取りやめ", "50"


class WaitingEntry(Base):
    """空き待ち: one wish for a day at a counter. An offer holds places for the whole party until a moment, then goes to the next."""

    __tablename__, __label__, __group__, __area__ = "waiting_entry", "空き待ち", "予約", "reservations"
    __scope__, __order__, __addable__, __deletable__, __files__ = "counter", ("id", "desc"), False, False, False
    __table_args__ = (
        rule("people BETWEEN 1 AND 10", "people"),
        rule("(state = 'offered') = (offered_until IS NOT NULL)", "offered_until"),
        rule(f"length(code) = 10 AND {only('code', CODE_ALPHABET)}", "code"),
        rule(
            f"length(phone) BETWEEN 10 AND 11 AND substr(phone, 1, 1) = '0' AND {only('phone', DIGITS)}",
            "phone",
            "「電話番号」は0から始まる数字10桁か11桁で入力してください。",
        ),
        index_of("ix_waiting_entry_open", "counter_id", "wish_date", "id", where="state = 'waiting'"),
        index_of("ix_waiting_entry_offered", "offered_until", where="state = 'offered'"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = column(String(10), label="受付番号", listed=True, search=True, kind="visit", unique=True, edit=False)
    counter: Mapped[Counter] = relation(label="窓口", listed=True, search=True, edit=False)
    category: Mapped[BookingCategory] = relation(label="手続き", listed=True, edit=False)
    wish_date: Mapped[date] = column(Date, label="希望日", listed=True, search=True, edit=False)
    people: Mapped[int] = column(Integer, label="人数", listed=True, edit=False, default=1)
    name: Mapped[str] = column(String(200), label="氏名", listed=True, search=True, pii="name", kind="name")
    phone: Mapped[str] = column(String(11), label="電話番号", listed=True, search=True, pii=True, kind="phone")
    email: Mapped[str] = column(String(254), label="メールアドレス", pii=True, kind="email", default="")
    language: Mapped[Language] = coded(Language, label="言語", edit=False, default=Language.JA)
    state: Mapped[WaitingState] = coded(
        WaitingState, label="状態", listed=True, search=True, edit=False, default=WaitingState.WAITING
    )
    created_at: Mapped[datetime] = column(UtcDateTime, label="受付日時", auto="now")
    offered_until: Mapped[datetime | None] = column(UtcDateTime, label="案内の期限", listed=True, edit=False)
    form_token: Mapped[str | None] = mapped_column(
        String(43), unique=True
    )  # of the form that the offer opens and that holds its places

    cards: Mapped[str] = mapped_column(String(1000), default="", server_default="")  # to be fetched (`app.rules.pickups.packed`)

    def __str__(self) -> str:
        return f"{self.code[:5]}-{self.code[5:]}"
