"""Japanese text as people type it: what is folded, what is kept, what is refused.

Names and addresses are stored exactly as typed (never NFC or NFKC: both rewrite name kanji); folding is for numbers,
kana and for the separate search key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import jaconv

from app.sentences import N_, Sentence

# Name kanji that people write one way and type another; folded in search keys only.
VARIANTS = str.maketrans("髙﨑𠮷邊邉齋齊斎濵濱德黑眞神靑淸櫻榮廣澤國嶋嶌", "高崎吉辺辺斉斉斉浜浜徳黒真神青清桜栄広沢国島島")
HYPHENS = re.compile(r"[\s‐-―−ーｰ－()（）・.．\-]")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_TWELVE = re.compile(r"(?<!\d)\d{12}(?!\d)")
_BETWEEN = r"[\s‐-―−ーｰ－.．・\-]"
_BETWEEN_DIGITS = re.compile(rf"(?<=\d){_BETWEEN}+(?=\d)")
_RUN_OF_DIGITS = re.compile(rf"\d(?:{_BETWEEN}*\d)*")
_NEAR = 5  # signs between two groups of digits that still belong together
_BLANKS = "\u115f\u1160\u3164\uffa0"  # letters that show nothing
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")
_LONGEST_EMAIL = 254
_FREE = "0120", "0570"
_FOUR = "0797", "0798", "0799"  # the area codes of four digits round Kobe
WEEKDAYS = "月火水木金土日"
HIDDEN = "＊＊＊"
"""What stands where a text is hidden as a whole."""
STRUCK = "＊" * 12
"""What stands where a 個人番号 stood."""


class Unreadable(ValueError):
    """What to type instead, as the end of a sentence that begins with the name of the field and は."""

    def __init__(self, words: str, **values: object) -> None:
        self.sentence = Sentence(words, values)
        super().__init__(str(self.sentence))


def digits(text: str) -> str:
    """'０７８－１２３' → '078123': full width folded, separators dropped, anything else kept to be complained about."""
    return HYPHENS.sub("", unicodedata.normalize("NFKC", text))


def alnum(text: str) -> str:
    """As `digits`, in capitals: 'k7q2-9mxd' → 'K7Q29MXD'."""
    return digits(text).upper()


def kana(text: str) -> str:
    """Any kana to full-width katakana, spaces to single ones: 'ﾔﾏﾀﾞ　たろう' → 'ヤマダ タロウ'."""
    return re.sub(r"\s+", " ", jaconv.hira2kata(jaconv.h2z(text, kana=True, ascii=False, digit=False))).strip()


def is_kana(text: str) -> bool:
    return re.fullmatch(r"[ァ-ヶー・ 　]*", text) is not None


def read_phone(typed: str) -> str:
    """A telephone number as its digits."""
    number = digits(typed)
    if not re.fullmatch(r"0[0-9]{9,10}", number):
        raise Unreadable(N_("数字10桁か11桁で入力してください（例 0781234567）"))
    return number


def read_postal(typed: str) -> str:
    """A postal code as its seven digits."""
    number = digits(typed).removeprefix("〒")
    if not re.fullmatch(r"[0-9]{7}", number):
        raise Unreadable(N_("数字7桁で入力してください（例 6500001）"))
    return number


def phone(number: str) -> str:
    """A telephone number grouped for reading, by the commonest layouts."""
    if len(number) == 11:
        groups = (4, 3) if number.startswith("0800") else (3, 4)
    elif number.startswith(("03", "06")):
        groups = 2, 4
    elif number.startswith(_FREE):
        groups = 4, 3
    else:
        groups = (4, 2) if number.startswith(_FOUR) else (3, 3)
    first, second = groups
    return "-".join(filter(None, (number[:first], number[first : first + second], number[first + second :])))


def postal(number: str) -> str:
    """A postal code as it stands on an envelope: 650-0001."""
    return f"{number[:3]}-{number[3:]}" if len(number) == 7 else number


def read_kana(typed: str) -> str:
    """A reading in full-width katakana."""
    words = kana(typed)
    if not is_kana(words):
        raise Unreadable(N_("カタカナで入力してください（例 コウベ ハナコ）"))
    return words


def read_email(typed: str) -> str:
    """An address in half width, checked for its shape only: carriers in Japan have given out some that the standard forbids."""
    address = unicodedata.normalize("NFKC", typed)
    if len(address) > _LONGEST_EMAIL or not address.isascii() or not _EMAIL.fullmatch(address):
        raise Unreadable(N_("hanako@example.jp の形で入力してください"))
    return address


def lines(text: str) -> list[str]:
    """The lines of a text that hold something, trimmed."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def tidy(text: str) -> str:
    """Trims the ends and drops what nobody sees: control characters, and marks that hide letters or turn them round.

    Everything a person can see stays as typed; so do the joiner and the selectors that names and signs are written with.
    """
    return "".join(c for c in text if c in "\n\t\u200d" or unicodedata.category(c) not in ("Cc", "Cf")).strip()


def fold(text: str) -> str:
    """One spelling for searching: width, case, kana, variant kanji folded; spaces and marks dropped."""
    plain = unicodedata.normalize("NFKC", _SELECTORS.sub("", text).translate(VARIANTS)).translate(VARIANTS)
    return "".join(c for c in jaconv.hira2kata(plain.casefold()) if c.isalnum() or c == "ー")


def pieces(text: str) -> str:
    """The two-character pieces of a folded text, in order: '佐藤翔太' → '佐藤 藤翔 翔太'. One character stands alone."""
    folded = fold(text)
    return " ".join(folded[i : i + 2] for i in range(len(folded) - 1)) if len(folded) > 1 else folded


def search_key(texts: list[str | None]) -> str:
    """What a row is found by: the pieces of each searched text, one bar between texts so that none runs into the next.

    A word of one character (林 一郎) stands by itself, too: no piece is a surname of one character.
    """
    given = [text for text in texts if text]
    alone = dict.fromkeys(folded for text in given for word in text.split() if len(folded := fold(word)) == 1)
    return " | ".join(dict.fromkeys(key for key in (*map(pieces, given), *alone) if key))


def place(counter: int) -> str:
    """How a counter stands in a search key. Full-width signs never stand in a folded piece, so no search takes it for a word."""
    return f"＠{counter}".translate(_WIDE)


def placed(key: str, counters: Iterable[int | None]) -> str:
    """A search key with the counters of its row."""
    places = sorted({place(counter) for counter in counters if counter is not None})
    return " | ".join(filter(None, [key, " ".join(places)]))


def is_tracking_number(number: str) -> bool:
    """引受番号: eleven digits of which the last is the rest of the first ten by seven. Those of twelve (レターパック) have no known
    check digit and are taken as they are."""
    return len(number) != 11 or int(number[:10]) % 7 == int(number[10])


def has_personal_number(text: str) -> bool:
    """Whether twelve digits with a right check digit stand in the text, in any width and with any separators.

    Spaces, hyphens and dots may stand anywhere in the number. Other signs (1234/5678/9018) count only between groups of one size,
    so that two things side by side, such as a date and a time, are not read as one number.
    Weights and rule: 番号法総務省令第5条 (check digit of the 個人番号).
    """
    if len(text) < 12 and text.isascii():
        return False
    plain = _visible(text)
    alone, closed = _TWELVE.findall(plain), _TWELVE.findall(_BETWEEN_DIGITS.sub("", plain))
    return any(_checks(number) for number in (*alone, *closed, *_in_groups(plain)))


def without_personal_numbers(value: Any) -> Any:
    """A JSON value in which every text (or number) that holds a 個人番号 is hidden."""
    if isinstance(value, dict):
        return {key: without_personal_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_personal_numbers(inner) for inner in value]
    return HIDDEN if isinstance(value, str | int) and has_personal_number(str(value)) else value


def _visible(text: str) -> str:
    """One width, without what stands between digits unseen: format and control characters, combining marks, blank letters."""
    return "".join(
        c
        for c in unicodedata.normalize("NFKC", text)
        if c.isspace() or not (unicodedata.category(c) in ("Cc", "Cf", "Mn", "Me") or c in _BLANKS)
    )


def _in_groups(text: str) -> Iterator[str]:
    """Twelve digits in groups of one size, with signs between them. Pairs, triples and halves need the same sign throughout; and
    what goes on with the same sign before or after is a longer number or a list."""
    found = list(re.finditer(r"\d+", text))
    signs = ["", *(_near(text[a.end() : b.start()]) for a, b in pairwise(found)), ""]  # what stands before each group, and after
    start = 0
    while start < len(found):
        size, end = len(found[start].group()), start + 1
        while end < len(found) and signs[end] and len(found[end].group()) == size:
            end += 1
        inside = signs[start + 1 : end]
        is_one = inside and signs[start] != inside[0] and signs[end] != inside[-1]
        if is_one and size * (end - start) == 12 and (size in (1, 4) or len(set(inside)) == 1):
            yield "".join(group.group() for group in found[start:end])
        start = end


def _near(between: str) -> str:
    """The signs between two groups of digits, or nothing if they do not belong together."""
    return between if 0 < len(between) <= _NEAR and not any(c.isalnum() for c in between) else ""


def hide_personal_numbers(text: str) -> str:
    """The text with each 個人番号 in it made unreadable, whatever its width and separators; all other words stay as typed."""
    if not has_personal_number(text):
        return text
    plain, origin = _plain_with_origin(text)
    for found in reversed(list(_RUN_OF_DIGITS.finditer(plain))):
        if has_personal_number(found.group()):
            text = text[: origin[found.start()]] + STRUCK + text[origin[found.end() - 1] + 1 :]
    return HIDDEN if has_personal_number(text) else text  # dressed so oddly that only the whole of it can be hidden


def _plain_with_origin(text: str) -> tuple[str, list[int]]:
    """The text in one width, and where in the text each of its characters came from: one may become several, as ⑫ does."""
    pieces = [(plain, at) for at, char in enumerate(text) for plain in unicodedata.normalize("NFKC", char)]
    return "".join(plain for plain, _ in pieces), [at for _, at in pieces]


def _checks(number: str) -> bool:
    total = sum(int(p) * q for p, q in zip(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False))
    rest = total % 11
    return int(number[11]) == (0 if rest <= 1 else 11 - rest)
