"""Passwords: how they are kept, how they are checked, and which are refused. Knows nothing of requests."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from werkzeug.security import check_password_hash

from app import text

SHORTEST, LONGEST = 12, 200
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's figures for argon2id: 19 MiB, two passes
_AT_ONCE = threading.BoundedSemaphore(4)  # a burst of sign-ins waits here instead of filling the memory
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(16))
_WEAK_BELOW = 3  # of zxcvbn's 0 to 4: "safely unguessable" when an attacker has only the sign-in page
_LOOKED_AT = 72  # characters zxcvbn looks at; what follows only makes a password stronger
OFFICE_WORDS = (
    "kobe",
    "神戸",
    "mynumber",
    "マイナンバー",
    "sannomiya",
    "三宮",
    "tanigami",
    "谷上",
    "shinnagata",
    "新長田",
    "gakuentoshi",
    "学園都市",
    "hyogo",
    "兵庫",
    "市役所",
)

TOO_SHORT = f"パスワードは{SHORTEST}文字以上にしてください。短い言葉をいくつかつなげると、長くても覚えやすくなります。"
TOO_LONG = f"パスワードは{LONGEST}文字までにしてください。"
HAS_OWN_WORD = (
    "自分の名前・ユーザーIDや、神戸・三宮・mynumber などこの仕事の言葉は、推測されやすいため使えません。"
    "その言葉を除いてください。"
)
COMMON = (
    "よく使われる言葉や、並び・くり返しでできているため、推測されやすいパスワードです。関係のない言葉をいくつかつなげてください。"
)


def hashed(password: str) -> str:
    """The only form in which a password is kept."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def unusable() -> str:
    """What stands in an account that has no password: nothing typed can match it, and no two are the same."""
    return f"!{secrets.token_urlsafe(24)}"


def matches(stored: str | None, typed: str) -> bool:
    """Whether `typed` is the password. Costs one hash whatever `stored` is, so that time does not tell who has an account."""
    if stored and stored.startswith(("scrypt:", "pbkdf2:")):
        return check_password_hash(stored, typed)  # made by FAB's own commands; replaced at the next sign-in
    known = stored or ""
    usable = known.startswith("$argon2")
    try:
        with _AT_ONCE:
            right = _HASHER.verify(known if usable else _NOBODYS, typed)
    except (Argon2Error, InvalidHashError):
        return False
    return right and usable


def is_outdated(stored: str) -> bool:
    """Kept in an older way than `hashed` keeps it now."""
    return not stored.startswith("$argon2") or _HASHER.check_needs_rehash(stored)


def stamp(stored: str | None) -> str:
    """A short mark of one stored password: sessions and links that carry another mark are dead."""
    return hashlib.sha256((stored or "").encode()).hexdigest()[:32]


def fault(password: str, own_words: Iterable[str] = ()) -> str | None:
    """Why a new password is refused, in a sentence that says what to do; None when it is good.

    Length and guessability only. No rule about kinds of characters, and no forced change after some months
    (NIST SP 800-63B, ASVS 6.2.5 and 6.2.10): both make people choose worse.
    """
    if len(password) < SHORTEST:
        return TOO_SHORT
    if len(password) > LONGEST:
        return TOO_LONG
    if _has_word(password, [*OFFICE_WORDS, *own_words]):
        return HAS_OWN_WORD
    return COMMON if _guessable(password) else None


def _has_word(password: str, words: Iterable[str]) -> bool:
    folded = text.fold(password)
    return any(word in folded for word in map(text.fold, words) if len(word) >= (3 if word.isascii() else 2))


def _guessable(password: str) -> bool:
    from zxcvbn import zxcvbn  # its word lists are read when somebody chooses a password, not at start

    return bool(zxcvbn(password[:_LOOKED_AT])["score"] < _WEAK_BELOW)
