"""Demo people: a name of two parts drawn by how common it is, its reading, its search keys and its gaiji."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from app import text
from app.demo import names

_DRAWS = 20_000  # length of a weighted list: a draw is one index, and the rarest name still stands in it a few times
_FLAT = 15  # how flat the curve is: the first name then has about 2 % of its list, as 佐藤 has


class Part(NamedTuple):
    """A family or given name, with the ends of its search pieces ready to be joined to another part."""

    name: str
    kana: str
    lead: str  # pieces of the name when something follows
    tail: str  # pieces of the name when something precedes
    first: str
    last: str
    kana_lead: str
    kana_tail: str
    kana_first: str
    kana_last: str
    gaiji: bool
    substitute: bool
    alone: str
    kana_alone: str


class Person(NamedTuple):
    name: str
    kana: str
    key: str  # search key of a row with name and reading
    name_key: str  # search key of a row with the name alone
    sex: str
    gaiji: bool
    substitute: bool
    foreign: bool
    birth: int


class Name(NamedTuple):
    name: str
    kana: str
    key: str
    name_key: str
    gaiji: bool
    substitute: bool


def needs_gaiji(name: str) -> bool:
    """外字有無: a private, variant-selected, compatibility or non-BMP character that a print font may lack."""
    return any("\ue000" <= c <= "\uf8ff" or "\uf900" <= c <= "\ufaff" or c >= "\U00010000" for c in name)


def needs_substitute(name: str) -> bool:
    """代替文字: the signature certificate allows JIS X 0208 and 0212 only, which is what EUC-JP can write."""
    try:
        name.encode("euc_jp")
    except UnicodeEncodeError:
        return True
    return False


def part(name: str, kana: str) -> Part:
    folded, read = text.fold(name), text.fold(kana)
    pieces, kana_pieces = text.pieces(name), text.pieces(kana)
    many, kana_many = len(folded) > 1, len(read) > 1
    return Part(
        name,
        kana,
        f"{pieces} " if many else "",
        f" {pieces}" if many else "",
        folded[0],
        folded[-1],
        f"{kana_pieces} " if kana_many else "",
        f" {kana_pieces}" if kana_many else "",
        read[0],
        read[-1],
        needs_gaiji(name),
        needs_substitute(name),
        "" if many else folded,
        "" if kana_many else read,
    )


def full_name(family: Part, given: Part) -> Name:
    """Joins two parts; the keys are exactly `text.search_key` of the whole, without folding every person again."""
    name_key = f"{family.lead}{family.last}{given.first}{given.tail}"
    kana_key = f"{family.kana_lead}{family.kana_last}{given.kana_first}{given.kana_tail}"
    alone, kana_alone = (family.alone, given.alone), (family.kana_alone, given.kana_alone)
    return Name(
        f"{family.name}　{given.name}",
        f"{family.kana} {given.kana}",
        _joined(name_key, kana_key, *alone, *kana_alone),
        _joined(name_key, *alone),
        family.gaiji or given.gaiji,
        family.substitute or given.substitute,
    )


def _joined(*keys: str) -> str:
    return " | ".join(dict.fromkeys(filter(None, keys)))


def whole_name(name: str, kana: str) -> Name:
    return Name(name, kana, text.search_key([name, kana]), text.search_key([name]), needs_gaiji(name), needs_substitute(name))


def families() -> list[Part]:
    """The weighted list of family names, each written the older way by its share of families."""
    readings = dict(word.split(":") for word in names.FAMILY.split())
    shares: dict[str, list[tuple[str, int]]] = {}
    for base, variant, percent in (word.split(":") for word in names.VARIANTS.split()):
        shares.setdefault(base, []).append((variant, int(percent)))
    weighted: list[Part] = []
    for name, copies in _zipf(list(readings)):
        kana, left = readings[name], copies
        for variant, share in shares.get(name, []):
            some = max(1, copies * share // 100)
            weighted += [part(variant, kana)] * some
            left -= some
        weighted += [part(name, kana)] * max(1, left)
    return weighted


def givens(listed: str) -> list[Part]:
    readings = [tuple(word.split(":")) for word in listed.split()]
    made = {name: part(name, kana) for name, kana in readings}
    return [made[name] for name, copies in _zipf([name for name, _ in readings]) for _ in range(copies)]


def _zipf(ranked: Sequence[str]) -> list[tuple[str, int]]:
    """How often each of the ranked names stands in a weighted list."""
    total = sum(1 / (rank + _FLAT) for rank in range(1, len(ranked) + 1))
    return [(name, max(1, round(_DRAWS / (rank + _FLAT) / total))) for rank, name in enumerate(ranked, 1)]


def _listed(lines: str) -> list[tuple[Name, str]]:
    return [(whole_name(name, kana), sex) for name, kana, sex in (line.split("|") for line in lines.strip().splitlines())]


class People:
    """Draws persons. Ages fall on every band, so that every rule about them has somebody."""

    def __init__(self, rng: Random) -> None:
        self._random = rng.random
        self._families, self._males, self._females = families(), givens(names.MALE), givens(names.FEMALE)
        self._foreign, self._long = _listed(names.FOREIGN), _listed(names.LONG)
        self._old_forms = [p for p in dict.fromkeys(self._families) if p.gaiji or p.substitute]

    def family(self) -> Part:
        return self._families[int(self._random() * len(self._families))]

    def old_form(self) -> Part:
        """A family name with 髙, 﨑, 𠮷 or a variation selector."""
        return self._old_forms[int(self._random() * len(self._old_forms))]

    def member(self, family: Part, day: int, age: int, sex: str = "") -> Person:
        """A person of about an age on a day."""
        r = self._random
        sex = sex or ("male" if r() < 0.49 else "female")
        given = self._males if sex == "male" else self._females
        return self._person(full_name(family, given[int(r() * len(given))]), sex, day, age, foreign=False)

    def foreigner(self, day: int, *, long: bool = False) -> Person:
        listed = self._long if long else self._foreign
        name, sex = listed[int(self._random() * len(listed))]
        return self._person(name, sex, day, 20 + int(self._random() * 45), foreign=True)

    def age(self) -> int:
        """0 to 99, mostly grown up."""
        r = self._random
        return int(r() * 55 + r() * 45)

    def _person(self, name: Name, sex: str, day: int, age: int, *, foreign: bool) -> Person:
        birth = day - int((age + self._random()) * 365.25) - 1
        return Person(name.name, name.kana, name.key, name.name_key, sex, name.gaiji, name.substitute, foreign, birth)
