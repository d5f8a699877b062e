"""マイナンバーカードデータ [諮問書 表(2)], its history (3) and its notes (4)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Index, Integer, String, text
from sqlalchemy.orm import Mapped

from models.base import CAPITALS, DIGITS, Base, BigId, Code, UtcDateTime, coded, column, index_of, only, relation, rule
from models.bookings import Sex
from models.masters import FEES, Counter


class CardState(Code):
    """Where a card is in its life; only transitions move it."""

    APPLIED = "applied", "申請受付", "10"
    ARRIVED = "arrived", "到着", "20"
    PRESET = "preset", "交付前設定済", "30"
    NOTIFIED = "notified", "通知済", "40"
    MAILED = "mailed", "郵送中", "45"
    RETURNED = "returned", "返戻", "50"
    REMINDED = "reminded", "督促済", "60"
    ISSUED = "issued", "交付済", "70"
    CANCELLED = "cancelled", "交付取りやめ", "80"
    REVOKED = "revoked", "失効", "85"
    COLLECTED = "collected", "回収済", "90"
    DISPOSED = "disposed", "廃棄済", "99"


class ApplicationChannel(Code):
    POST = "post", "郵送", "1"
    SMARTPHONE = "smartphone", "スマホ", "2"
    PC = "pc", "PC", "3"
    PHOTO_BOOTH = "photo_booth", "証明写真機", "4"
    COUNTER = "counter", "窓口", "5"
    PROXY_ONLINE = "proxy_online", "代理申請（オンライン）", "6"
    PROXY_POST = "proxy_post", "代理投函", "7"


class VisitType(Code):
    AT_ISSUE = "at_issue", "交付時来庁", "1"
    AT_APPLICATION = "at_application", "申請時来庁", "2"


class AgentIssue(Code):
    SELF = "self", "本人", "0"
    LEGAL = "legal", "法定代理人", "1"
    VOLUNTARY = "voluntary", "任意代理人", "2"


class DisposalReason(Code):
    UNCLAIMED = "unclaimed", "未受取", "1"
    CANCELLED = "cancelled", "取りやめ", "2"
    DEATH = "death", "死亡", "3"
    MOVED_OUT = "moved_out", "転出", "4"
    DEFECT = "defect", "券面誤り・不良", "5"
    SURRENDERED = "surrendered", "返納", "6"
    REVOKED = "revoked", "失効", "7"
    EXPIRED = "expired", "有効期限", "8"
    OTHER = "other", "その他", "9"


class FeeStatus(Code):
    EXEMPT = "exempt", "対象外", "0"
    DUE = "due", "未収", "1"
    COLLECTED = "collected", "徴収済", "2"
    WAIVED = "waived", "免除", "3"
    REFUNDED = "refunded", "還付", "4"


class FeeFlag(Code):
    FREE = "free", "無料", "0"
    PAID = "paid", "有料", "1"


HEX = f"{DIGITS}ABCDEF"
_OPEN = "NOT issue_done AND NOT issue_cancelled"


class Card(Base):
    """マイナンバーカードデータ [諮問書 表(2)]. Columns that a transition sets cannot be typed; names and addresses can."""

    __tablename__, __label__, __group__, __area__ = "card", "カード", "カード", "cards"
    __scope__ = ("issue_site", "storage_site", "transit_to")
    __history__, __deletable__ = "card_history", False
    # The last one holds the whole scope, so that counting what one may see reads the index alone.
    __indexed__ = (
        ("issue_site_id", "application_date", "id"),
        ("state", "application_date", "id"),
        ("issue_site_id", "storage_site_id", "transit_to_id", "id"),
    )
    __table_args__ = (
        rule("NOT (issue_done AND issue_cancelled)", "done_or_cancelled"),
        rule("preset_date IS NULL OR managed_from IS NULL OR preset_date >= managed_from", "preset_after_arrival"),
        rule("notice_sent_date IS NULL OR preset_date IS NULL OR notice_sent_date >= preset_date", "notice_after_preset"),
        rule("issued_date IS NULL OR preset_date IS NULL OR issued_date >= preset_date", "issue_after_preset"),
        rule("issued_date IS NULL OR card_expiry IS NULL OR issued_date <= card_expiry", "issue_before_expiry"),
        rule("disposed_date IS NULL OR collected_date IS NULL OR collected_date <= disposed_date", "collected_before_disposed"),
        rule(f"fee_amount IN {FEES}", "known_fee"),
        rule("fee_collected_date IS NULL OR fee_flag = 'paid'", "collected_only_if_paid"),
        rule(f"application_no IS NULL OR (length(application_no) = 23 AND {only('application_no', DIGITS)})", "application_no"),
        rule(
            f"manufacturing_no IS NULL OR (length(manufacturing_no) = 16 AND {only('manufacturing_no', DIGITS + CAPITALS)})",
            "manufacturing_no",
        ),
        rule(f"auth_cert_serial IS NULL OR (auth_cert_serial <> '' AND {only('auth_cert_serial', HEX)})", "auth_cert_serial"),
        rule(
            f"notice_no IS NULL OR (length(notice_no) = 9 AND {only('substr(notice_no, 1, 3)', DIGITS + CAPITALS)}"
            f" AND {only('substr(notice_no, 4)', DIGITS)})",
            "notice_no",
        ),
        rule("braille_cert_code IS NULL OR braille_cert_code BETWEEN 0 AND 7", "braille_cert_code"),
        rule(f"length(issuing_municipality) = 6 AND {only('issuing_municipality', DIGITS)}", "issuing_municipality"),
        # The number of a notice is free again once its card has been handed over or given up.
        Index(None, "notice_no", unique=True, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        # Those that may be ready to be fetched, however many cards there are.
        index_of("ix_card_notified", "id", where="state IN ('notified', 'reminded')"),
    )
    id: Mapped[int] = column(BigId, label="申請書ID（内部キー用）", edit=False, primary_key=True)
    application_no: Mapped[str | None] = column(
        String(23),
        label="申請書ID（見た目用）",
        hint="数字23桁。手書きの申請書で番号がないときは空欄",
        listed=True,
        search=True,
        kind="digits",
        pattern=r"\d{23}",
        unique=True,
        edit="add",
    )
    notice_no: Mapped[str | None] = column(String(9), label="交付通知書番号", search=True, pii=True, kind="alnum", edit=False)
    state: Mapped[CardState] = coded(CardState, label="状態", listed=True, search=True, edit=False, default=CardState.APPLIED)
    name: Mapped[str] = column(String(200), label="氏名", section="本人", listed=True, search=True, pii="name", kind="name")
    name_kana: Mapped[str] = column(String(200), label="氏名カナ", search=True, pii="name", kind="kana", default="")
    birth_date: Mapped[date | None] = column(Date, label="生年月日", pii=True, kind="birth", past=True)
    birth_date_text: Mapped[str] = column(String(40), label="生年月日（日付でない記載）", pii=True, default="")
    sex: Mapped[Sex | None] = coded(Sex, label="性別", pii=True)
    postal_code: Mapped[str] = column(String(7), label="郵便番号", pii=True, kind="postal", default="")
    address: Mapped[str] = column(String(300), label="住所", pii=True)
    application_date: Mapped[date] = column(
        Date, label="申請受付日", past=True, begins="today", section="申請", listed=True, search=True, sort=True, edit="add"
    )
    application_channel: Mapped[ApplicationChannel] = coded(
        ApplicationChannel, label="申請受付方式", edit="add", default=ApplicationChannel.COUNTER
    )
    visit_type: Mapped[VisitType] = coded(
        VisitType, label="来庁方式", listed=True, search=True, edit="add", default=VisitType.AT_ISSUE
    )
    issue_kind: Mapped[str] = column(String(30), label="交付種別", kind="code", codes="issue_kind", edit="add", default="new")
    registration_reason: Mapped[str] = column(
        String(30), label="登録事由", kind="code", codes="registration_reason", edit="add", default="first"
    )
    handwritten_check: Mapped[bool] = column(Boolean, label="手書きチェック", edit="add", default=False)
    reissue_requested: Mapped[bool] = column(Boolean, label="再発行依頼チェック", edit=False, default=False)
    proxy_posted_date: Mapped[date | None] = column(Date, label="代理投函日", past=True, edit="add")
    application_site: Mapped[Counter] = relation(label="申請場所", section="場所", edit="add")
    issue_site: Mapped[Counter] = relation(label="カード交付場所", listed=True, search=True, edit="add")
    storage_site: Mapped[Counter | None] = relation(label="カード保管場所", search=True, edit=False)
    shelf: Mapped[str] = column(String(30), label="棚・箱", listed=True, edit=False, default="")
    transit_to: Mapped[Counter | None] = relation(label="移送先", edit=False)
    issuing_municipality: Mapped[str] = column(
        String(6), label="交付市町村", section="カードと証明書", kind="digits", edit=False, default="281000"
    )
    manufacturing_no: Mapped[str | None] = column(String(16), label="製造管理番号", search=True, kind="alnum", edit=False)
    card_status: Mapped[str] = column(
        String(30), label="カードステータス", kind="code", codes="card_status", edit=False, default=""
    )
    braille_cert_code: Mapped[int | None] = column(Integer, label="点字有無兼証明書有無情報", pii=True, edit=False)
    card_expiry: Mapped[date | None] = column(Date, label="カード有効期限", edit=False)
    auth_cert_expiry: Mapped[date | None] = column(Date, label="利用者証明用電子証明書有効期限", edit=False)
    sign_cert_expiry: Mapped[date | None] = column(Date, label="署名用電子証明書有効期限", edit=False)
    auth_cert_serial: Mapped[str | None] = column(String(40), label="利用者証明用電子証明書シリアル", kind="alnum", edit=False)
    managed_from: Mapped[date | None] = column(
        Date, label="カード管理開始日", section="到着・交付前設定・通知", search=True, edit=False
    )
    preset_done: Mapped[bool] = column(Boolean, label="交付前設定済", edit=False, default=False)
    preset_date: Mapped[date | None] = column(Date, label="交付前設定処理完了日", edit=False)
    substitute_char_used: Mapped[bool] = column(Boolean, label="代替文字使用有無", edit=False, default=False)
    notice_sent_date: Mapped[date | None] = column(Date, label="交付通知書発送日", search=True, edit=False)
    reminder_sent_date: Mapped[date | None] = column(Date, label="督促状送付日", edit=False)
    issued_date: Mapped[date | None] = column(Date, label="カード交付日", section="交付", search=True, edit=False)
    issue_done: Mapped[bool] = column(Boolean, label="交付完了チェック", edit=False, default=False)
    agent_issue: Mapped[AgentIssue] = coded(AgentIssue, label="代理人交付", edit=False, default=AgentIssue.SELF)
    issue_cancelled: Mapped[bool] = column(
        Boolean, label="交付取りやめチェック", section="取りやめ・失効・廃棄", edit=False, default=False
    )
    revocation_done: Mapped[bool] = column(Boolean, label="失効処理チェック", edit=False, default=False)
    collected_date: Mapped[date | None] = column(Date, label="カード回収日", edit=False)
    disposed_date: Mapped[date | None] = column(Date, label="カード廃棄日", edit=False)
    disposal_reason: Mapped[DisposalReason | None] = coded(DisposalReason, label="カード廃棄事由", edit=False)
    disposal_note: Mapped[str] = column(
        String(200), label="カード廃棄事由（その他）", pii=True, kind="memo", edit=False, default=""
    )
    disposal_done: Mapped[bool] = column(Boolean, label="破棄処理チェック", edit=False, default=False)
    fee_flag: Mapped[FeeFlag] = coded(FeeFlag, label="有料・無料", section="手数料", edit="add", default=FeeFlag.FREE)
    fee_amount: Mapped[int] = column(Integer, label="交付手数料", edit=False, default=0)
    fee_status: Mapped[FeeStatus] = coded(FeeStatus, label="徴収区分", edit=False, default=FeeStatus.EXEMPT)
    fee_collected_date: Mapped[date | None] = column(Date, label="徴収日", edit=False)
    memo: Mapped[str] = column(String(1000), label="メモ", section="その他", pii=True, kind="memo", default="")

    @property
    def is_correctable(self) -> bool:  # type: ignore[override]  # of a class it is a plain no
        """Until the card arrives, what was registered may be put right; afterwards the law's guards stand on it."""
        return self.state is CardState.APPLIED

    def __str__(self) -> str:
        return self.application_no or f"内部 {self.id}"


class CardHistory(Base):
    """マイナンバーカード履歴 [諮問書 表(3)]: one row per change of a card, written below the screens."""

    __tablename__, __label__, __group__, __area__ = "card_history", "カード履歴", "カード", "cards"
    __scope__, __append_only__ = "card", True
    __writable__ = False
    id: Mapped[int] = column(BigId, label="レコード番号", edit=False, primary_key=True)
    card: Mapped[Card] = relation(label="申請書ID（内部キー用）", listed=True, search=True, edit=False)
    event: Mapped[dict[str, Any]] = column(JSON, label="履歴", listed=True, pii=True, edit=False)
    updated_at: Mapped[datetime] = column(UtcDateTime, label="更新日時", listed=True, search=True, auto="now")

    def __str__(self) -> str:
        return str(self.id)


class CardNote(Base):
    """マイナンバーカードデータ処理履歴 [諮問書 表(4)]: what a clerk writes about a card; never changed afterwards."""

    __tablename__, __label__, __group__, __area__ = "card_note", "処理履歴", "カード", "cards"
    __scope__, __append_only__ = "card", True
    id: Mapped[int] = column(BigId, label="レコード番号", edit=False, primary_key=True)
    card: Mapped[Card] = relation(label="申請書ID（内部キー用）", listed=True, search=True)
    comment: Mapped[str] = column(String(1000), label="コメント", listed=True, pii=True, kind="memo")
    updated_at: Mapped[datetime] = column(UtcDateTime, label="更新日時", listed=True, search=True, auto="now")

    def __str__(self) -> str:
        return str(self.id)
