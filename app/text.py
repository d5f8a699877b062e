"""Japanese text as people type it: what is folded, what is kept, what is refused.

Names and addresses are stored exactly as typed (never NFC or NFKC: both rewrite name kanji); folding is for numbers,
kana and for the separate search key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import jaconv

# Name kanji that people write one way and type another; folded in search keys only.
VARIANTS = str.maketrans("髙﨑𠮷邊邉齋齊斎濵濱德黑眞神靑淸櫻榮廣澤國嶋嶌", "高崎吉辺辺斉斉斉浜浜徳黒真神青清桜栄広沢国島島")
HYPHENS = re.compile(r"[\s‐-―−ーｰ－()（）・.．\-]")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_TWELVE = re.compile(r"(?<!\d)\d{12}(?!\d)")
_BETWEEN = r"[\s‐-―−ーｰ－.．・\-]"
_BETWEEN_DIGITS = re.compile(rf"(?<=\d){_BETWEEN}+(?=\d)")
_RUN_OF_DIGITS = re.compile(rf"\d(?:{_BETWEEN}*\d)*")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")
_LONGEST_EMAIL = 254
WEEKDAYS = "月火水木金土日"
HIDDEN = "＊" * 12
"""What stands where a 個人番号 stood."""


class Unreadable(ValueError):
    """What to type instead, as the end of a sentence that begins with the name of the field and は."""


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
        raise Unreadable("数字10桁か11桁で入力してください（例 0781234567）")
    return number


def read_postal(typed: str) -> str:
    """A postal code as its seven digits."""
    number = digits(typed).removeprefix("〒")
    if not re.fullmatch(r"[0-9]{7}", number):
        raise Unreadable("数字7桁で入力してください（例 6500001）")
    return number


def read_kana(typed: str) -> str:
    """A reading in full-width katakana."""
    words = kana(typed)
    if not is_kana(words):
        raise Unreadable("カタカナで入力してください（例 コウベ ハナコ）")
    return words


def read_email(typed: str) -> str:
    """An address in half width, checked for its shape only: carriers in Japan have given out some that the standard forbids."""
    address = unicodedata.normalize("NFKC", typed)
    if len(address) > _LONGEST_EMAIL or not address.isascii() or not _EMAIL.fullmatch(address):
        raise Unreadable("hanako@example.jp の形で入力してください")
    return address


def lines(text: str) -> list[str]:
    """The lines of a text that hold something, trimmed."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def tidy(text: str) -> str:
    """Trims the ends and drops control characters; everything a person can see stays as typed."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def fold(text: str) -> str:
    """One spelling for searching: width, case, kana, variant kanji folded; spaces and marks dropped."""
    plain = unicodedata.normalize("NFKC", _SELECTORS.sub("", text).translate(VARIANTS)).translate(VARIANTS)
    return "".join(c for c in jaconv.hira2kata(plain.casefold()) if c.isalnum() or c == "ー")


def pieces(text: str) -> str:
    """The two-character pieces of a folded text, in order: '佐藤翔太' → '佐藤 藤翔 翔太'. One character stands alone."""
    folded = fold(text)
    return " ".join(folded[i : i + 2] for i in range(len(folded) - 1)) if len(folded) > 1 else folded


def search_key(texts: list[str | None]) -> str:
    """What a row is found by: the pieces of each searched text, one bar between texts so that none runs into the next."""
    return " | ".join(key for text in texts if text and (key := pieces(text)))


def place(counter: int) -> str:
    """How a counter stands in a search key. Full-width signs never stand in a folded piece, so no search takes it for a word."""
    return f"＠{counter}".translate(_WIDE)


def placed(key: str, counters: Iterable[int | None]) -> str:
    """A search key with the counters of its row."""
    places = sorted({place(counter) for counter in counters if counter is not None})
    return " | ".join(filter(None, [key, " ".join(places)]))


def has_personal_number(text: str) -> bool:
    """Whether twelve digits with a right check digit stand in the text, in any width and with any separators.

    Weights and rule: 番号法総務省令第5条 (check digit of the 個人番号).
    """
    plain = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    return any(_checks(found.group()) for found in _TWELVE.finditer(plain))


def hide_personal_numbers(text: str) -> str:
    """The text with each 個人番号 in it made unreadable, whatever its width and separators; all other words stay as typed."""
    if not has_personal_number(text):
        return text
    plain, origin = _plain_with_origin(text)
    for found in reversed(list(_RUN_OF_DIGITS.finditer(plain))):
        if has_personal_number(found.group()):
            text = text[: origin[found.start()]] + HIDDEN + text[origin[found.end() - 1] + 1 :]
    return text


def _plain_with_origin(text: str) -> tuple[str, list[int]]:
    """The text in one width, and where in the text each of its characters came from: one may become several, as ⑫ does."""
    pieces = [(plain, at) for at, char in enumerate(text) for plain in unicodedata.normalize("NFKC", char)]
    return "".join(plain for plain, _ in pieces), [at for _, at in pieces]


def _checks(number: str) -> bool:
    total = sum(int(p) * q for p, q in zip(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=False))
    rest = total % 11
    return int(number[11]) == (0 if rest <= 1 else 11 - rest)
