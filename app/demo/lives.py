"""What becomes of a card: the steps of its life, each on its day, along the legal paths of the state machine.

A life is planned to its end; what lies after the cut has simply not happened yet. Days between steps are ordinary ones, so that
nothing in a life planned here looks like an omission (those are in `omissions.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.demo.days import WorkingDays
from app.demo.visits import Fate, Party, Visits

Step = tuple[int, int, str, Any]  # day, second, what, more


@dataclass(slots=True)
class Case(Party):
    """A household's application and what is decided about it at the counter."""

    site: str = "sannomiya"
    applied: int = 0
    visit_type: str = "at_issue"
    channel: str = "smartphone"
    kind: str = "new"
    reason: str = "first"
    oddity: str = ""
    steps: list[Step] = field(default_factory=list)
    again: int = 0  # day on which these people apply again because the card was lost

    @property
    def is_walk_in(self) -> bool:
        """Applies in person at the counter."""
        return self.channel in ("counter", "proxy_online")


class Lives:
    """Plans lives. `cut` is the first day that has not happened yet."""

    def __init__(self, rng: Random, working: WorkingDays, visits: Visits, cut: int) -> None:
        self._random, self._working, self.visits, self.cut = rng.random, working, visits, cut

    def plan(self, case: Case) -> None:
        """Fills in the steps of a case without oddities."""
        if case.visit_type == "at_application":
            self._by_mail(case)
        else:
            self._at_counter(case)

    # Steps that every life is made of.

    def step(self, case: Case, day: int, what: str, more: Any = None, second: int = 0) -> int:
        case.steps.append((day, second or 34200 + int(self._random() * 25200), what, more))
        return day

    def working(self, day: int, steps: int = 0) -> int:
        return self._working.after(day, steps)

    def open_day(self, site: str, day: int) -> int:
        """The first day on or after `day` on which the site receives people."""
        while not self.visits.desks.is_open(site, day) and day < self.cut:
            day += 1
        return day

    def arrive(self, case: Case) -> int:
        """Registered, made by J-LIS and unpacked; the day it arrives."""
        self.step(case, case.applied, "register")
        wait = 6 if case.kind == "express" else 18 + int(14 * self._random() ** 2)
        return self.step(case, self.working(case.applied + wait), "arrive")

    def preset(self, case: Case) -> int:
        return self.step(case, self.working(self.arrive(case), 1 + int(2 * self._random())), "preset")

    def notify(self, case: Case) -> int:
        return self.step(case, self.working(self.preset(case), 1 + int(3 * self._random())), "notify")

    def scrap(self, case: Case, day: int, reason: str) -> None:
        """失効処理 and 廃棄 of a card in hand."""
        revoked = self.step(case, self.working(day, 1 + int(2 * self._random())), "revoke")
        self.step(case, self.working(revoked, 5 + int(9 * self._random())), "dispose", reason)

    def withdraw(self, case: Case, day: int) -> None:
        """取りやめ of a card in hand, by whom or what moved or died."""
        reason = ("cancelled", "moved_out", "moved_out", "death")[int(4 * self._random())]
        self.step(case, day, "cancel", reason)
        self.scrap(case, day, reason)

    def send_again(self, case: Case, returned: int, what: str) -> int:
        return self.step(case, self.working(returned, 1 + int(3 * self._random())), what)

    # 交付時来庁: notice, booking, hand-over at the counter.

    def _at_counter(self, case: Case) -> None:
        r = self._random()
        if r < 0.012:
            self.step(case, case.applied, "register")
            self.step(case, case.applied + 3 + int(12 * self._random()), "cancel", "cancelled")
        elif r < 0.02:
            self.withdraw(case, self.working(self.preset(case), 1))
        else:
            self._noticed(case, self.notify(case), r)

    def _noticed(self, case: Case, noticed: int, r: float) -> None:
        if r < 0.035:
            self.withdraw(case, noticed + 4 + int(30 * self._random()))
        elif r < 0.085:
            self._returned(case, noticed)
        elif r < 0.16:
            self._slow(case, noticed)
        else:
            self.fetch(case, noticed, noticed)

    def _returned(self, case: Case, noticed: int) -> None:
        returned = self.step(case, self.working(noticed + 5 + int(6 * self._random())), "return")
        if self._random() < 0.7:
            again = self.send_again(case, returned, "notify")
            self.fetch(case, again, again)
        else:
            self.hand_over(case, self.open_day(case.site, returned + 2 + int(3 * self._random())))

    def _slow(self, case: Case, noticed: int) -> None:
        reminded = self.remind(case, noticed)
        if self._random() < 0.6:
            self.fetch(case, reminded, noticed)
        else:
            self.unclaimed(case, reminded)

    def remind(self, case: Case, noticed: int) -> int:
        return self.step(case, self.working(noticed + 44 + int(5 * self._random())), "remind")

    def unclaimed(self, case: Case, reminded: int) -> None:
        """Three months after the reminder the card is given up."""
        gone = self.step(case, self.working(reminded + 76 + int(6 * self._random())), "cancel", "unclaimed")
        self.scrap(case, gone, "unclaimed")

    def fetch(self, case: Case, ready: int, noticed: int) -> None:
        """Books and comes, perhaps at the second or third try; a few come without booking."""
        came = self._come(case, ready)
        end = min(came or self.cut, self.cut)
        if end > noticed + 58 and not any(step[2] == "remind" for step in case.steps):
            self.remind(case, noticed)

    def _come(self, case: Case, ready: int) -> int:
        """The day of the hand-over; 0 when it lies behind the cut or is not decided."""
        for attempt in range(3):
            asked = ready + 1 + int(22 * self._random() ** 2)
            if asked >= self.cut:
                return 0
            if self._random() < 0.14:
                return self.hand_over(case, self.open_day(case.site, asked))
            fate = self._fate(attempt)
            place = self.visits.book(case, case.site, "pickup", asked, asked + 3 + int(11 * self._random()), fate)
            if place is None:
                return self.hand_over(case, self.open_day(case.site, asked + 1))
            if fate == "arrived" or place.day >= self.cut:
                return self.hand_over(case, place.day, place.start + 900)
            ready = place.day
        return 0

    def _fate(self, attempt: int) -> Fate:
        r = self._random()
        if attempt == 2 or r < 0.9:
            return "arrived"
        return "no_show" if r < 0.95 else "cancelled"

    def hand_over(self, case: Case, day: int, second: int = 0) -> int:
        self.step(case, day, "issue", second=second)
        self._afterwards(case, day)
        return day

    # 申請時来庁: the applicant was seen when applying, the card goes by post.

    def _by_mail(self, case: Case) -> None:
        mailed = self.send_again(case, self.preset(case), "mail")
        if self._random() < 0.05:
            mailed = self._mail_returned(case, mailed)
        if mailed:
            self.delivered(case, mailed)

    def _mail_returned(self, case: Case, mailed: int) -> int:
        """The day of the second posting; 0 when the applicant fetched the card instead."""
        returned = self.step(case, self.working(mailed + 8 + int(4 * self._random())), "return")
        if self._random() < 0.7:
            return self.send_again(case, returned, "mail")
        self.hand_over(case, self.open_day(case.site, returned + 2 + int(3 * self._random())))
        return 0

    def delivered(self, case: Case, mailed: int) -> None:
        issued = self.step(case, self.open_day(case.site, mailed + 2 + int(4 * self._random())), "issue", "delivered")
        self._afterwards(case, issued)

    # After the hand-over.

    def _afterwards(self, case: Case, issued: int) -> None:
        r = self._random()
        if r < 0.018:
            self.lose(case, issued + 25 + int(200 * self._random()))
        elif r < 0.026:
            self.surrender(case, issued + 20 + int(250 * self._random()))

    def lose(self, case: Case, day: int) -> None:
        """紛失: revoked, final; most apply again."""
        self.step(case, day, "revoke", "lost")
        if self._random() < 0.75 and len(case.members) == 1:
            case.again = self.open_day(case.site, day + 1 + int(10 * self._random()))
            self.step(case, case.again, "reissue")

    def surrender(self, case: Case, day: int) -> None:
        """返納: revoked and taken back at once, destroyed some days later."""
        self.step(case, day, "revoke", "surrendered", second=36000)
        self.step(case, day, "collect", second=36600)
        self.step(case, self.working(day, 6 + int(9 * self._random())), "dispose", "surrendered")
