"""Japanese text as people type it: numbers, kana and addresses read, a 個人番号 made unreadable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from app import days, text
from app.text import STRUCK

NUMBER = "123456789018"  # its check digit is right


@pytest.mark.parametrize(
    ("read", "typed", "value"),
    [
        (text.read_phone, "０７８－１２３－４５６７", "0781234567"),
        (text.read_phone, "(080) 1234 5678", "08012345678"),
        (text.read_postal, "〒６５０－０００１", "6500001"),
        (text.read_postal, "650 0001", "6500001"),
        (text.read_kana, "たかはし　はなこ", "タカハシ ハナコ"),
        (text.read_kana, "ﾀﾞﾃ ﾏｻﾑﾈ", "ダテ マサムネ"),
        (text.read_email, "ｈａｎａｋｏ..x.@docomo.ne.jp", "hanako..x.@docomo.ne.jp"),
    ],
)
def test_what_is_meant_is_read(read: Callable[[str], str], typed: str, value: str) -> None:
    assert read(typed) == value


@pytest.mark.parametrize(
    ("read", "typed"),
    [
        (text.read_phone, ""),
        (text.read_phone, "1781234567"),
        (text.read_phone, "078123456"),
        (text.read_phone, "٠٧٨١٢٣٤٥٦٧"),
        (text.read_postal, "٦٥٠٠٠٠١"),
        (text.read_postal, "65000011"),
        (text.read_kana, "高橋"),
        (text.read_email, "hanako"),
        (text.read_email, "a@b@c.jp"),
        (text.read_email, "髙橋@example.jp"),
        (text.read_email, f"{'a' * 250}@b.jp"),
    ],
)
def test_what_cannot_be_read_says_what_to_type(read: Callable[[str], str], typed: str) -> None:
    with pytest.raises(text.Unreadable, match="で入力してください"):
        read(typed)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (NUMBER, STRUCK),
        ("番号は１２３４－５６７８－９０１８です", f"番号は{STRUCK}です"),
        ("1234 5678\n9018", STRUCK),
        (f"⑫3456789018。髙\U000e0101橋 ﾊﾅｺ ㍿ {NUMBER}", f"{STRUCK}。髙\U000e0101橋 ﾊﾅｺ ㍿ {STRUCK}"),
        ("123456789012 と 0781234567 に", "123456789012 と 0781234567 に"),
        ("", ""),
    ],
)
def test_a_personal_number_is_made_unreadable_and_the_rest_stays(typed: str, shown: str) -> None:
    assert text.hide_personal_numbers(typed) == shown
    assert not text.has_personal_number(shown)


def test_lines_that_hold_something_are_kept() -> None:
    assert text.lines(" 交付通知書\r\n\n　\n本人確認書類 ") == ["交付通知書", "本人確認書類"]


@pytest.mark.parametrize(
    "grouped", ["078-322-1234", "090-1234-5678", "03-1234-5678", "0120-123-456", "0800-123-4567", "0798-12-3456"]
)
def test_a_telephone_number_is_grouped_for_reading(grouped: str) -> None:
    assert text.phone(grouped.replace("-", "")) == grouped


@pytest.mark.parametrize(("today", "years"), [(date(2026, 2, 28), 25), (date(2026, 3, 1), 26), (date(2028, 2, 29), 28)])
def test_age_counts_full_years(today: date, years: int) -> None:
    assert days.age(date(2000, 2, 29), today) == years
