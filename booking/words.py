"""Dates, times and choices in the words a resident reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from app import days
from app.context import TOKYO
from app.letters import dates
from app.rules.slots import DayState
from app.text import lines, phone
from app.text import postal as grouped_postal
from booking.language import current
from booking.tongue import N_, Lazy, _, local, local_text
from models import BookingCategory, Channel, Language, Reservation, ReservationState, Sex, VisitPurpose, WaitingState

SIGNS = {DayState.FREE: "○", DayState.FEW: "△", DayState.FULL: "×", DayState.NONE: "–"}
STATES = {
    DayState.FREE: Lazy("空きあり"),
    DayState.FEW: Lazy("残りわずか"),
    DayState.FULL: Lazy("満席"),
    DayState.NONE: Lazy("受付なし"),
}
STATES_OF_VISIT = {
    ReservationState.HELD: Lazy("まだ予約は終わっていません"),
    ReservationState.BOOKED: Lazy("予約を受け付けています"),
    ReservationState.ARRIVED: Lazy("ご来庁いただきました"),
    ReservationState.CANCELLED: Lazy("キャンセルされています"),
    ReservationState.NO_SHOW: Lazy("予約の日時を過ぎています"),
    ReservationState.EXPIRED: Lazy("期限が切れています"),
}
STATES_OF_WAITING = {
    WaitingState.WAITING: Lazy("空きをお待ちです"),
    WaitingState.OFFERED: Lazy("空きが出ました。予約に進めます"),
    WaitingState.BOOKED: Lazy("予約されました"),
    WaitingState.LAPSED: Lazy("期限が過ぎました"),
    WaitingState.WITHDRAWN: Lazy("取りやめました"),
}
SEXES = {"male": Lazy("男性"), "female": Lazy("女性"), "": Lazy("答えない")}
_PLAIN = {
    VisitPurpose.PICKUP: N_("カードを受け取る"),
    VisitPurpose.APPLY: N_("カードを申し込む"),
    VisitPurpose.REISSUE: N_("カードをもう一度つくる"),
    VisitPurpose.CERTIFICATE: N_("電子証明書を更新する"),
}


def title(category: BookingCategory) -> Markup:
    """The procedure in everyday words; a category that the office named itself keeps its name."""
    return Markup.escape(_(_PLAIN[category.purpose])) if _has_plain(category) else local(category.name)


def plain_title(category: BookingCategory) -> str:
    """The same where no mark can stand."""
    return _(_PLAIN[category.purpose]) if _has_plain(category) else local_text(category.name)


def _has_plain(category: BookingCategory) -> bool:
    return category.name == category.purpose.label


def titles(categories: Iterable[BookingCategory]) -> Markup:
    return Markup(_("と")).join(title(category) for category in categories)  # noqa: S704 - a word of ours


def sex(chosen: Sex | None) -> Lazy:
    return SEXES.get(chosen.value if chosen else "", SEXES[""])


def full_day(day: date) -> str:
    """2026年（令和8年）11月26日 木曜日; Thursday, 26 November 2026 (Reiwa 8)."""
    return days.full_day(day) if current() is Language.JA else dates.full(day, current())


def birth_day(day: date) -> str:
    return dates.born(day, current())


def short_day(day: date) -> str:
    return dates.short(day, current())


def named_day(day: date) -> str:
    return dates.named(day, current())


def month(day: date) -> str:
    return dates.month(day, current())


def month_name(day: date) -> str:
    return dates.month_name(day, current())


def weekdays() -> list[tuple[str, str]]:
    """(sign, name) of each day of the week, from Monday on."""
    style = dates.STYLES[current()]
    return list(zip(style.letters, style.weekdays, strict=True))


def hour(at: time) -> str:
    """9:30, as it stands on a clock."""
    return dates.clock(at)


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
        return _("、").join(f"{hour(row.start_time)} {plain_title(row.category)}" for row in rows)
    return _("、").join(_("%(time)sに%(people)s人", time=hour(at), people=people) for at, people in sorted(many.items()))


def own_terms(category: BookingCategory) -> str:
    """How a booking can be changed or cancelled, said before it is made."""
    if not (category.self_cancel or category.self_change):
        return _("予約の変更とキャンセルは、お電話で承ります。")
    both = category.self_cancel and category.self_change
    what = _("変更とキャンセル") if both else _("キャンセル") if category.self_cancel else _("変更")
    days_before = category.self_until_days
    until = _("%(days)s日前まで", days=days_before) if days_before else _("当日の予約の時間まで")
    return _("予約の%(what)sは、%(until)s、予約の確認の画面からできます。", what=what, until=until)


def with_channel(args: MultiDict[str, str], channel: Channel) -> str:
    """The words of an address, for another channel's places."""
    kept = [(name, value) for name, value in args.items(multi=True) if name != "channel"]
    return urlencode([*kept, ("channel", channel.value)])


def postal(number: str) -> str:
    return f"〒{grouped_postal(number)}" if len(number) == 7 else ""


__all__ = [
    "SEXES",
    "SIGNS",
    "STATES",
    "STATES_OF_VISIT",
    "STATES_OF_WAITING",
    "birth_day",
    "full_day",
    "hour",
    "hour_of",
    "lines",
    "moment",
    "month",
    "month_name",
    "named_day",
    "phone",
    "own_terms",
    "postal",
    "seated",
    "sex",
    "short_day",
    "title",
    "titles",
    "weekdays",
    "with_channel",
]
