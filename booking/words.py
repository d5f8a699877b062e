"""Dates, times and choices in the words a resident reads."""

from __future__ import annotations

from datetime import date, time

from app.rules.slots import DayState
from app.text import WEEKDAYS, lines
from models import BookingCategory, ReservationState, VisitPurpose

ERAS = (
    ("令和", "R", date(2019, 5, 1)),
    ("平成", "H", date(1989, 1, 8)),
    ("昭和", "S", date(1926, 12, 25)),
    ("大正", "T", date(1912, 7, 30)),
    ("明治", "M", date(1868, 1, 25)),
)
SIGNS = {DayState.FREE: "○", DayState.FEW: "△", DayState.FULL: "×", DayState.NONE: "–"}
STATES = {DayState.FREE: "空きあり", DayState.FEW: "残りわずか", DayState.FULL: "満席", DayState.NONE: "受付なし"}
STATES_OF_VISIT = {
    ReservationState.HELD: "まだ予約は終わっていません",
    ReservationState.BOOKED: "予約を受け付けています",
    ReservationState.ARRIVED: "ご来庁いただきました",
    ReservationState.CANCELLED: "キャンセルされています",
    ReservationState.NO_SHOW: "予約の日時を過ぎています",
    ReservationState.EXPIRED: "期限が切れています",
}
_PLAIN = {
    VisitPurpose.PICKUP: "カードを受け取る",
    VisitPurpose.APPLY: "カードを申し込む",
    VisitPurpose.REISSUE: "カードをもう一度つくる",
    VisitPurpose.CERTIFICATE: "電子証明書を更新する",
}


def title(category: BookingCategory) -> str:
    """The procedure in everyday words; a category that the office named itself keeps its name."""
    return _PLAIN[category.purpose] if category.name == category.purpose.label else category.name


def weekday(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]}曜日"


def short_day(day: date) -> str:
    return f"{day.month}月{day.day}日（{WEEKDAYS[day.weekday()]}）"


def full_day(day: date) -> str:
    """2026年（令和8年）11月26日 木曜日"""
    return f"{day.year}年（{era_year(day)}）{day.month}月{day.day}日 {weekday(day)}"


def era_year(day: date) -> str:
    name, _, began = next(era for era in ERAS if era[2] <= day)
    number = day.year - began.year + 1
    return f"{name}{'元' if number == 1 else number}年"


def birth_day(day: date) -> str:
    return f"{day.year}年（{era_year(day)}）{day.month}月{day.day}日"


def hour(at: time) -> str:
    """9:30, as it stands on a clock."""
    return f"{at.hour}:{at.minute:02}"


def phone(number: str) -> str:
    """Grouped for reading, by the commonest layouts."""
    if len(number) == 11:
        return f"{number[:3]}-{number[3:7]}-{number[7:]}"
    if number.startswith(("03", "06")):
        return f"{number[:2]}-{number[2:6]}-{number[6:]}"
    return f"{number[:3]}-{number[3:6]}-{number[6:]}"


def postal(number: str) -> str:
    return f"〒{number[:3]}-{number[3:]}" if len(number) == 7 else ""


__all__ = [
    "ERAS",
    "SIGNS",
    "STATES",
    "STATES_OF_VISIT",
    "WEEKDAYS",
    "birth_day",
    "era_year",
    "full_day",
    "hour",
    "lines",
    "phone",
    "postal",
    "short_day",
    "title",
    "weekday",
]
