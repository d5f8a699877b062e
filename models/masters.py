"""マスタ: counters and their hours, booking categories, code lists, fees, retention periods."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String, Table, Text, Time, UniqueConstraint
from sqlalchemy import Column as PlainColumn
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, relationship

from models.base import Base, Code, Field, coded, column, metadata, relation, rule

FEES = "(0, 200, 800, 1000, 1800, 2000)"
"""手数料 in yen that exist [番号法 手数料]: re-issue 800, express 1,800, certificates 200."""


class Weekday(Code):
    MON = "mon", "月曜日", "1"
    TUE = "tue", "火曜日", "2"
    WED = "wed", "水曜日", "3"
    THU = "thu", "木曜日", "4"
    FRI = "fri", "金曜日", "5"
    SAT = "sat", "土曜日", "6"
    SUN = "sun", "日曜日", "7"

    @classmethod
    def of(cls, day: date) -> Weekday:
        return list(cls)[day.weekday()]


class VisitPurpose(Code):
    """予約区分 [諮問書 機能構成]."""

    PICKUP = "pickup", "交付時来庁", "1"
    APPLY = "apply", "申請時来庁", "2"
    REISSUE = "reissue", "再発行", "3"
    CERTIFICATE = "certificate", "電子証明書更新", "4"


class RetentionBasis(Code):
    RECEIPT = "receipt", "受理日から", "1"
    FISCAL_YEAR = "fiscal_year", "翌年度の初日から", "2"


class Master(Base):
    """A table kept in the masters' room: small, without personal data and without row scope."""

    __abstract__ = True
    __master__, __area__, __group__, __files__ = True, "masters", "マスタ", False


class Counter(Master):
    """窓口: a satellite or ward counter where residents are served and cards are kept."""

    __tablename__, __label__, __order__ = "counter", "窓口", ("sort_order", "asc")
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = column(String(20), label="窓口コード", listed=True, kind="code", unique=True, edit="add")
    name: Mapped[str] = column(String(60), label="窓口名", listed=True, search=True)
    postal_code: Mapped[str] = column(String(7), label="郵便番号", kind="postal")
    address: Mapped[str] = column(String(200), label="所在地", listed=True)
    phone: Mapped[str] = column(String(11), label="電話番号", kind="phone", default="")
    is_open: Mapped[bool] = column(Boolean, label="受付中", listed=True, search=True, default=True)
    closed_on_holidays: Mapped[bool] = column(
        Boolean, label="祝日は休業", hint="国民の祝日・休日に予約枠を開きません", default=False, server_default="0"
    )
    closed_at_year_end: Mapped[bool] = column(
        Boolean, label="年末年始は休業", hint="12月29日から1月3日までに予約枠を開きません", default=False, server_default="0"
    )
    sort_order: Mapped[int] = column(Integer, label="並び順", listed=True, sort=True, default=0)
    note: Mapped[str] = column(String(500), label="備考", kind="memo", default="")
    hours: Mapped[list[CounterHours]] = relationship(
        back_populates="counter", cascade="all, delete-orphan", order_by="CounterHours.id"
    )

    def __str__(self) -> str:
        return self.name


class CounterHours(Master):
    """開設時間: when a counter is open on one weekday, with its lunch break."""

    __tablename__, __label__ = "counter_hours", "開設時間"
    __inline_of__ = "counter"
    __order__ = ("id", "asc")
    __table_args__ = (
        UniqueConstraint("counter_id", "weekday"),
        rule("opens < closes", "opens_before_closes", "「終了」は「開始」より後にしてください。"),
        rule(
            "(break_start IS NULL) = (break_end IS NULL)",
            "break_both_or_neither",
            "休憩は「休憩開始」と「休憩終了」の両方を入力するか、両方とも空にしてください。",
        ),
        rule(
            "break_start IS NULL OR (opens <= break_start AND break_start < break_end AND break_end <= closes)",
            "break_inside",
            "休憩は開設時間の中に、開始・終了の順で入力してください。",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    counter: Mapped[Counter] = relation(label="窓口", listed=True, search=True, back_populates="hours")
    weekday: Mapped[Weekday] = coded(Weekday, label="曜日", listed=True)
    opens: Mapped[time] = column(Time, label="開始", listed=True)
    closes: Mapped[time] = column(Time, label="終了", listed=True)
    break_start: Mapped[time | None] = column(Time, label="休憩開始", listed=True)
    break_end: Mapped[time | None] = column(Time, label="休憩終了", listed=True)

    def __str__(self) -> str:
        return f"{self.weekday.label} {self.opens:%H:%M}–{self.closes:%H:%M}"


class CounterClosure(Master):
    """休業日: days on which one counter, or every counter, receives nobody."""

    __tablename__, __label__, __order__ = "counter_closure", "休業日", ("starts_on", "asc")
    __ahead__, __periods__ = True, ("starts_on", "ends_on", "counter_id")
    __table_args__ = (rule("starts_on <= ends_on", "starts_before_ends", "「終了日」は「開始日」以後にしてください。"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    counter: Mapped[Counter | None] = relation(label="窓口", absent="すべての窓口", listed=True, search=True)
    starts_on: Mapped[date] = column(Date, label="開始日", listed=True, search=True, sort=True)
    ends_on: Mapped[date] = column(Date, label="終了日", listed=True)
    reason: Mapped[str] = column(String(100), label="理由", listed=True)

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m-%d}–{self.ends_on:%Y-%m-%d} {self.reason}"


class BookingCategory(Master):
    """予約区分: a procedure that can be booked; decides length, window, party size and what to bring."""

    __tablename__, __label__, __order__ = "booking_category", "予約区分", ("sort_order", "asc")
    __table_args__ = (
        rule("minutes BETWEEN 5 AND 240", "minutes", "「所要時間（分）」は5から240までにしてください。"),
        rule(
            "self_until_days BETWEEN 0 AND 30",
            "self_until",
            "「本人による変更・キャンセルの期限（日前）」は0から30までにしてください。",
        ),
        rule("max_party BETWEEN 1 AND 10", "party_limit", "「一度に予約できる人数」は1から10までにしてください。"),
        rule(
            "earliest_days >= latest_days AND latest_days >= 0",
            "window",
            "「受付開始（日前）」は「受付締切（日前）」以上、どちらも0以上にしてください。",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = column(String(30), label="手続きID", listed=True, kind="code", unique=True, edit="add")
    name: Mapped[str] = column(String(60), label="手続きの種類", listed=True, search=True)
    purpose: Mapped[VisitPurpose] = coded(VisitPurpose, label="区分", listed=True, search=True, edit="add")
    summary: Mapped[str] = column(String(200), label="説明", hint="住民の画面に一行で出ます", default="")
    minutes: Mapped[int] = column(Integer, label="所要時間（分）", listed=True, default=20)
    max_party: Mapped[int] = column(Integer, label="一度に予約できる人数", listed=True, default=1)
    earliest_days: Mapped[int] = column(Integer, label="受付開始（日前）", listed=True, default=45)
    latest_days: Mapped[int] = column(Integer, label="受付締切（日前）", listed=True, default=3)
    latest_end: Mapped[time | None] = column(
        Time,
        label="終了時刻の上限",
        hint="統合端末の停止時刻など。これより遅く終わる時間には予約を受け付けません",
        absent="なし",
    )
    required_items: Mapped[str] = column(Text, label="持ち物", kind="memo", hint="1行に1つ", default="")
    notes: Mapped[str] = column(Text, label="注意事項", kind="memo", default="")
    asks_notice: Mapped[bool] = column(
        Boolean,
        label="交付通知書番号で確認する",
        hint="住民の予約は、交付通知書の番号と生年月日が合う、受け取りの準備ができたカードに限ります",
        default=False,
        server_default="0",
    )
    self_cancel: Mapped[bool] = column(
        Boolean, label="本人によるキャンセル", hint="予約の確認の画面から", default=False, server_default="0"
    )
    self_change: Mapped[bool] = column(
        Boolean, label="本人による変更", hint="日時・人数を、予約の確認の画面から", default=False, server_default="0"
    )
    self_until_days: Mapped[int] = column(
        Integer, label="本人による変更・キャンセルの期限（日前）", default=1, server_default="1"
    )
    takes_waiting: Mapped[bool] = column(
        Boolean, label="空き待ち", hint="満席の日に、空きを待つ人を受け付けます", default=False, server_default="0"
    )
    asks_work: Mapped[bool] = column(
        Boolean, label="自動の申込みへの備え", hint="計算の課題（ALTCHA）をいつも出します", default=False, server_default="0"
    )
    is_open: Mapped[bool] = column(Boolean, label="受付中", listed=True, search=True, default=True)
    valid_from: Mapped[date | None] = column(Date, label="有効開始日")
    valid_until: Mapped[date | None] = column(Date, label="有効終了日")
    sort_order: Mapped[int] = column(Integer, label="並び順", listed=True, sort=True, default=0)

    def is_bookable(self, today: date) -> bool:
        return bool(
            self.is_open
            and (self.valid_from is None or self.valid_from <= today)
            and (self.valid_until is None or today <= self.valid_until)
        )

    def __str__(self) -> str:
        return self.name


desk_pool_category = Table(
    "desk_pool_category",
    metadata,
    PlainColumn("desk_pool_id", ForeignKey("desk_pool.id", ondelete="CASCADE"), primary_key=True),
    PlainColumn("booking_category_id", ForeignKey("booking_category.id"), primary_key=True, index=True),
)


def _release(channel: str) -> MappedColumn[int | None]:
    """When what is left of a channel goes to 公開."""
    return column(
        Integer,
        label=f"{channel}を公開へ（時間前）",
        hint="この時間を切ると、空いている枠が公開へ移ります。空なら移りません",
        absent="移さない",
        nullable=True,
    )


class DeskPool(Master):
    """窓口枠: desks of a counter that serve the same procedures; its places per slot and channel."""

    __tablename__, __label__ = "desk_pool", "窓口枠"
    __order__ = ("id", "asc")
    __table_args__ = (
        UniqueConstraint("counter_id", "name"),
        rule("interval_minutes BETWEEN 5 AND 240", "interval", "「間隔（分）」は5から240までにしてください。"),
        rule(
            "web_places >= 0 AND callcenter_places >= 0 AND counter_places >= 0 AND reserve_places >= 0",
            "places_not_negative",
            "枠の数は0以上にしてください。",
        ),
        rule(
            "callcenter_release_hours BETWEEN 0 AND 1000 AND counter_release_hours BETWEEN 0 AND 1000"
            " AND reserve_release_hours BETWEEN 0 AND 1000",
            "release_hours",
            "「公開へ（時間前）」は、空にするか、0から1000までにしてください。",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    counter: Mapped[Counter] = relation(label="窓口", listed=True, search=True, edit="add")
    name: Mapped[str] = column(String(60), label="枠名", listed=True, search=True)
    interval_minutes: Mapped[int] = column(Integer, label="間隔（分）", listed=True, default=30)
    web_places: Mapped[int] = column(Integer, label="公開", listed=True, default=0)
    callcenter_places: Mapped[int] = column(Integer, label="コールセンター", listed=True, default=0)
    counter_places: Mapped[int] = column(Integer, label="窓口分", listed=True, default=0)
    reserve_places: Mapped[int] = column(Integer, label="予備", listed=True, default=0)
    callcenter_release_hours: Mapped[int | None] = _release("コールセンター")
    counter_release_hours: Mapped[int | None] = _release("窓口分")
    reserve_release_hours: Mapped[int | None] = _release("予備")
    categories: Mapped[list[BookingCategory]] = relationship(
        secondary=desk_pool_category, info={"field": Field(label="予約区分", listed=True)}
    )

    def __str__(self) -> str:
        return f"{self.counter.name} {self.name}"


class CodeItem(Master):
    """区分コード: a value of a code list that the office maintains itself (states of the J-LIS card system, 業務区分 …)."""

    __tablename__, __label__, __order__ = "code_item", "区分コード", ("list_name", "asc")
    __table_args__ = (UniqueConstraint("list_name", "value"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    list_name: Mapped[str] = column(
        String(30), label="コード種別", listed=True, search=True, sort=True, then=("sort_order",), codes="code_list", edit="add"
    )
    value: Mapped[str] = column(String(30), label="値", listed=True, kind="code", edit="add")
    name: Mapped[str] = column(String(60), label="名称", listed=True, search=True)
    number: Mapped[str] = column(String(10), label="出力コード", listed=True, kind="alnum", default="")
    is_active: Mapped[bool] = column(Boolean, label="使用中", listed=True, search=True, default=True)
    sort_order: Mapped[int] = column(Integer, label="並び順", listed=True, sort=True, default=0)

    def __str__(self) -> str:
        return self.name


class FeeRule(Master):
    """手数料: what an issue costs from one day to another."""

    __tablename__, __label__, __order__ = "fee_rule", "手数料", ("valid_from", "desc")
    __periods__ = ("valid_from", "valid_until", "issue_kind", "registration_reason")
    __table_args__ = (
        UniqueConstraint("valid_from", "issue_kind", "registration_reason"),
        rule(
            f"amount IN {FEES}",
            "known_amount",
            "「金額（円）」は 0、200、800、1000、1800、2000 のいずれかにしてください。",
        ),
        rule(
            "valid_until IS NULL OR valid_from <= valid_until",
            "from_before_until",
            "「適用終了日」は「適用開始日」以後にしてください。",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = column(Date, label="適用開始日", listed=True, search=True, sort=True)
    valid_until: Mapped[date | None] = column(Date, label="適用終了日", listed=True)
    issue_kind: Mapped[str] = column(String(30), label="交付種別", listed=True, kind="code", codes="issue_kind")
    registration_reason: Mapped[str] = column(
        String(30), label="登録事由", listed=True, kind="code", codes="registration_reason", default=""
    )
    amount: Mapped[int] = column(Integer, label="金額（円）", listed=True, hint="0、200、800、1000、1800、2000のいずれか")
    note: Mapped[str] = column(String(200), label="備考", default="")

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}からの{self.amount}円"


class RetentionRule(Master):
    """保存年限: how long documents of a class are kept, and from when the years count."""

    __tablename__, __label__ = "retention_rule", "保存年限"
    __order__ = ("id", "asc")
    __table_args__ = (
        UniqueConstraint("document_class", "valid_from"),
        rule("years BETWEEN 1 AND 99", "years", "「年数」は1から99までにしてください。"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    document_class: Mapped[str] = column(String(30), label="資料区分", listed=True, kind="code", codes="document_class")
    basis: Mapped[RetentionBasis] = coded(RetentionBasis, label="起算", listed=True)
    years: Mapped[int] = column(Integer, label="年数", listed=True)
    valid_from: Mapped[date] = column(Date, label="適用開始日", listed=True, search=True, sort=True)
    note: Mapped[str] = column(String(200), label="根拠・備考", default="")

    def __str__(self) -> str:
        return f"{self.document_class} {self.years}年"
