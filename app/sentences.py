"""A sentence for a person, kept apart from what is put into it, so that a page in another language can say the same.

Below the screens nothing knows a language: sentences are Japanese, and `str()` of one is what the office reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

N_ = str
"""Marks words that residents read: they belong into every catalogue of `booking/translations`. It changes nothing about them."""


@dataclass(frozen=True)
class Sentence:
    """Words with places such as %(name)s. A value may be a day, or a sentence itself."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template % {name: _plain(value) for name, value in self.values.items()} if self.values else self.template

    def packed(self) -> str:
        """As text, to be kept and said later, in whatever language the page then has."""
        return json.dumps(_as_json(self), ensure_ascii=False)

    @classmethod
    def unpacked(cls, words: str) -> Sentence:
        found = _from_json(json.loads(words))
        assert isinstance(found, Sentence)
        return found


def _plain(value: object) -> object:
    return f"{value.month}月{value.day}日" if isinstance(value, date) else value


def _as_json(value: object) -> Any:
    if isinstance(value, Sentence):
        return {"say": value.template, **({"with": {k: _as_json(v) for k, v in value.values.items()}} if value.values else {})}
    return {"day": value.isoformat()} if isinstance(value, date) else value if isinstance(value, int) else str(value)


def _from_json(value: Any) -> object:
    if not isinstance(value, dict):
        return value
    if "day" in value:
        return date.fromisoformat(value["day"])
    return Sentence(value["say"], {name: _from_json(inner) for name, inner in value.get("with", {}).items()})
