"""訳語 that every installation starts with: what the four procedures of the requirements are called. Afterwards they are the office's own."""

from __future__ import annotations

from collections.abc import Iterator

from models import Language, Translation, VisitPurpose

ORDER = (Language.EASY, Language.EN, Language.ZH, Language.KO, Language.VI)
"""The languages of the columns below, and of every other table of 訳語 in the code."""

PROCEDURES = {
    VisitPurpose.PICKUP: (
        "カードを 受（う）け取（と）る とき",
        "Card pick-up visit",
        "领卡时前来",
        "교부 시 방문",
        "Đến nhận thẻ",
    ),
    VisitPurpose.APPLY: (
        "カードを 申（もう）し込（こ）む とき",
        "Application visit",
        "申请时前来",
        "신청 시 방문",
        "Đến đăng ký làm thẻ",
    ),
    VisitPurpose.REISSUE: ("カードを もう一度（いちど） つくる とき", "Reissue", "补发", "재발급", "Cấp lại thẻ"),
    VisitPurpose.CERTIFICATE: (
        "電子証明書（でんししょうめいしょ）を 新（あたら）しく する とき",
        "Electronic certificate renewal",
        "电子证书更新",
        "전자증명서 갱신",
        "Gia hạn chứng nhận điện tử",
    ),
}


def rows() -> Iterator[tuple[str, Translation]]:
    """(name under which it is installed, row)."""
    for purpose, all_words in PROCEDURES.items():
        for language, words in zip(ORDER, all_words, strict=True):
            row = Translation(source=purpose.label, language=language, words=words)
            yield f"translation:{purpose.value}.{language.value}", row
