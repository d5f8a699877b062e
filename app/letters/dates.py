"""Dates and times in the words of each language: the year as it is counted everywhere, with the Japanese era beside it."""

from __future__ import annotations

from datetime import date, time

from app import days
from models import Language

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = {
    Language.JA: ["月", "火", "水", "木", "金", "土", "日"],
    Language.EASY: ["月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日"],
    Language.EN: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    Language.ZH: ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"],
    Language.KO: ["월", "화", "수", "목", "금", "토", "일"],
    Language.VI: ["Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"],
}
_FORMS = {
    Language.JA: "{y}年（{era}）{m}月{d}日（{w}）",
    Language.EASY: "{y}年（{era}）{m}月{d}日 {w}",
    Language.EN: "{w}, {d} {month} {y} ({era})",
    Language.ZH: "{y}年（{era}）{m}月{d}日 {w}",
    Language.KO: "{y}년({era}) {m}월 {d}일({w})",
    Language.VI: "{w}, ngày {d} tháng {m} năm {y} ({era})",
}
_ERAS = {"令和": "Reiwa", "平成": "Heisei", "昭和": "Showa", "大正": "Taisho", "明治": "Meiji"}


def full(day: date, language: Language) -> str:
    """2026年（令和8年）12月2日（水）; Wednesday, 2 December 2026 (Reiwa 8)."""
    values = {"y": day.year, "m": day.month, "d": day.day, "month": _MONTHS[day.month - 1], "era": _era(day, language)}
    return _FORMS[language].format(w=weekday(day, language), **values)


def weekday(day: date, language: Language) -> str:
    return _WEEKDAYS[language][day.weekday()]


def clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"


def _era(day: date, language: Language) -> str:
    found = days.era_year(day)
    if language in (Language.JA, Language.EASY, Language.ZH):
        return found
    name, number = found[:2], found[2:].removesuffix("年")
    return f"{_ERAS[name]} {'1' if number == '元' else number}"
