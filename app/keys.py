"""Keyed hashes of what must be known again without being kept: a number on a card's paper, with or without a birth date.

The keys come from the setting FIELD_KEYS. The first is used for what is written; the others still find what was written with them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Keys:
    """Named keys, the current one first."""

    named: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        return f"Keys({', '.join(name for name, _ in self.named)})"  # a traceback shows no key

    @property
    def current(self) -> str:
        return self.named[0][0]

    def mark(self, purpose: str, words: str) -> str:
        """The keyed hash by the current key, beginning with the key's name. `purpose` keeps equal words in two places apart."""
        return _mark(*self.named[0], purpose, words)

    def marks(self, purpose: str, words: str) -> list[str]:
        """The same by every key: how what was written before a change of keys is found."""
        return [_mark(name, key, purpose, words) for name, key in self.named]


def _mark(name: str, key: bytes, purpose: str, words: str) -> str:
    found = hmac.new(key, f"{purpose}\0{words}".encode(), hashlib.sha256).digest()
    return f"{name}:{base64.urlsafe_b64encode(found).decode().rstrip('=')}"


def give(session: Session, keys: Keys) -> None:
    """Puts the keys on a session, as the edge does with everything that rules may ask of the moment."""
    session.info["keys"] = keys


def keys_of(session: Session) -> Keys:
    found: Keys = session.info["keys"]
    return found
