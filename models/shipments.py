"""発送管理 [諮問書 表(6)]: what was posted to whom, and what came back."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, Integer, String
from sqlalchemy.orm import Mapped

from models.base import DIGITS, Base, BigId, Code, coded, column, only, relation, rule
from models.cards import Card


class ItemKind(Code):
    NOTICE = "notice", "交付通知書", "1"
    CARD_HONNIN = "card_honnin", "カード本人限定", "2"
    CARD_KANI = "card_kani", "カード簡易書留", "3"
    REMINDER = "reminder", "督促", "4"
    OTHER = "other", "その他", "5"


class ReturnReason(Code):
    UNKNOWN_ADDRESS = "unknown_address", "あて所に尋ねあたりません", "1"
    KEPT_TOO_LONG = "kept_too_long", "保管期間経過", "2"
    MOVED = "moved", "転居先不明・転送不要", "3"
    REFUSED = "refused", "受取拒絶", "4"
    INCOMPLETE = "incomplete", "宛名不完全", "5"
    DEATH = "death", "死亡", "6"
    OTHER = "other", "その他", "9"


class Shipment(Base):
    """発送管理: one posting; name and address are as they stood on the envelope."""

    __tablename__, __label__, __group__, __area__ = "shipment", "発送管理", "発送・返戻", "shipments"
    __scope__ = "card"
    __table_args__ = (
        rule(
            f"length(postal_code) = 7 AND {only('postal_code', DIGITS)}",
            "postal_code",
            "「郵便番号」は数字7桁で入力してください。",
        ),
        rule(
            f"tracking_no IS NULL OR (length(tracking_no) IN (11, 12) AND {only('tracking_no', DIGITS)})",
            "tracking_no",
            "「追跡番号」は数字11桁か12桁で入力してください。",
        ),
        rule("attempt_no >= 1", "attempt_positive", "「発送回数」は1以上にしてください。"),
        rule(
            "(returned_date IS NULL) = (return_reason IS NULL)",
            "return_both_or_neither",
            "「返戻日」と「返戻事由」は両方を入力するか、両方とも空にしてください。",
        ),
        rule(
            "returned_date IS NULL OR returned_date >= sent_date",
            "returned_after_sent",
            "「返戻日」は「発送日」以後にしてください。",
        ),
    )
    id: Mapped[int] = column(BigId, label="送付ID", listed=True, edit=False, primary_key=True)
    card: Mapped[Card] = relation(label="申請書ID", listed=True, search=True, edit="add")
    item_kind: Mapped[ItemKind] = coded(ItemKind, label="発送物の種類", listed=True, search=True)
    sent_date: Mapped[date] = column(Date, label="発送日", begins="today", listed=True, search=True, sort=True)
    postal_code: Mapped[str] = column(
        String(7), label="郵便番号", section="あて先", begins="card.postal_code", pii=True, kind="postal"
    )
    name: Mapped[str] = column(String(200), label="氏名", begins="card.name", listed=True, search=True, pii="name", kind="name")
    address: Mapped[str] = column(String(300), label="住所", begins="card.address", pii=True)
    tracking_no: Mapped[str | None] = column(
        String(12), label="追跡番号", section="発送と返戻", listed=True, search=True, kind="tracking"
    )
    attempt_no: Mapped[int] = column(Integer, label="発送回数", listed=True, default=1)
    returned_date: Mapped[date | None] = column(Date, label="返戻日", edit=False, past=True, listed=True, search=True)
    return_reason: Mapped[ReturnReason | None] = coded(ReturnReason, label="返戻事由", edit=False, listed=True, search=True)
    gaiji_flag: Mapped[bool] = column(Boolean, label="外字有無", default=False)
    memo: Mapped[str] = column(String(1000), label="メモ", pii=True, kind="memo", default="")

    def __str__(self) -> str:
        return f"{self.item_kind.label} {self.sent_date:%Y-%m-%d}"
