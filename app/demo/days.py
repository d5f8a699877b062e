"""Days and seconds as small numbers, and their texts made once: formatting is what a generator of millions of rows does most.

A day is counted from 1900-01-01, a Monday, so that `day % 7` is its weekday. Texts are what both databases read as they are:
SQLite stores exactly these, PostgreSQL reads them in a session whose time zone is UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date

import jpholiday

from app import text

_EPOCH = date(1900, 1, 1).toordinal()
_UTC_OFFSET = 9 * 3600  # Asia/Tokyo has no summer time
_DAY = 86400

ISO = [date.fromordinal(n).isoformat() for n in range(_EPOCH, date(2080, 1, 1).toordinal())]
CLOCK = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(_DAY)]
WEEKDAYS = tuple(f" ({name})" for name in text.WEEKDAYS)


def number(day: date) -> int:
    return day.toordinal() - _EPOCH


def day_of(n: int) -> date:
    return date.fromordinal(n + _EPOCH)


def shown(n: int) -> str:
    """A day as screens show it: '2026-04-01 (水)'."""
    return ISO[n] + WEEKDAYS[n % 7]


def utc(day: int, second: int, micro: str = "000000") -> str:
    """The moment `second` of a day in Kobe, as UTC text."""
    second -= _UTC_OFFSET
    return f"{ISO[day]} {CLOCK[second]}.{micro}" if second >= 0 else f"{ISO[day - 1]} {CLOCK[second + _DAY]}.{micro}"


def clock(second: int) -> str:
    """A time of day as a TIME column holds it."""
    return f"{CLOCK[second]}.000000"


def fiscal_year(n: int) -> int:
    """年度: April to March."""
    year, month = int(ISO[n][:4]), ISO[n][5:7]
    return year if month >= "04" else year - 1


def years_before(day: date, years: int) -> date:
    """The same day some years earlier; 29 February becomes the 28th."""
    return birthday(day.month, day.day, day.year - years)


def birthday(month: int, day: int, year: int) -> date:
    """A birthday of a year: who was born on 29 February has it on the 28th otherwise."""
    if month == 2 and day == 29 and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        day = 28
    return date(year, month, day)


def birthday_after(birth: date, after: date, nth: int) -> date:
    """The nth birthday after a day: how cards and certificates expire (番号法総務省令26条)."""
    next_year = after.year + ((birth.month, birth.day) <= (after.month, after.day))
    return birthday(birth.month, birth.day, next_year + nth - 1)


def year_end(year: int) -> tuple[date, date]:
    """年末年始: 29 December to 3 January."""
    return date(year, 12, 29), date(year + 1, 1, 3)


class WorkingDays:
    """Monday to Friday without 祝日 and 年末年始: when cards are unpacked, preset and posted."""

    def __init__(self, first: int, last: int) -> None:
        closed = _holidays(first, last)
        self._first = first
        self._days = [n for n in range(first, last) if n % 7 < 5 and n not in closed]
        self._index = [bisect_left(self._days, n) for n in range(first, last)]

    def after(self, day: int, steps: int = 0) -> int:
        """The working day `steps` after the first one on or after `day`."""
        return self._days[self._index[day - self._first] + steps]


def _holidays(first: int, last: int) -> set[int]:
    start, end = day_of(first), day_of(last)
    closed = {number(day) for day, _name in jpholiday.between(start, end)}
    for year in range(start.year - 1, end.year + 1):
        opens, closes = year_end(year)
        closed.update(range(number(opens), number(closes) + 1))
    return closed
