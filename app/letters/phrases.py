"""The small words of mails and calendar files in each language: who writes, why something was cancelled, what a line is called."""

from __future__ import annotations

from models import Language

SENDERS = {
    Language.JA: "神戸市マイナンバーカード予約",
    Language.EASY: "神戸市 マイナンバーカードの 予約",
    Language.EN: "Kobe City My Number Card Reservation",
    Language.ZH: "神户市个人编号卡预约",
    Language.KO: "고베시 마이넘버 카드 예약",
    Language.VI: "TP. Kobe – Đặt lịch thẻ My Number",
}
_FULL_WIDTH = (Language.JA, Language.EASY, Language.ZH)


def beside(words: str, more: str, language: Language) -> str:
    """Words with more about them in brackets, of the width that the language has."""
    return f"{words}（{more}）" if language in _FULL_WIDTH else f"{words} ({more})"


def item(words: str, language: Language) -> str:
    """A line of a list."""
    return f"・{words}" if language in (Language.JA, Language.EASY) else f"- {words}"


NUMBER = {
    Language.JA: "予約番号",
    Language.EASY: "予約番号（よやくばんごう）",
    Language.EN: "Reservation number",
    Language.ZH: "预约号码",
    Language.KO: "예약 번호",
    Language.VI: "Mã đặt lịch",
}
PEOPLE = {
    Language.JA: "{}人",
    Language.EASY: "{}人",
    Language.EN: "(people: {})",
    Language.ZH: "{}人",
    Language.KO: "{}명",
    Language.VI: "({} người)",
}
BRING = {
    Language.JA: "持ち物",
    Language.EASY: "持（も）ってくる もの",
    Language.EN: "What to bring",
    Language.ZH: "携带物品",
    Language.KO: "준비물",
    Language.VI: "Những thứ cần mang theo",
}
REASONS = {
    "own": {
        Language.EASY: "自分（じぶん）の つごう",
        Language.EN: "At your request",
        Language.ZH: "本人原因",
        Language.KO: "본인 사정",
        Language.VI: "Theo yêu cầu của quý vị",
    },
    "illness": {
        Language.EASY: "体（からだ）の 具合（ぐあい）が 悪（わる）い",
        Language.EN: "Illness",
        Language.ZH: "身体不适",
        Language.KO: "건강상의 이유",
        Language.VI: "Lý do sức khỏe",
    },
    "double": {
        Language.EASY: "同（おな）じ 予約（よやく）が 2つ あった",
        Language.EN: "Double reservation",
        Language.ZH: "重复预约",
        Language.KO: "중복 예약",
        Language.VI: "Đặt lịch trùng",
    },
    "closure": {
        Language.EASY: "窓口（まどぐち）が 休（やす）み",
        Language.EN: "Counter closed",
        Language.ZH: "窗口停业",
        Language.KO: "창구 휴무",
        Language.VI: "Quầy đóng cửa",
    },
    "mistake": {
        Language.EASY: "登録（とうろく）の まちがい",
        Language.EN: "Registration error",
        Language.ZH: "登记错误",
        Language.KO: "등록 오류",
        Language.VI: "Lỗi đăng ký",
    },
    "other": {
        Language.EASY: "ほかの 理由（りゆう）",
        Language.EN: "Other",
        Language.ZH: "其他",
        Language.KO: "기타",
        Language.VI: "Lý do khác",
    },
}
"""Reasons of the code list visit_reason that every installation has; others are told as the office named them."""
