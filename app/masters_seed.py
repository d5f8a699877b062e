"""What every installation starts with: code lists, fees, retention periods, and what procedures are called in other languages.

Afterwards they are the office's own.

仮 marks what was not found in public material and has to be confirmed with the city.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from app import translations_seed
from models import Base, CodeItem, FeeRule, RetentionRule
from models.masters import RetentionBasis

# list → (value, name, number in files), in the order of screens
CODE_LISTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "issue_kind": (
        ("new", "新規", "1"),
        ("renewal", "更新", "2"),
        ("reissue", "再交付", "3"),
        ("remarks_full", "追記欄満欄", "4"),
        ("overseas", "国外転出者", "5"),
        ("express", "特急", "6"),
    ),
    "registration_reason": (
        ("first", "初回", "1"),
        ("lost", "紛失", "2"),
        ("burnt", "焼失", "3"),
        ("damaged", "損傷", "4"),
        ("defective", "機能不良", "5"),
        ("expiry", "期限", "6"),
        ("remarks", "追記欄", "7"),
        ("number_change", "番号変更", "8"),
        ("other", "その他", "9"),
    ),
    # 仮: J-LIS の正式な一覧は未入手
    "card_status": (
        ("issued_stock", "交付前（仮）", "1"),
        ("active", "運用中（仮）", "2"),
        ("suspended", "一時停止（仮）", "3"),
        ("revoked", "失効（仮）", "4"),
    ),
    "business_class": (("issue", "交付", "1"), ("reissue", "再交付", "2"), ("certificate", "電子証明書", "3")),
    "visit_reason": (
        ("own", "本人の都合", "1"),
        ("illness", "体調不良", "2"),
        ("double", "重複した予約", "3"),
        ("closure", "窓口の休業", "4"),
        ("mistake", "登録の誤り", "5"),
        ("other", "その他", "9"),
    ),
    "document_class": (
        ("application", "申請書", "1"),
        ("identity", "本人確認書類", "2"),
        ("answer", "回答書", "3"),
        ("agency", "代理権証明", "4"),
        ("other", "その他", "9"),
    ),
}

START = date(2016, 1, 1)  # the first cards
EXPRESS_START = date(2024, 12, 2)
ALL_REASONS = ""
_OWN_FAULT = "再交付800円＋電子証明書200円"
_FREE_REISSUE = "本人の責によらない再交付"
# from, issue kind, reason, yen, note
FEES: tuple[tuple[date, str, str, int, str], ...] = (
    (START, "new", ALL_REASONS, 0, "初回は無料"),
    (START, "renewal", ALL_REASONS, 0, "有効期限まで3か月未満、または期限切れ"),
    (START, "remarks_full", ALL_REASONS, 0, "追記欄の余白がなくなったとき"),
    (START, "overseas", ALL_REASONS, 0, "仮：国外転出者の取扱いは要確認"),
    (START, "reissue", "lost", 1000, _OWN_FAULT),
    (START, "reissue", "damaged", 1000, _OWN_FAULT),
    (START, "reissue", "other", 1000, f"仮：{_OWN_FAULT}"),
    (START, "reissue", "burnt", 0, "災害によるもの。本人の責によるときは窓口で1,000円"),
    (START, "reissue", "defective", 0, _FREE_REISSUE),
    (START, "reissue", "expiry", 0, "有効期限まで3か月未満、または期限切れ"),
    (START, "reissue", "remarks", 0, "追記欄の余白がなくなったとき"),
    (START, "reissue", "number_change", 0, _FREE_REISSUE),
    (EXPRESS_START, "express", ALL_REASONS, 2000, "特急発行1,800円＋電子証明書200円"),
)

_SCHEDULE = "仮：神戸市の文書保存年限は未入手。翌年度の初日から1年"
# document class, counted from, years, note
RETENTION: tuple[tuple[str, RetentionBasis, int, str], ...] = (
    ("application", RetentionBasis.RECEIPT, 15, "交付申請書は受理の日から15年（番号法に基づく命令23条）"),
    ("identity", RetentionBasis.FISCAL_YEAR, 1, _SCHEDULE),
    ("answer", RetentionBasis.FISCAL_YEAR, 1, _SCHEDULE),
    ("agency", RetentionBasis.FISCAL_YEAR, 1, _SCHEDULE),
    ("other", RetentionBasis.FISCAL_YEAR, 1, _SCHEDULE),
)


def rows() -> Iterator[tuple[str, Base]]:
    """(name under which it is installed, row) of everything above."""
    for list_name, items in CODE_LISTS.items():
        for order, (value, name, number) in enumerate(items, 1):
            yield (
                f"code:{list_name}.{value}",
                CodeItem(list_name=list_name, value=value, name=name, number=number, sort_order=order),
            )
    for start, kind, reason, amount, note in FEES:
        yield (
            f"fee:{start}.{kind}.{reason}",
            FeeRule(valid_from=start, issue_kind=kind, registration_reason=reason, amount=amount, note=note),
        )
    for document_class, basis, years, note in RETENTION:
        yield (
            f"retention:{document_class}",
            RetentionRule(document_class=document_class, basis=basis, years=years, valid_from=START, note=note),
        )
    yield from translations_seed.rows()
