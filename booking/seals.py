"""Proofs that travel through the browser: that a person saw what they now confirm, and which booking they just made."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from functools import lru_cache

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

DONE_MINUTES = 60  # afterwards the look-up page, with its second fact, shows the booking


def new_form_token() -> str:
    """256 random bits: whoever sends the same token again gets the same reservation and nothing else."""
    return secrets.token_urlsafe(32)


def seal(entry: Iterable[tuple[str, str]], slot_id: int, notice: str) -> str:
    """The mark of the check page on what it showed: a confirmation without it, or of anything else, does not count."""
    shown = json.dumps([sorted(entry), slot_id, notice], ensure_ascii=False)
    return hmac.new(_key(), shown.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_sealed(mark: str, entry: Iterable[tuple[str, str]], slot_id: int, notice: str) -> bool:
    return hmac.compare_digest(mark.encode(), seal(entry, slot_id, notice).encode())


def done_reference(reservation_id: int) -> str:
    return str(_references().dumps(reservation_id))


def reservation_of(reference: str) -> int | None:
    """The booking a reference of the last hour stands for."""
    try:
        return int(_references().loads(reference, max_age=DONE_MINUTES * 60))
    except (BadData, TypeError, ValueError):
        return None


def _references() -> URLSafeTimedSerializer:
    return _serializer(_key())


@lru_cache(maxsize=8)
def _serializer(key: bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="booking.done")


def _key() -> bytes:
    key = current_app.secret_key
    assert key
    return key if isinstance(key, bytes) else key.encode()
