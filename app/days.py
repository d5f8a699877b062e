"""Days in the words of Japanese papers: both calendars, and how old somebody is."""

from __future__ import annotations

from datetime import date

from app.text import WEEKDAYS

ERAS = (
    ("令和", "R", date(2019, 5, 1)),
    ("平成", "H", date(1989, 1, 8)),
    ("昭和", "S", date(1926, 12, 25)),
    ("大正", "T", date(1912, 7, 30)),
    ("明治", "M", date(1868, 1, 25)),
)


def weekday(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]}曜日"


def era_year(day: date) -> str:
    """令和元年, 昭和60年; nothing for days before the eras that papers know."""
    for name, _, began in ERAS:
        if began <= day:
            number = day.year - began.year + 1
            return f"{name}{'元' if number == 1 else number}年"
    return ""


def birth_day(day: date) -> str:
    """1985年（昭和60年）4月1日"""
    era = era_year(day)
    return f"{day.year}年{f'（{era}）' if era else ''}{day.month}月{day.day}日"


def full_day(day: date) -> str:
    """2026年（令和8年）11月26日 木曜日"""
    return f"{birth_day(day)} {weekday(day)}"


def age(born: date, today: date) -> int:
    """Full years; who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
