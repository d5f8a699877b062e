"""What leaves and enters the office on paper: postings with their numbers, and filed documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.demo.actors import CONTRACTOR_OF, USERS
from app.demo.card_numbers import tracking_no
from app.demo.days import ISO
from app.demo.diary import Diary
from app.demo.lives import Case
from app.demo.people import Person

_RETURN_REASONS = ("unknown_address", *("kept_too_long",) * 4, "moved", "moved", "refused", "incomplete", "death")
_MEMOS = ("転送不要", "本人へ電話済み", "番地の書き漏れあり")


class Posting:
    """One posting of a card's life, until it is known whether it came back."""

    __slots__ = ("attempt", "back", "day", "kind", "reason", "second")

    def __init__(self, kind: str, day: int, second: int, attempt: int) -> None:
        self.kind, self.day, self.second, self.attempt = kind, day, second, attempt
        self.back, self.reason = 0, ""


class Papers:
    def __init__(self, random: Callable[[], float], diary: Diary, cut: int) -> None:
        self._random, self._diary, self._cut = random, diary, cut

    def post(self, postings: list[Posting], kind: str, day: int, second: int) -> Posting:
        attempt = 1 + sum(posting.kind == kind for posting in postings)
        postings.append(Posting(kind, day, second, attempt))
        return postings[-1]

    def came_back(self, posting: Posting, day: int) -> str:
        posting.back, posting.reason = day, _RETURN_REASONS[int(self._random() * len(_RETURN_REASONS))]
        return posting.reason

    def send(self, postings: list[Posting], case: Case, person: Person, card: int) -> None:
        for posting in postings:
            tracked = posting.kind.startswith("card_") and case.oddity != "no_tracking"
            memo = _MEMOS[int(self._random() * len(_MEMOS))] if posting.back and self._random() < 0.3 else ""
            self._diary.shipment(
                posting.day,
                (
                    posting.second,
                    posting.kind,
                    ISO[posting.day],
                    case.home.postal_code,
                    person.name,
                    case.home.full,
                    tracking_no(posting.kind, self._random) if tracked else None,
                    posting.attempt,
                    ISO[posting.back] if posting.back else None,
                    posting.reason or None,
                    int(person.gaiji),
                    memo,
                    card,
                    1,
                    person.name_key,
                ),
            )

    def file(self, kinds: tuple[str, ...], business: str, day: int, second: int, case: Case, person: Person, card: int) -> None:
        """Files the papers of a visit, an hour or so later; those of the last day are not scanned yet."""
        if case.oddity == "not_scanned" or day >= self._cut:
            return
        user = USERS[CONTRACTOR_OF[case.site]]
        entry: tuple[Any, ...] = (business, person.name, person.name_key, user.user_id, user.name, card)
        for n, kind in enumerate(kinds):
            self._diary.document(day, (min(second + 1800 + n * 40, 75000), kind, *entry))
