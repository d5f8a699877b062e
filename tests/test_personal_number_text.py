"""個人番号 are found however they are dressed, and nothing else is taken for one; names stay as they are typed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.text import HIDDEN, has_personal_number, tidy, without_personal_numbers
from tests.test_audit import PERSONAL_NUMBER


def with_check_digit(eleven: str) -> str:
    rest = sum(int(p) * q for p, q in zip(eleven, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    return f"{eleven}{0 if rest <= 1 else 11 - rest}"


numbers = st.text("0123456789", min_size=11, max_size=11).map(with_check_digit)
signs = st.sampled_from([*"/_,、:=|~〜·;+*'\"。", ", ", " / ", " | ", ")(", "->", "・", "-", "－", "ー", " ", "　", "\n"])
unseen = st.sampled_from(
    ["\u200b", "\u00ad", "\u2061", "\u2060", "\ufeff", "\u202e", "\u200d", "\x00", "\x1f", "\ufe0f", "\u3164"]
)


@given(numbers, signs, st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_a_number_is_found_in_groups_with_any_sign_between(number: str, sign: str, size: int) -> None:
    assert has_personal_number(sign.join(number[at : at + size] for at in range(0, 12, size)))


@given(numbers, st.lists(unseen, min_size=11, max_size=11))
def test_a_number_is_found_with_anything_unseen_in_it(number: str, between: list[str]) -> None:
    assert has_personal_number("".join(a + b for a, b in zip(number, [*between, ""], strict=True)))


@given(numbers, st.lists(st.sampled_from(["", " ", "-", "・", "　", "－", "  "]), min_size=11, max_size=11))
def test_a_number_is_found_with_spaces_and_hyphens_anywhere(number: str, between: list[str]) -> None:
    assert has_personal_number("".join(a + b for a, b in zip(number, [*between, ""], strict=True)))


@pytest.mark.parametrize(
    "typed",
    [
        "(1234)(5678)(9018)",
        "【1234】【5678】【9018】",
        "1234/5678-9018",
        "番号は1234：5678：9018です",
        "１２３４＿５６７８＿９０１８",
        "①②③④⑤⑥⑦⑧⑨⓪①⑧",
        "3 123456789018",
        "1 1234-5678-9018",
        "a123456789018",
        "0781234567 123456789018",
    ],
)
def test_a_number_is_found_in_every_dress(typed: str) -> None:
    assert has_personal_number(typed)


days = st.dates().map(str)
times = st.times().map(lambda t: f"{t:%H:%M}")
phones = st.from_regex(
    r"0[1-9]0-[0-9]{4}-[0-9]{4}|078-[0-9]{3}-[0-9]{4}|06-[0-9]{4}-[0-9]{4}|0120-[0-9]{3}-[0-9]{3}", fullmatch=True
)


@given(st.text("0123456789", min_size=1, max_size=40).filter(lambda digits: len(digits) != 12))
def test_a_number_of_another_length_is_none(digits: str) -> None:
    assert not has_personal_number(digits)


@given(numbers, st.sampled_from("0123456789"), st.booleans())
def test_thirteen_digits_are_none(number: str, more: str, before: bool) -> None:
    assert not has_personal_number(more + number if before else number + more)


@given(st.lists(st.sampled_from("0123456789"), min_size=12, max_size=12).map("".join))
def test_twelve_digits_with_a_wrong_check_digit_are_none(digits: str) -> None:
    assume(with_check_digit(digits[:11]) != digits)
    assert not has_personal_number(digits)
    assert not has_personal_number("/".join((digits[:4], digits[4:8], digits[8:])))


@given(days, st.sampled_from([" ", "T", "　", "、", " / "]), times, st.sampled_from(["", "〜", " - ", "~"]), times)
def test_dates_and_times_are_none(day: str, between: str, start: str, to: str, end: str) -> None:
    for words in (f"{day}{between}{start}", day.replace("-", "/") + between + start, f"{day}〜{day}", f"{day} {start}:00"):
        assert not has_personal_number(words), words
    if to:
        assert not has_personal_number(f"{start}{to}{end}, {start}"), f"{start}{to}{end}, {start}"
        assert not has_personal_number(f"{day}{between}{start}{to}{end}")


@given(st.lists(phones, min_size=1, max_size=4), st.sampled_from(["、", ", ", "/", " / ", "\n", "；"]))
def test_telephone_numbers_side_by_side_are_none(found: list[str], between: str) -> None:
    assert not has_personal_number(between.join(found))


@pytest.mark.parametrize(
    "typed",
    [
        "4-901234-567894",
        "1234-5678-9018-3456",
        "10:30-11:00, 13:00",
        "2019年、2020年、2021年",
        "192.0.2.1",
        "〒650-8570 078-331-8181",
    ],
)
def test_other_numbers_are_none(typed: str) -> None:
    assert not has_personal_number(typed)


@pytest.mark.parametrize(
    ("typed", "kept"), [("a\u202eb\u2066c\u200e", "abc"), ("\u200b山\u00ad田\ufeff", "山田"), ("\x00山\x1f田 ", "山田")]
)
def test_what_nobody_sees_is_not_kept(typed: str, kept: str) -> None:
    assert tidy(typed) == kept


@pytest.mark.parametrize("name", ["髙橋\U000e0101", "葛\U000e0100城", "辻\ufe00", "𠮷田", "👩\u200d🦰", "山田\n太郎", "\ue000田"])
def test_names_stay_as_they_are_typed(name: str) -> None:
    assert tidy(name) == name


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (f"電話 {PERSONAL_NUMBER}", HIDDEN),
        ({"条件": {"資料区分": "1234/5678/9018"}, "件数": "3件"}, {"条件": {"資料区分": HIDDEN}, "件数": "3件"}),
        ([1, "1234", "5678", "9018", True, None], [1, "1234", "5678", "9018", True, None]),
        ([int(PERSONAL_NUMBER)], [HIDDEN]),
    ],
)
def test_numbers_are_hidden_wherever_they_stand(value: Any, hidden: Any) -> None:
    assert without_personal_numbers(value) == hidden
