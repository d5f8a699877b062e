"""Proofs that travel through the browser: that a person saw what they now confirm, whose draft it is, what they just booked."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

DONE_MINUTES = 60  # afterwards the look-up page, with its second fact, shows the booking
_REFERENCE = re.compile(r"([0-9a-f]{8})\.[A-Za-z0-9_-]{22}")


def new_form_token() -> str:
    """256 random bits: whoever sends the same token again gets the same reservation and nothing else."""
    return secrets.token_urlsafe(32)


def new_reference(now: datetime) -> str:
    """What the address of a form is called: when it was opened, and 128 random bits."""
    return f"{int(now.timestamp()):08x}.{secrets.token_urlsafe(16)}"


def is_reference(words: str) -> bool:
    return _REFERENCE.fullmatch(words) is not None


def age(reference: str, now: datetime) -> timedelta:
    """How long ago a form was opened."""
    found = _REFERENCE.fullmatch(reference)
    return timedelta(seconds=now.timestamp() - int(found[1], 16)) if found else timedelta()


def seal(entry: Iterable[tuple[str, str]], slot_id: int, notice: str, also: Sequence[str] = ()) -> str:
    """The mark of the check page on what it showed: a confirmation without it, or of anything else, does not count."""
    return digest(json.dumps([sorted(entry), slot_id, notice, list(also)], ensure_ascii=False))


def is_sealed(mark: str, entry: Iterable[tuple[str, str]], slot_id: int, notice: str, also: Sequence[str] = ()) -> bool:
    return hmac.compare_digest(mark.encode(), seal(entry, slot_id, notice, also).encode())


def digest(words: str) -> str:
    """What stands for words that are not to be kept; nobody without the key can tell which."""
    return hmac.new(_key(), words.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def done_reference(token_digest: str, browser: str) -> str:
    """The address of a done page: worth nothing in another browser, and nothing can be counted from it."""
    return str(_references(browser).dumps(token_digest))


def booked_under(reference: str, browser: str) -> str | None:
    """The digest of the form that this browser sent within the last hour."""
    try:
        return str(_references(browser).loads(reference, max_age=DONE_MINUTES * 60))
    except BadData:
        return None


def visit_reference(number: int, browser: str) -> str:
    """The address of the papers of a visit (slip, calendar file), for the browser that has just seen it."""
    return str(_numbered("visit", browser).dumps(number))


def visit_under(reference: str, browser: str) -> int | None:
    return _number_under("visit", reference, browser)


def waiting_reference(number: int, browser: str) -> str:
    """The address of a place in the line, likewise."""
    return str(_numbered("waiting", browser).dumps(number))


def waiting_under(reference: str, browser: str) -> int | None:
    return _number_under("waiting", reference, browser)


def _number_under(what: str, reference: str, browser: str) -> int | None:
    try:
        return int(_numbered(what, browser).loads(reference, max_age=DONE_MINUTES * 60))
    except BadData:
        return None


def _numbered(what: str, browser: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_key(), salt=f"booking.{what}.{browser}")


def _references(browser: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_key(), salt=f"booking.done.{browser}")


def _key() -> bytes:
    key = current_app.secret_key
    assert key
    return key if isinstance(key, bytes) else key.encode()
