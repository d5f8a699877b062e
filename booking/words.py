"""Dates, times and choices in the words a resident reads."""

from __future__ import annotations

from datetime import date, time

from app.days import birth_day, era_year, full_day, weekday
from app.rules.slots import DayState
from app.text import WEEKDAYS, lines, phone
from app.text import postal as grouped_postal
from models import BookingCategory, ReservationState, VisitPurpose

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


def short_day(day: date) -> str:
    return f"{day.month}月{day.day}日（{WEEKDAYS[day.weekday()]}）"


def hour(at: time) -> str:
    """9:30, as it stands on a clock."""
    return f"{at.hour}:{at.minute:02}"


def postal(number: str) -> str:
    return f"〒{grouped_postal(number)}" if len(number) == 7 else ""


__all__ = [
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
