"""Dates and times in the words of each language: the year as it is counted everywhere, with the Japanese era beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from app import days
from models import Language

_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_LATIN_ERAS = {"令和": "Reiwa", "平成": "Heisei", "昭和": "Showa", "大正": "Taisho", "明治": "Meiji"}
_KOREAN_ERAS = {"令和": "레이와", "平成": "헤이세이", "昭和": "쇼와", "大正": "다이쇼", "明治": "메이지"}


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one language writes days. `letters`: the weekdays from Monday on, as they head a calendar; `brief` as they stand beside a
    day; `weekdays` in full. In the forms {w} is the weekday in full, {b} the brief one, {month} its English name, {mon} that cut short."""

    letters: tuple[str, ...]
    brief: tuple[str, ...]
    weekdays: tuple[str, ...]
    full: str
    named: str
    short: str
    born: str
    month: str
    month_name: str
    era: str = "{name}{number}年"
    eras: dict[str, str] | None = None
    first: str = "元"
    """What the first year of an era is called."""


_JAPANESE = ("月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日")
STYLES = {
    Language.JA: Style(
        letters=tuple("月火水木金土日"),
        brief=tuple("月火水木金土日"),
        weekdays=_JAPANESE,
        full="{y}年（{era}）{m}月{d}日（{b}）",
        named="{m}月{d}日 {w}",
        short="{m}月{d}日（{b}）",
        born="{y}年（{era}）{m}月{d}日",
        month="{y}年（{era}）{m}月",
        month_name="{m}月",
    ),
    Language.EASY: Style(
        letters=tuple("月火水木金土日"),
        brief=tuple("月火水木金土日"),
        weekdays=_JAPANESE,
        full="{y}年（{era}）{m}月{d}日 {w}",
        named="{m}月{d}日 {w}",
        short="{m}月{d}日（{b}）",
        born="{y}年（{era}）{m}月{d}日",
        month="{y}年（{era}）{m}月",
        month_name="{m}月",
    ),
    Language.EN: Style(
        letters=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        brief=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        full="{w}, {d} {month} {y} ({era})",
        named="{w}, {d} {month}",
        short="{b}, {d} {mon}",
        born="{d} {month} {y} ({era})",
        month="{month} {y} ({era})",
        month_name="{month}",
        era="{name} {number}",
        eras=_LATIN_ERAS,
        first="1",
    ),
    Language.ZH: Style(
        letters=tuple("一二三四五六日"),
        brief=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        weekdays=("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
        full="{y}年（{era}）{m}月{d}日 {w}",
        named="{m}月{d}日 {w}",
        short="{m}月{d}日（{b}）",
        born="{y}年（{era}）{m}月{d}日",
        month="{y}年（{era}）{m}月",
        month_name="{m}月",
    ),
    Language.KO: Style(
        letters=tuple("월화수목금토일"),
        brief=tuple("월화수목금토일"),
        weekdays=("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"),
        full="{y}년({era}) {m}월 {d}일({b})",
        named="{m}월 {d}일 {w}",
        short="{m}월 {d}일({b})",
        born="{y}년({era}) {m}월 {d}일",
        month="{y}년({era}) {m}월",
        month_name="{m}월",
        era="{name} {number}년",
        eras=_KOREAN_ERAS,
        first="1",
    ),
    Language.VI: Style(
        letters=("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
        brief=("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
        weekdays=("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
        full="{w}, ngày {d} tháng {m} năm {y} ({era})",
        named="{w}, ngày {d} tháng {m}",
        short="{b}, {d}/{m}",
        born="ngày {d} tháng {m} năm {y} ({era})",
        month="tháng {m} năm {y} ({era})",
        month_name="tháng {m}",
        era="{name} {number}",
        eras=_LATIN_ERAS,
        first="1",
    ),
}


def full(day: date, language: Language) -> str:
    """2026年（令和8年）12月2日（水）; Wednesday, 2 December 2026 (Reiwa 8)."""
    return _written(STYLES[language].full, day, language)


def named(day: date, language: Language) -> str:
    """12月2日 水曜日; Wednesday, 2 December. For a year that is clear."""
    return _written(STYLES[language].named, day, language)


def short(day: date, language: Language) -> str:
    """12月2日（水）; Wed, 2 Dec."""
    return _written(STYLES[language].short, day, language)


def born(day: date, language: Language) -> str:
    """1985年（昭和60年）4月1日; 1 April 1985 (Showa 60)."""
    return _written(STYLES[language].born, day, language)


def month(day: date, language: Language) -> str:
    """2026年（令和8年）12月; December 2026 (Reiwa 8)."""
    return _written(STYLES[language].month, day, language)


def month_name(day: date, language: Language) -> str:
    return _written(STYLES[language].month_name, day, language)


def clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02}"


def _written(form: str, day: date, language: Language) -> str:
    style, english = STYLES[language], _ENGLISH_MONTHS[day.month - 1]
    return form.format(
        y=day.year,
        m=day.month,
        d=day.day,
        w=style.weekdays[day.weekday()],
        b=style.brief[day.weekday()],
        month=english,
        mon=english[:3],
        era=_era(day, style),
    )


def _era(day: date, style: Style) -> str:
    """Every day that anybody is asked for lies in an era: the first one began in 1868."""
    found = days.era_year(day)
    name, number = found[:2], found[2:].removesuffix("年")
    return style.era.format(name=(style.eras or {}).get(name, name), number=style.first if number == "元" else number)
