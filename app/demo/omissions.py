"""手続き漏れ and rare states: lives that stop halfway, so that every list, search and report has something to show.

Each oddity says how many days before the cut its application lies; a few of each are planned at any volume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.demo.lives import Case, Lives

# oddity: (first and last day of application, in days before the cut). The letters are those of the list of omissions.
WINDOWS: dict[str, tuple[int, int]] = {
    "not_preset": (90, 45),  # a
    "not_sent": (100, 55),  # b
    "not_reminded": (250, 150),  # c
    "past_deadline": (340, 260),  # d
    "cancelled_not_revoked": (200, 75),  # e
    "revoked_not_destroyed": (200, 90),  # f
    "destroyed_without_date": (300, 140),  # g
    "destroyed_without_check": (300, 140),  # g
    "issued_without_check": (300, 80),  # h
    "checked_without_date": (300, 80),  # h
    "fee_not_collected": (300, 80),  # i
    "return_forgotten": (150, 85),  # j
    "came_in_vain": (120, 75),  # k
    "old_card_kept": (330, 200),  # l
    "stored_elsewhere": (75, 50),  # m
    "expires_first": (90, 55),  # n
    "no_tracking": (300, 60),  # o
    "not_scanned": (300, 80),  # p
    "mailed_unseen": (300, 60),  # q
    # States and people that a small database would otherwise lack.
    "just_mailed": (40, 28),
    "just_returned": (60, 48),
    "withdrawn": (90, 30),
    "collected": (90, 60),
    "given_up": (345, 270),
    "in_transit": (80, 55),
    "lost_again": (330, 150),
    "old_form": (300, 60),
    "long_name": (300, 60),
    "no_birth_date": (300, 60),
    "handwritten": (300, 60),
}
BY_MAIL = frozenset({"no_tracking", "just_mailed"})
FOREIGN = frozenset({"expires_first", "long_name"})
"""Oddities of people registered with an end of stay, or with a name that fits no form."""


class Oddities:
    """Plans the lives of odd cases."""

    def __init__(self, lives: Lives) -> None:
        self._lives = lives
        self._plans: dict[str, Callable[[Case], Any]] = {
            "not_preset": lives.arrive,
            "not_sent": lives.preset,
            "not_reminded": lives.notify,
            "past_deadline": self._past_deadline,
            "cancelled_not_revoked": self._cancelled,
            "revoked_not_destroyed": self._revoked,
            "destroyed_without_date": self._destroyed,
            "destroyed_without_check": self._destroyed,
            "return_forgotten": self._return_forgotten,
            "came_in_vain": self._came_in_vain,
            "old_card_kept": self._old_card_kept,
            "stored_elsewhere": self._coming,
            "expires_first": lives.notify,
            "mailed_unseen": self._posted,
            "no_tracking": self._posted,
            "just_mailed": self._just_mailed,
            "just_returned": self._just_returned,
            "withdrawn": self._withdrawn,
            "collected": self._collected,
            "given_up": self._given_up,
            "in_transit": self._in_transit,
            "lost_again": self._lost_again,
        }

    def plan(self, case: Case) -> None:
        self._plans.get(case.oddity, self._issued)(case)

    def _issued(self, case: Case) -> None:
        """Everything went well in the end; what is odd is in the columns or in the person."""
        lives = self._lives
        lives.step(case, lives.open_day(case.site, lives.notify(case) + 4), "issue")

    def _past_deadline(self, case: Case) -> None:
        self._lives.remind(case, self._lives.notify(case))

    def _cancelled(self, case: Case) -> None:
        self._lives.step(case, self._lives.notify(case) + 6, "cancel", "moved_out")

    def _revoked(self, case: Case) -> None:
        self._cancelled(case)
        self._lives.step(case, self._lives.working(case.steps[-1][0] + 1), "revoke")

    def _destroyed(self, case: Case) -> None:
        self._revoked(case)
        self._lives.step(case, self._lives.working(case.steps[-1][0] + 8), "dispose", "moved_out")

    def _return_forgotten(self, case: Case) -> None:
        self._lives.step(case, self._lives.working(self._lives.notify(case) + 9), "return")

    def _came_in_vain(self, case: Case) -> None:
        asked = self._lives.notify(case) + 1
        self._lives.visits.book(case, case.site, "pickup", asked, asked + 3)

    def _coming(self, case: Case) -> None:
        """Has a place in the next days."""
        asked = min(self._lives.notify(case) + 1, self._lives.cut - 1)
        self._lives.visits.book(case, case.site, "pickup", asked, self._lives.cut + 1)

    def _old_card_kept(self, case: Case) -> None:
        """再発行依頼 without 失効処理 of the old card."""
        self._issued(case)
        case.again = self._lives.step(case, self._lives.open_day(case.site, case.steps[-1][0] + 40), "reissue")

    def _lost_again(self, case: Case) -> None:
        self._issued(case)
        lost = self._lives.step(case, case.steps[-1][0] + 20, "revoke", "lost")
        case.again = self._lives.step(case, self._lives.open_day(case.site, lost + 2), "reissue")

    def _posted(self, case: Case) -> None:
        lives = self._lives
        mailed = lives.step(case, lives.working(lives.preset(case), 1), "mail")
        lives.step(case, lives.open_day(case.site, mailed + 3), "issue", "delivered")

    def _just_mailed(self, case: Case) -> None:
        """In the post at the cut, whatever the weekday."""
        self._on_days(case, {"arrive": 8, "preset": 6, "mail": 2})

    def _just_returned(self, case: Case) -> None:
        self._on_days(case, {"arrive": 25, "preset": 22, "notify": 18, "return": 3})

    def _collected(self, case: Case) -> None:
        self._on_days(case, {"arrive": 32, "preset": 28, "notify": 25, "issue": 12})
        self._lives.step(case, self._lives.cut - 3, "revoke", "surrendered", second=36000)
        self._lives.step(case, self._lives.cut - 3, "collect", second=36600)

    def _on_days(self, case: Case, days: dict[str, int]) -> None:
        self._lives.step(case, case.applied, "register")
        for what, before in days.items():
            self._lives.step(case, self._lives.cut - before, what)

    def _withdrawn(self, case: Case) -> None:
        self._lives.step(case, case.applied, "register")
        self._lives.step(case, case.applied + 5, "cancel", "cancelled")

    def _given_up(self, case: Case) -> None:
        self._lives.unclaimed(case, self._lives.remind(case, self._lives.notify(case)))

    def _in_transit(self, case: Case) -> None:
        self._lives.notify(case)
        self._lives.step(case, self._lives.cut - 1, "send")
