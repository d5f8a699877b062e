"""A birth date in either calendar, and whether an address looks like one of Kobe."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from app import days, text
from app.rules import bookings, pickups
from app.sentences import N_, Sentence

OLDEST = 130  # years; nobody older comes to a counter
_WARDS = ("東灘区", "灘区", "兵庫区", "長田区", "須磨区", "垂水区", "北区", "中央区", "西区")
_ELSEWHERE_CALLED = ("kobe", "神户", "고베")
_KOBE_POSTAL = ("650", "651", "652", "653", "654", "655", "657", "658")


class Unreadable(ValueError):
    """The sentence for the person; `part` names the box it is about."""

    def __init__(self, words: str, part: str, **values: object) -> None:
        self.sentence, self.part = Sentence(words, values), part
        super().__init__(str(self.sentence))


def name(typed: str) -> str:
    """A name has a letter in it, of whatever script: a telephone number in the wrong box has none."""
    if not any(sign.isalpha() for sign in typed):
        raise text.Unreadable(N_("文字で入力してください（例 神戸 花子）"))
    return typed


def code(typed: str) -> str:
    """A reservation code in its one spelling. What cannot be one is said at once: a wrong guess would count."""
    found = bookings.as_code(typed)
    if not bookings.is_code(found):
        raise text.Unreadable(
            N_("%(length)s文字の英数字で入力してください（いま%(now)s文字。数字の0・1と英字のO・Iは使われていません）"),
            length=bookings.CODE_LENGTH,
            now=len(found),
        )
    return found


def notice(typed: str) -> str:
    """A 交付通知書番号 in its one spelling. What cannot be one is said at once: a wrong guess would count."""
    found = pickups.as_notice(typed)
    if not pickups.is_notice(found):
        raise text.Unreadable(N_("英数字3文字と数字6文字で入力してください（例 ABC123456）"))
    return found


def birth_date(year: str, month: str, day: str, today: date) -> date:
    numbers = _year(year, today), _number(month, N_("月"), "month"), _number(day, N_("日"), "day")
    try:
        born = date(*numbers)
    except ValueError:
        there_is_none = N_("%(year)s年%(month)s月%(day)s日という日はありません。生年月日を確かめてください。")
        raise Unreadable(there_is_none, "day", year=numbers[0], month=numbers[1], day=numbers[2]) from None
    if born > today:
        raise Unreadable(N_("生年月日が今日より後になっています。年を確かめてください。"), "year")
    if today.year - born.year > OLDEST:
        raise Unreadable(N_("生年月日が古すぎます。年を確かめてください。"), "year")
    return born


def _number(typed: str, unit: str, part: str) -> int:
    number = text.digits(typed).removesuffix(unit)
    if not re.fullmatch(r"[0-9]{1,2}", number):
        raise Unreadable(N_("生年月日の「%(box)s」を数字で入力してください。"), part, box=Sentence(unit))
    return int(number)


def _year(typed: str, today: date) -> int:
    try:
        return days.year_of(typed, today)
    except text.Unreadable as error:
        raise Unreadable(N_("生年月日の「年」は%(what)s。"), "year", what=error.sentence) from None


def is_in_kobe(address: str, postal: str) -> bool:
    """Whether an address looks like one of Kobe, in whatever signs. Only a hint is given, so a wrong guess costs a glance."""
    plain = unicodedata.normalize("NFKC", address).replace(" ", "").removeprefix("兵庫県")
    if plain.startswith("神戸市") or any(name in plain.casefold() for name in _ELSEWHERE_CALLED):
        return True
    return plain.startswith(_WARDS) and (not postal or postal.startswith(_KOBE_POSTAL))
