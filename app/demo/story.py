"""N years of the office, day by day: who applies, who comes, what is written down. Rows go out once nothing can change them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from app.demo.applicants import Applicants
from app.demo.cards import Cards
from app.demo.days import WorkingDays
from app.demo.desks import Desks
from app.demo.diary import Diary, Write
from app.demo.lives import Case, Lives
from app.demo.masters import SITES
from app.demo.omissions import WINDOWS, Oddities
from app.demo.people import People
from app.demo.pickups import WAITING, Refs
from app.demo.places import Places
from app.demo.routine import Routine
from app.demo.visits import Fate, Visits
from app.demo.volumes import BOOKABLE, OPEN_DAYS, Calendar, Volume

_YEAR = 365  # days
_RECENT = 14  # days: of older ones a small volume keeps only slots that somebody booked


@dataclass(frozen=True)
class Office:
    """What the database already holds: satellites and procedures by code with number and name, desks, the next log number."""

    sites: dict[str, tuple[int, str]]
    categories: dict[str, tuple[int, str]]
    desks: Desks
    next_log_id: int


class Story:
    def __init__(self, office: Office, volume: Volume, calendar: Calendar, rng: Random, write: Write, ref_of: Refs) -> None:
        self._volume, self._calendar, self._desks, self._random, self._write = volume, calendar, office.desks, rng.random, write
        cut = calendar.cut
        self._diary = Diary(write, office.next_log_id)
        self._visits = Visits(rng, office.desks, self._diary, office.categories, cut, volume.early, ref_of)
        self._lives = Lives(rng, WorkingDays(calendar.first - 60, cut + 800), self._visits, cut)
        self._oddities = Oddities(self._lives)
        self._cards = Cards(rng, self._diary, cut, office.sites, ref_of)
        self._applicants = Applicants(rng, People(rng), Places(rng), office.desks.is_open)
        self._routine = Routine(rng, self._diary, calendar.applications, volume.log_per_card)
        self._again: dict[int, list[Case]] = defaultdict(list)
        self._odd = self._odd_days()
        self._known: dict[int, int] = {}  # cards registered by the end of each day
        self._owed = {"cards": 0, "visits": 0}
        self._closed_to = self._today = calendar.first

    def _odd_days(self) -> dict[int, list[str]]:
        """On which day which oddity applies."""
        found: dict[int, list[str]] = defaultdict(list)
        for oddity, (begin, end) in WINDOWS.items():
            for _ in range(self._volume.oddities):
                found[self._calendar.cut - end - int(self._random() * (begin - end + 1))].append(oddity)
        return found

    def tell(self, progress: Callable[[int, int], None], keep: Callable[[], None]) -> None:
        """Every day up to the last that can be booked. `keep` is called after each whole year: what was written until then and
        the story itself are enough to go on from there."""
        first, cut = self._calendar.first, self._calendar.cut
        end = cut + OPEN_DAYS + 1
        while self._today < end:
            day = self._today
            if day < cut:
                self._receive(day)
            self._fill(day)
            is_long_ago = self._volume.crowded_days > 0 and cut - day > _RECENT
            self._write("slot", self._desks.close(day, booked_only=is_long_ago))
            self._close_to(day - BOOKABLE)
            self._today += 1
            progress(self._today - first, end - first)
            if self._today < cut and (self._today - first) % _YEAR == 0:
                keep()
        self._close_to(end)

    def _close_to(self, day: int) -> None:
        """Writes what waits of the days before `day`: no visit can be asked for so early any more."""
        for past in range(self._closed_to, min(day, self._calendar.cut)):
            self._routine.fill(past, self._known[past])
        self._closed_to = max(self._closed_to, day)
        self._diary.write_before(day)

    def _receive(self, day: int) -> None:
        """The applications of a day: those who lost their card, the odd ones, then everybody else."""
        self._owed["cards"] += self._calendar.applications[day]
        for lost in self._again.pop(day, []):
            self._admit(self._applicants.again(lost, day))
        for oddity in self._odd.pop(day, []):
            self._admit(self._applicants.odd(oddity, day))
        while self._owed["cards"] > 0:
            self._admit(self._applicants.household(day, self._owed["cards"]))
        self._known[day] = self._cards.made
        self._write("card", self._cards.rows)
        self._write(WAITING, self._cards.waiting)
        self._cards.rows, self._cards.waiting = [], []

    def _admit(self, case: Case) -> None:
        case.first_card = self._cards.made + 1
        if case.is_walk_in and case.oddity == "" and self._random() < 0.8:
            asked = max(self._calendar.first, case.applied - 3 - int(40 * self._random()))
            procedure = "reissue" if case.kind == "reissue" else "apply"
            self._visits.book(case, case.site, procedure, asked, case.applied, far=1)
        if case.oddity:
            self._oddities.plan(case)
        else:
            self._lives.plan(case)
        self._cards.write(case)
        self._owed["cards"] -= len(case.members)
        if case.again and case.again < self._calendar.cut:
            self._again[case.again].append(case)

    def _fill(self, day: int) -> None:
        """Visits for which no card is in the database bring a day to its number."""
        wanted = self._calendar.visits.get(day, 0)
        if not wanted:
            return
        self._owed["visits"] += wanted - self._visits.on.pop(day, 0)
        failures = 0
        while self._owed["visits"] > 0 and failures < 20:
            came = self._visit(day, self._owed["visits"])
            self._owed["visits"] -= came
            failures += came == 0

    def _visit(self, day: int, limit: int) -> int:
        """Books one party for a certificate, or one that never comes for its application; says how many people."""
        r, cut = self._random, self._calendar.cut
        size = min(limit, 2 + int(2 * r())) if r() < 0.06 else 1
        party = self._applicants.party(day, size)
        asked = max(self._calendar.first, day - BOOKABLE, min(day - 3 - int(42 * r() ** 1.6), cut - 1 - int(3 * r())))
        fate = "held" if asked == cut - 1 and r() < self._volume.held else self._fate()
        procedure = "apply" if fate != "arrived" and r() < 0.7 else "certificate"
        for site in dict.fromkeys((party.home.satellite, *SITES)):
            if self._visits.book(party, site, procedure, asked, day, fate, far=1):
                return size
        return 0

    def _fate(self) -> Fate:
        r = self._random()
        return "arrived" if r < 0.86 else "no_show" if r < 0.91 else "cancelled" if r < 0.99 else "expired"
