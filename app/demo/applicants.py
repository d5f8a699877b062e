"""Who comes and who applies: parties of one home, the satellite they choose, the way they apply and what for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from app.demo.days import ISO
from app.demo.lives import Case
from app.demo.masters import SITES
from app.demo.omissions import BY_MAIL, FOREIGN
from app.demo.people import People, Person
from app.demo.places import Places
from app.demo.visits import Party, email, phone

_CHANNELS = ("smartphone",) * 9 + ("post",) * 5 + ("pc",) * 2 + ("photo_booth",) * 2 + ("counter", "proxy_post")
_AT_COUNTER = ("counter", "counter", "proxy_online")
# (up to which share of applications, 交付種別, 登録事由)
_KINDS = (
    (0.86, "new", "first"),
    (0.95, "renewal", "expiry"),
    (0.963, "reissue", "lost"),
    (0.971, "reissue", "damaged"),
    (0.975, "reissue", "defective"),
    (0.977, "reissue", "burnt"),
    (0.985, "remarks_full", "remarks"),
    (0.988, "reissue", "number_change"),
    (0.991, "overseas", "other"),
    (1.0, "express", "lost"),
)
_EXPRESS_SINCE = "2024-12-02"


class Applicants:
    def __init__(self, rng: Random, people: People, places: Places, is_open: Callable[[str, int], bool]) -> None:
        self._random, self._people, self._places, self._is_open = rng.random, people, places, is_open

    def household(self, day: int, limit: int) -> Case:
        """One to five people who apply together; `limit` is how many the day still has room for."""
        r = self._random
        size = min(limit, 2 + int(3.2 * r() ** 2)) if r() < 0.1 else 1
        case = self._case(self.party(day, size), day)
        case.kind, case.reason = self._purpose(day) if size == 1 else ("new", "first")
        if r() < 0.27:
            self._in_person(case)
        return case

    def odd(self, oddity: str, day: int) -> Case:
        """One person whose application goes wrong, or who is rare."""
        people = self._people
        if oddity in FOREIGN:
            person = people.foreigner(day, long=oddity == "long_name")
        elif oddity == "old_form":
            person = people.member(people.old_form(), day, 25 + int(40 * self._random()))
        else:
            person = people.member(people.family(), day, 25 + int(50 * self._random()))
        case = self._case(self._at_home([person]), day)
        case.oddity = oddity
        if oddity in BY_MAIL:
            case.visit_type, case.channel = "at_application", "counter"
        if oddity == "fee_not_collected":
            case.kind, case.reason = "reissue", "lost"
        return case

    def again(self, case: Case, day: int) -> Case:
        """再発行: the same people apply anew at the counter."""
        anew = Case(case.members, case.home, case.phone, case.email, case.site, day, "at_issue", "counter", "reissue", "lost")
        if self._random() < 0.5:
            anew.visit_type = "at_application"
        return anew

    def party(self, day: int, size: int) -> Party:
        """So many people of one home: one alone, or parents and children of one name."""
        return self._at_home(self._family(day, size) if size > 1 else [self._person(day)])

    def _at_home(self, members: list[Person]) -> Party:
        return Party(members, self._places.home(), phone(self._random), email(self._random))

    def _person(self, day: int) -> Person:
        people = self._people
        return people.foreigner(day) if self._random() < 0.02 else people.member(people.family(), day, people.age())

    def _family(self, day: int, size: int) -> list[Person]:
        people, name = self._people, self._people.family()
        age = 28 + int(20 * self._random())
        parents = [people.member(name, day, age, "female"), people.member(name, day, age + 2, "male")]
        return parents[:size] + [people.member(name, day, int((age - 22) * self._random())) for _ in range(size - 2)]

    def _case(self, party: Party, day: int) -> Case:
        r = self._random
        site = party.home.satellite if r() < 0.85 else SITES[0]
        channel = _CHANNELS[int(r() * len(_CHANNELS))]
        return Case(party.members, party.home, party.phone, party.email, site, day, channel=channel)

    def _purpose(self, day: int) -> tuple[str, str]:
        r = self._random()
        kind, reason = next((kind, reason) for share, kind, reason in _KINDS if r <= share)
        return ("reissue", reason) if kind == "express" and ISO[day] < _EXPRESS_SINCE else (kind, reason)

    def _in_person(self, case: Case) -> None:
        """申請時来庁, where somebody is there to receive them."""
        if not self._is_open(case.site, case.applied):
            case.site = SITES[0]
        if self._is_open(case.site, case.applied):
            case.visit_type, case.channel = "at_application", _AT_COUNTER[int(3 * self._random())]
