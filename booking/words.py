"""Dates, times and choices in the words a resident reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from app.context import TOKYO
from app.days import birth_day, era_year, full_day, weekday
from app.rules.slots import DayState
from app.text import WEEKDAYS, lines, phone
from app.text import postal as grouped_postal
from models import BookingCategory, Channel, Reservation, ReservationState, VisitPurpose, WaitingState

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
STATES_OF_WAITING = {
    WaitingState.WAITING: "空きをお待ちです",
    WaitingState.OFFERED: "空きが出ました。予約に進めます",
    WaitingState.BOOKED: "予約されました",
    WaitingState.LAPSED: "期限が過ぎました",
    WaitingState.WITHDRAWN: "取りやめました",
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


def hour_of(moment: datetime) -> str:
    """A moment on the office's clock."""
    return hour(moment.astimezone(TOKYO).time())


def moment(at: datetime) -> str:
    """A moment on the office's clock, with its day."""
    local = at.astimezone(TOKYO)
    return f"{short_day(local.date())} {hour(local.time())}"


def seated(rows: Sequence[Reservation]) -> str:
    """Who sits when, of a party that one time was too small for: 10:00に2人、10:30に1人."""
    many: dict[time, int] = {}
    for row in rows:
        many[row.start_time] = many.get(row.start_time, 0) + 1
    if len({row.category_id for row in rows}) > 1:
        return "、".join(f"{hour(row.start_time)} {title(row.category)}" for row in rows)
    return "、".join(f"{hour(at)}に{people}人" for at, people in sorted(many.items()))


def own_terms(category: BookingCategory) -> str:
    """How a booking can be changed or cancelled, said before it is made."""
    if not (category.self_cancel or category.self_change):
        return "予約の変更とキャンセルは、お電話で承ります。"
    what = (
        "変更とキャンセル" if category.self_cancel and category.self_change else "キャンセル" if category.self_cancel else "変更"
    )
    days = category.self_until_days
    return f"予約の{what}は、{f'{days}日前まで' if days else '当日の予約の時間まで'}、予約の確認の画面からできます。"


def with_channel(args: MultiDict[str, str], channel: Channel) -> str:
    """The words of an address, for another channel's places."""
    kept = [(name, value) for name, value in args.items(multi=True) if name != "channel"]
    return urlencode([*kept, ("channel", channel.value)])


def postal(number: str) -> str:
    return f"〒{grouped_postal(number)}" if len(number) == 7 else ""


__all__ = [
    "SIGNS",
    "STATES",
    "STATES_OF_VISIT",
    "STATES_OF_WAITING",
    "WEEKDAYS",
    "birth_day",
    "era_year",
    "full_day",
    "hour",
    "hour_of",
    "lines",
    "moment",
    "phone",
    "own_terms",
    "postal",
    "seated",
    "short_day",
    "title",
    "weekday",
    "with_channel",
]
