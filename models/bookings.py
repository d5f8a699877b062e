"""予約枠 and 来庁予約データ: the places of a day and who has taken them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Index, Integer, String, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import DIGITS, Base, BigId, Code, UtcDateTime, coded, column, index_of, only, relation, rule
from models.masters import BookingCategory, Counter, DeskPool


class Channel(Code):
    WEB = "web", "公開", "1"
    CALLCENTER = "callcenter", "コールセンター", "2"
    COUNTER = "counter", "窓口", "3"
    RESERVE = "reserve", "予備", "4"


class Sex(Code):
    """ISO 5218."""

    MALE = "male", "男", "1"
    FEMALE = "female", "女", "2"
    UNKNOWN = "unknown", "不明", "0"
    NOT_APPLICABLE = "not_applicable", "適用不能", "9"


class Language(Code):
    """Languages of the residents' pages and mails."""

    JA = "ja", "日本語", "1"
    EASY = "ja_easy", "やさしい日本語", "2"
    EN = "en", "English", "3"
    ZH = "zh", "简体中文", "4"
    KO = "ko", "한국어", "5"
    VI = "vi", "Tiếng Việt", "6"


class Intake(Code):
    """How somebody asked for a visit. Whose places it takes is its 経路."""

    WEB = "web", "ネット", "1"
    PHONE = "phone", "電話", "2"
    DESK = "desk", "窓口", "3"


class ReservationState(Code):
    HELD = "held", "仮押え", "10"
    BOOKED = "booked", "予約済", "20"
    ARRIVED = "arrived", "来庁済", "30"
    CANCELLED = "cancelled", "キャンセル", "40"
    NO_SHOW = "no_show", "無断欠席", "50"
    EXPIRED = "expired", "期限切れ", "60"


HOLDING = (ReservationState.HELD, ReservationState.BOOKED, ReservationState.ARRIVED, ReservationState.NO_SHOW)
"""States whose units count in `slot.used`: a no-show used its place, a cancelled or expired one gave it back."""


class Slot(Base):
    """予約枠: the places of one desk pool at one time, for one channel. `used` only moves by the rules of booking.

    `released`: places that this row has received from other channels as its time came near (公開, positive) or given away (the
    others, negative). `wanted` counts them; what the masters say of the row is `wanted - released`.
    """

    __tablename__, __label__, __group__, __area__ = "slot", "予約枠", "予約", "reservations"
    __scope__, __writable__, __order__, __ahead__ = "counter", False, ("slot_date", "asc"), True
    __table_args__ = (
        UniqueConstraint("desk_pool_id", "slot_date", "start_time", "channel"),
        rule("used >= 0 AND used <= capacity", "never_oversold"),
        rule("wanted >= 0 AND start_time < end_time", "sane"),
        rule("wanted >= released AND CASE WHEN channel = 'web' THEN released >= 0 ELSE released <= 0 END", "transferred"),
        Index(None, "counter_id", "slot_date", "channel", "start_time"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    counter: Mapped[Counter] = relation(label="窓口", listed=True, search=True, edit=False)
    desk_pool: Mapped[DeskPool] = relation(label="窓口枠", listed=True, edit=False)
    slot_date: Mapped[date] = column(Date, label="日付", listed=True, search=True, sort=True, then=("start_time",), edit=False)
    start_time: Mapped[time] = column(Time, label="開始", listed=True, edit=False)
    end_time: Mapped[time] = column(Time, label="終了", listed=True, edit=False)
    channel: Mapped[Channel] = coded(Channel, label="経路", listed=True, search=True, edit=False)
    capacity: Mapped[int] = column(Integer, label="定員", listed=True, edit=False)
    used: Mapped[int] = column(Integer, label="予約数", listed=True, edit=False, default=0)
    wanted: Mapped[int] = column(Integer, label="希望定員", listed=True, edit=False)
    released: Mapped[int] = column(Integer, label="公開への移動", listed=True, edit=False, default=0, server_default="0")

    @property
    def free(self) -> int:
        return self.capacity - self.used

    def __str__(self) -> str:
        return slot_name(self.slot_date, self.start_time)


def grouped_code(code: str) -> str:
    """A reservation code as people read it out: K7Q2M-9MXDA."""
    return f"{code[:5]}-{code[5:]}"


def slot_name(day: date, start: time) -> str:
    return f"{day:%Y-%m-%d} {start:%H:%M}"


CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters of a reservation's code: 32, without 0 O 1 I, because people mix them up."""


class Reservation(Base):
    """来庁予約データ [諮問書 表(1)]: one person's visit; a household shares a グループID."""

    __tablename__, __label__, __group__, __area__ = "reservation", "来庁予約", "予約", "reservations"
    __scope__, __addable__, __deletable__ = "counter", False, False
    __acts__ = {"can_check_in": "消し込み", "can_book": "日時の変更とキャンセル"}
    __order__, __ahead__ = ("booking_date", "asc"), True
    __indexed__ = (("slot_id", "state"),)
    __table_args__ = (
        rule("start_time < end_time", "start_before_end"),
        rule("units > 0", "units_positive"),
        rule("state <> 'held' OR held_until IS NOT NULL", "hold_ends"),
        rule(f"length(booking_code) = 10 AND {only('booking_code', CODE_ALPHABET)}", "booking_code"),
        rule(
            f"(phone = '' AND state IN ('held', 'expired')) OR (length(phone) BETWEEN 10 AND 11"
            f" AND substr(phone, 1, 1) = '0' AND {only('phone', DIGITS)})",
            "phone",
            "「電話番号」は0から始まる数字10桁か11桁で入力してください。",
        ),
        # Holds end every minute: those that stand are few, however many reservations there are.
        index_of("ix_reservation_held", "held_until", where="state = 'held'"),
        index_of(
            "uq_reservation_queue",
            *("counter_id", "booking_date", "queue_number"),
            where="queue_number IS NOT NULL",
            unique=True,
        ),
        # One visit for one card: who has a time changes it instead of taking another.
        index_of(
            "uq_reservation_pickup", "pickup_ref", where="pickup_ref IS NOT NULL AND state IN ('held', 'booked')", unique=True
        ),
        index_of("ix_reservation_notice", "notice_hash", where="notice_hash IS NOT NULL"),
    )
    id: Mapped[int] = column(BigId, label="レコード番号", edit=False, primary_key=True)
    booking_code: Mapped[str] = column(
        String(10), label="申請ID", listed=True, search=True, kind="visit", unique=True, edit=False
    )
    group_id: Mapped[str | None] = column(String(36), label="グループID", kind="alnum", edit=False, index=True)
    booking_date: Mapped[date] = column(
        Date, label="予約日付", listed=True, search=True, sort=True, then=("start_time",), edit=False
    )
    start_time: Mapped[time] = column(Time, label="予約開始時間", listed=True, edit=False)
    end_time: Mapped[time] = column(Time, label="予約終了時間", edit=False)
    category: Mapped[BookingCategory] = relation(label="手続きID", search=True, edit=False)
    procedure_name: Mapped[str] = column(String(60), label="手続きの種類", listed=True, edit=False)
    counter: Mapped[Counter] = relation(label="窓口", listed=True, search=True, edit=False)
    name: Mapped[str] = column(
        String(200), label="申請者情報（氏名）", section="申請者", listed=True, search=True, pii="name", kind="name"
    )
    name_kana: Mapped[str] = column(String(200), label="申請者情報（カナ）", search=True, pii="name", kind="kana", default="")
    birth_date: Mapped[date | None] = column(Date, label="申請者情報（生年月日）", pii=True, kind="birth", past=True)
    sex: Mapped[Sex | None] = coded(Sex, label="性別", pii=True)
    postal_code: Mapped[str] = column(String(7), label="郵便番号", pii=True, kind="postal", default="")
    address: Mapped[str] = column(String(200), label="住所", pii=True)
    building: Mapped[str] = column(String(100), label="マンション名・部屋番号等", pii=True, default="")
    phone: Mapped[str] = column(String(11), label="電話番号", listed=True, search=True, pii=True, kind="phone")
    email: Mapped[str] = column(String(254), label="メールアドレス", pii=True, kind="email", default="")
    request_detail: Mapped[dict[str, Any]] = column(
        JSON, label="申請内容", section="申請内容", pii=True, edit=False, default=dict
    )
    state: Mapped[ReservationState] = coded(
        ReservationState, label="状態", listed=True, search=True, edit=False, default=ReservationState.BOOKED
    )
    message: Mapped[str] = column(String(500), label="メッセージ", pii=True, kind="memo", default="")
    requested_date: Mapped[date] = column(Date, label="申請日付", section="受付の記録", auto="today")
    requested_time: Mapped[time] = column(Time, label="申請時間", auto="clock")
    channel: Mapped[Channel] = coded(Channel, label="経路", search=True, edit=False, default=Channel.WEB)
    intake: Mapped[Intake] = coded(Intake, label="受付方法", edit=False, default=Intake.WEB, server_default="web")
    intake_note: Mapped[str] = column(
        String(500), label="聞き取りの内容", pii=True, kind="memo", edit=False, default="", server_default=""
    )
    booked_by: Mapped[str] = column(String(64), label="代行した人", kind="code", edit=False, default="", server_default="")
    language: Mapped[Language] = coded(Language, label="言語", edit=False, default=Language.JA, server_default="ja")
    units: Mapped[int] = column(Integer, label="使用枠数", edit=False, default=1)
    slot: Mapped[Slot] = relation(label="予約枠", edit=False)
    form_token: Mapped[str | None] = mapped_column(String(43), unique=True)  # its digest: the token is a secret of the browser
    consent_version: Mapped[str] = column(String(20), label="同意した告知の版", kind="code", edit=False, default="")
    held_until: Mapped[datetime | None] = column(UtcDateTime, label="仮押えの期限", edit=False)
    is_extended: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")  # a hold is made longer once
    holder: Mapped[str | None] = mapped_column(String(64))  # the browser that holds, as a keyed digest
    queue_number: Mapped[int | None] = column(Integer, label="受付番号", edit=False)
    arrived_at: Mapped[datetime | None] = column(UtcDateTime, label="来庁日時", edit=False)
    state_at: Mapped[datetime | None] = column(UtcDateTime, label="状態が変わった日時", edit=False)
    state_reason: Mapped[str] = column(
        String(30), label="状態の理由", kind="code", codes="visit_reason", edit=False, default="", server_default=""
    )
    state_note: Mapped[str] = column(String(200), label="状態の理由の補足", pii=True, edit=False, default="", server_default="")
    pickup_ref: Mapped[str | None] = mapped_column(String(22))  # of the card to be fetched; only the staff side knows which
    notice_hash: Mapped[str | None] = column(
        String(64), label="交付通知書番号", search=True, kind="sealed", pattern="[0-9A-Z]{3}[0-9]{6}", edit=False
    )

    def __str__(self) -> str:
        return grouped_code(self.booking_code)
