"""計算の課題 (ALTCHA): a little work for the browser before it books, where a category asks for it or a burst of choices is seen.

Self-hosted: the puzzle is made and checked here, and solved by the script of the page while a person reads it. It costs a person
nothing and a program that books thousands something.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

from altcha.v1 import ChallengeOptions, create_challenge, extract_params, verify_solution
from flask import current_app
from limits import parse

from app.limits import limiter
from booking import keeping, seals
from booking.keeping import now
from booking.tongue import N_
from models import BookingCategory

HARDEST = 40_000  # tries; about a second on a telephone
LASTS = timedelta(minutes=30)
UNDONE = N_(
    "自動の申込みでないことを確かめられませんでした。数秒たってから、もう一度「この内容で予約する」を押してください。"
    "何度も表示されるときや、JavaScriptを使えないときは、お電話で予約できます。"
)
MARK = "work"
"""What the check page's seal holds besides, when the page carried a puzzle: so the answer to it knows without asking anybody."""
_EVERYBODY = "holds of everybody"


def count() -> None:
    """One more time chosen, by whoever it was."""
    limiter.limiter.hit(parse(current_app.config["LIMIT_BURST"]), _EVERYBODY)


def is_burst() -> bool:
    """Whether more times are being chosen than people choose."""
    return not limiter.limiter.test(parse(current_app.config["LIMIT_BURST"]), _EVERYBODY)


def is_asked(category: BookingCategory) -> bool:
    return category.asks_work or is_burst()


def puzzle() -> str:
    """The puzzle of this form, as the script of the page reads it."""
    made = create_challenge(
        ChallengeOptions(hmac_key=_key(), max_number=HARDEST, expires=now() + LASTS, params={"form": _form()})
    )
    shown = {"algorithm": made.algorithm, "challenge": made.challenge, "salt": made.salt, "signature": made.signature}
    return json.dumps({**shown, "most": HARDEST})


def is_done(answer: str) -> bool:
    """Whether the puzzle of this very form was solved in time. One solution books what one form can book: once."""
    payload = _read(answer)
    if payload is None:
        return False
    good, _ = verify_solution(payload, _key(), check_expires=True)
    return bool(good) and extract_params(payload).get("form") == [_form()]


def _form() -> str:
    """What stands for the form that the address names."""
    return seals.digest(keeping.reference())[:32]


def _read(answer: str) -> Any:
    try:
        payload = json.loads(base64.b64decode(answer[:2000], validate=True))
    except (ValueError, TypeError):
        return None
    named = {"algorithm", "challenge", "number", "salt", "signature"}
    is_whole = isinstance(payload, dict) and named <= payload.keys() and isinstance(payload["number"], int)
    return payload if is_whole and all(isinstance(payload[name], str) for name in named - {"number"}) else None


def _key() -> str:
    return seals.digest("altcha")
