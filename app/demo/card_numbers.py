"""Numbers and dates printed on a card or its papers: expiry by the rules, the rest invented in the right form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random

from app.demo import days
from app.demo.people import Person

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_AGE_18_SINCE = days.number(date(2022, 4, 1))
_NOTICE_SPACE = 24**3 * 1_000_000


def expiries(person: Person, applied: int, made: int, *, renewal: bool, stay: int) -> tuple[int, int, int | None]:
    """Card, 利用者証明用 and 署名用 expiry; `stay` is a foreign resident's last day, or 0."""
    birth, made_on = days.day_of(person.birth), days.day_of(made)
    adult = days.birthday(birth.month, birth.day, birth.year + (18 if applied >= _AGE_18_SINCE else 20))
    is_minor = applied < days.number(adult)
    card = days.number(days.birthday_after(birth, made_on, (5 if is_minor else 10) + renewal))
    if stay:
        card = min(card, stay)
    certificate = min(days.number(days.birthday_after(birth, made_on, 5 + renewal)), card)
    under_15 = made < days.number(days.birthday(birth.month, birth.day, birth.year + 15))
    return card, certificate, None if under_15 else certificate


# None of the texts below holds twelve digits in a row, which might pass for a 個人番号.


def application_no(n: int, iso: str) -> str:
    """申請書ID: 23 digits, never the same for two cards."""
    return f"2810{iso.replace('-', '')}{n * 7_368_787_171 % 10**11:011d}"


def notice_no(n: int) -> str:
    """交付通知書番号: three letters and six digits, never the same for two cards."""
    letters, digits = divmod(n * 4_567_890_131 % _NOTICE_SPACE, 1_000_000)
    return f"{LETTERS[letters // 576]}{LETTERS[letters // 24 % 24]}{LETTERS[letters % 24]}{digits:06d}"


def serial(rng: Random) -> str:
    """A certificate's serial in hex, broken by a letter after seven digits."""
    n = rng.getrandbits(60)
    return f"{n & 0xFFFFFFF:07X}A{n >> 28 & 0xFFFFFFF:07X}{'BCDEF'[n % 5]}"


def manufacturing_no(bits: int) -> str:
    return f"{LETTERS[bits % 24]}{LETTERS[bits >> 5 & 15]}{(bits >> 9) % 10**8:08d}K{(bits >> 36) % 10**5:05d}"


def tracking_no(kind: str, random: Callable[[], float]) -> str:
    """引受番号: 1 一般書留 or 3 簡易書留, 近畿 59–76, and the check digit, which is the ten digits modulo 7."""
    ten = ("3" if kind == "card_kani" else "1") + f"{59 + int(random() * 18):02d}{int(random() * 10_000_000):07d}"
    return f"{ten}{int(ten) % 7}"
