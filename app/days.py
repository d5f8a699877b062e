"""Days in the words of Japanese papers: both calendars, and how old somebody is."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from app.sentences import N_, Sentence
from app.text import WEEKDAYS, Unreadable, alnum

ERAS = (
    (N_("令和"), "R", date(2019, 5, 1)),
    (N_("平成"), "H", date(1989, 1, 8)),
    (N_("昭和"), "S", date(1926, 12, 25)),
    (N_("大正"), "T", date(1912, 7, 30)),
    (N_("明治"), "M", date(1868, 1, 25)),
)
_DAY = re.compile(r"(.+?)(?:年|[-/.])([0-9]{1,2})(?:月|[-/.])([0-9]{1,2})日?")


def year_of(typed: str, today: date) -> int:
    """The year of 1960, S35, 昭和35, 昭35 or 令和元. A bare two-figure number could be of any era, so it is `Unreadable`."""
    words = alnum(typed).removesuffix("年")
    if re.fullmatch(r"[0-9]{4}", words):
        return int(words)
    for at, (name, letter, began) in enumerate(ERAS):
        found = re.fullmatch(rf"(?:{name}|{name[0]}|{letter})([0-9]{{1,2}}|元)", words)
        if found:
            number = 1 if found[1] == "元" else int(found[1])
            last = (ERAS[at - 1][2].year if at else today.year) - began.year + 1
            if not 1 <= number <= last:
                raise Unreadable(N_("、%(era)sなら%(last)s年までです"), era=Sentence(name), last=last)
            return began.year + number - 1
    raise Unreadable(N_("、西暦4桁（例 1960）か、元号をつけて（例 昭和35、S35）入力してください"))


def read(typed: str) -> date:
    """The day of 2026-04-01, 2026/4/1, 2026年4月1日, 令和8年4月1日 or R8.4.1, in any width. The present era may go on."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", typed).replace(" ", ""))
    try:
        if found:
            return date(year_of(found[1], date.max), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise Unreadable("正しい日付で入力してください")


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
