"""Days as people write them, in either calendar."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.days import birth_day, era_year, read
from app.text import Unreadable

WRITTEN = (
    lambda day: day.isoformat(),
    lambda day: f"{day.year}/{day.month}/{day.day}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
    lambda day: f"{era_year(day)}{day.month}月{day.day}日",
    lambda day: f" {era_year(day).replace('年', '')}．{day.month}．{day.day}　",
)


@given(st.dates(date(1868, 1, 25), date(2110, 12, 31)), st.sampled_from(WRITTEN))
def test_a_day_is_read_back_however_it_is_written(day: date, written: object) -> None:
    assert read(written(day)) == day  # type: ignore[operator]


def test_letters_stand_for_eras() -> None:
    assert [read(words) for words in ("S60.4.1", "ｒ８－４－１", "昭60年4月1日", "平成元年1月8日")] == [
        date(1985, 4, 1),
        date(2026, 4, 1),
        date(1985, 4, 1),
        date(1989, 1, 8),
    ]
    assert birth_day(read("昭和60年4月1日")) == "1985年（昭和60年）4月1日"


@pytest.mark.parametrize(
    "words",
    [
        "",
        "60-4-1",
        "昭和65年1月1日",
        "平成0年1月1日",
        "2026-02-30",
        "2026-4",
        "20260401",
        "令和年4月1日",
        "四月一日",
        "2026-4-1-1",
    ],
)
def test_nonsense_is_no_day(words: str) -> None:
    with pytest.raises(Unreadable):
        read(words)
