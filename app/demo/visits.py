"""Reservations: who asked when, through which channel, for which place, and what became of it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from app import text
from app.demo.actors import CONTRACTOR_OF
from app.demo.card_numbers import notice_no
from app.demo.days import ISO, clock, utc
from app.demo.desks import Desks, Place
from app.demo.diary import Diary
from app.demo.people import Person
from app.demo.places import Home

RESERVATION_COLUMNS = (
    "id",
    "booking_code",
    "group_id",
    "booking_date",
    "start_time",
    "end_time",
    "procedure_name",
    "name",
    "name_kana",
    "birth_date",
    "sex",
    "postal_code",
    "address",
    "building",
    "phone",
    "email",
    "request_detail",
    "state",
    "message",
    "requested_date",
    "requested_time",
    "channel",
    "intake",
    "intake_note",
    "booked_by",
    "language",
    "units",
    "form_token",
    "consent_version",
    "held_until",
    "is_extended",
    "holder",
    "queue_number",
    "arrived_at",
    "state_at",
    "state_reason",
    "state_note",
    "pickup_ref",
    "notice_hash",
    "category_id",
    "counter_id",
    "slot_id",
    "row_stamp",
    "search_key",
)
_REASONS = ("own", "own", "own", "illness", "own", "double", "other")
_NOON = 12 * 3600
Fate = Literal["arrived", "no_show", "cancelled", "expired", "held"]

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32: without 0 O 1 I
_PAIRS = [a + b for a in CODE_LETTERS for b in CODE_LETTERS]
_CODE_SPACE = (1 << 50) - 1
_DAY_HOURS = {
    "web": (6 * 3600, 17 * 3600),
    "callcenter": (9 * 3600, 11 * 3600),
    "counter": (9 * 3600 + 1800, 8 * 3600),
    "reserve": (9 * 3600 + 1800, 8 * 3600),
}  # first second and length of the time in which a channel takes bookings
_SHARES = ((0.62, 0), (0.88, 1), (0.98, 2), (1.0, 3))
# How a booking of each channel was asked for, what was written down of it, and who wrote it.
_INTAKES = {
    "web": ("web", "", ""),
    "callcenter": ("phone", "", "operator"),
    "counter": ("desk", "", "staff"),
    "reserve": ("desk", "", "staff"),
}
_MESSAGES = (
    "車いすで行きます。",
    "耳が不自由なため、筆談をお願いします。",
    "英語の話せる方をお願いします。",
    "子どもを連れて行きます。",
    "駐車場はありますか。",
    "開始時間に少し遅れるかもしれません。",
    "代理人が受け取りに行きます。必要な書類を教えてください。",
)
_HELD_UNTIL = 20 * 3600  # the telephones close
_FAR = 14  # days after the wished one that are tried before somebody gives up and walks in

_BOOKED_BY_PHONE = '{"受付": "電話"}'
_CAME = '{"変更": [{"対象": "来庁予約", "種別": "変更", "項目": {"状態": ["予約済", "来庁済"]}}], "変更件数": 1}'
_CALLED_OFF = '{"変更": [{"対象": "来庁予約", "種別": "変更", "項目": {"状態": ["予約済", "キャンセル"]}}], "変更件数": 1}'


@dataclass(slots=True)
class Party:
    """People who come together: one household, one address, one telephone."""

    members: list[Person]
    home: Home
    phone: str
    email: str
    first_card: int = field(default=0, kw_only=True)  # the number of the first member's card; 0: these come without one


class Visits:
    def __init__(
        self,
        rng: Random,
        desks: Desks,
        diary: Diary,
        categories: dict[str, tuple[int, str]],
        cut: int,
        early: float,
        ref_of: Callable[[int], str],
    ) -> None:
        self._ref_of = ref_of
        self._rng, self._random = rng, rng.random
        self.desks, self._diary, self._categories, self._cut, self._early = desks, diary, categories, cut, early
        self._codes = 0
        self._salt = rng.getrandbits(50)
        self.on: dict[int, int] = defaultdict(int)
        """People booked so far, by day of their visit."""

    def book(
        self, party: Party, site: str, procedure: str, requested: int, day: int, fate: Fate = "arrived", far: int = _FAR
    ) -> Place | None:
        """Books a party from `day` on; the reservation stands in the state that its fate has reached by the cut.

        A place that is given back is looked up but not taken: what counts is who holds it at the end.
        """
        called_off = requested + int(self._random() * (day - requested)) if fate == "cancelled" else 0
        if called_off >= self._cut:
            fate = "arrived"
        units = 2 if self._random() < 0.004 and len(party.members) == 1 else 1
        place = self._place(site, procedure, day, units * len(party.members), far)
        if place is None:
            return None
        if fate == "expired" and place.channel != "web":
            fate = "cancelled"  # only the web holds places for a while
        if fate in ("cancelled", "expired"):
            self._give_back(site, procedure, place, units * len(party.members))
        self._write(party, procedure, place, requested, fate, units, max(called_off, requested))
        self._log(place, site, requested, fate, called_off)
        return place

    def _place(self, site: str, procedure: str, day: int, units: int, far: int) -> Place | None:
        r = self._random()
        channel = next(i for share, i in _SHARES if r < share)
        for later in range(far):
            sheet = self.desks.sheet(site, procedure, day + later)
            if sheet and (place := sheet.take(units, channel, self._random, self._early)):
                return place
        return None

    def _give_back(self, site: str, procedure: str, place: Place, units: int) -> None:
        sheet = self.desks.sheet(site, procedure, place.day)
        assert sheet is not None
        sheet.used[place.slot_id - sheet.first_id] -= units

    def _write(self, party: Party, procedure: str, place: Place, requested: int, fate: Fate, units: int, called_off: int) -> None:
        category, procedure_name = self._categories[procedure]
        state: str = fate if place.day < self._cut or fate in ("cancelled", "expired", "held") else "booked"
        held_until = utc(self._cut, _HELD_UNTIL) if fate == "held" else None
        r, channel = self._random, place.channel
        opens, length = _DAY_HOURS[channel]
        second = opens + int(r() * length)
        group = self._group_id() if len(party.members) > 1 else None
        is_web = channel == "web"
        email = party.email if is_web or r() < 0.1 else ""
        message = _MESSAGES[int(r() * len(_MESSAGES))] if r() < 0.03 else ""
        times = (ISO[place.day], clock(place.start), clock(place.end), procedure_name)
        for n, person in enumerate(party.members):
            # Who has booked by the number of a notice; in the story it is the number itself (`app.demo.pickups.sealed`).
            card = party.first_card + n if procedure == "pickup" and state == "booked" and party.first_card else 0
            arrived = utc(place.day, place.start - 600 + int(r() * 900)) if state == "arrived" else None
            became = {
                "arrived": arrived,
                "no_show": utc(place.day + 1, 0),
                "cancelled": utc(called_off, max(second, _NOON)),
                "expired": utc(requested, second + 600),
            }.get(state)
            self._diary.reservation(
                requested,
                (
                    second,
                    self._code(),
                    group,
                    *times,
                    person.name,
                    person.kana,
                    ISO[person.birth],
                    person.sex,
                    party.home.postal_code,
                    party.home.street,
                    party.home.building,
                    party.phone,
                    email if person is party.members[0] else "",
                    self._detail(person, place.day),
                    state,
                    message,
                    ISO[requested],
                    clock(second),
                    channel,
                    *_INTAKES[channel],
                    "ja",
                    units,
                    self._token() if is_web else None,
                    "1" if is_web else "",
                    held_until,
                    False,
                    None,
                    None,
                    arrived,
                    became,
                    _REASONS[self._codes % len(_REASONS)] if state == "cancelled" else "",
                    "",
                    self._ref_of(card) if card else None,
                    notice_no(card) if card else None,
                    category,
                    place.counter_id,
                    place.slot_id,
                    1,
                    text.placed(person.key, (place.counter_id,)),
                ),
            )
        self.on[place.day] += len(party.members)

    def _detail(self, person: Person, day: int) -> str:
        if day - person.birth < 15 * 365:
            return '{"来庁者": "本人と法定代理人"}'
        return '{"来庁者": "任意代理人"}' if self._random() < 0.02 else '{"来庁者": "本人"}'

    def _log(self, place: Place, site: str, requested: int, fate: Fate, called_off: int) -> None:
        at = 32400 + int(self._random() * 39600)
        if place.channel == "callcenter":
            self._diary.log(requested, at, "operator", "reservation", "add", _BOOKED_BY_PHONE)
        if fate == "cancelled":
            self._diary.log(max(called_off, requested), at, "operator", "reservation", "edit", _CALLED_OFF)
        elif fate == "arrived" and place.day < self._cut:
            came = place.start - 300 + int(600 * self._random())
            self._diary.log(place.day, came, CONTRACTOR_OF[site], "reservation", "edit", _CAME)

    def _code(self) -> str:
        """Ten letters that look random and never repeat: multiplying by an odd number and shifting lose nothing."""
        self._codes += 1
        n = (self._codes * 0x2545F4914F6CDD1D + self._salt) & _CODE_SPACE
        n ^= n >> 25
        n = (n * 0x5851F42D4C957F2D) & _CODE_SPACE
        n ^= n >> 27
        return _PAIRS[n & 1023] + _PAIRS[n >> 10 & 1023] + _PAIRS[n >> 20 & 1023] + _PAIRS[n >> 30 & 1023] + _PAIRS[n >> 40]

    def _group_id(self) -> str:
        """As a version 4 UUID, with letters where its digits could join to twelve in a row."""
        n = self._rng.getrandbits(128)
        words = f"{n:032x}"
        return f"{words[:8]}-{words[8:11]}c-4{words[13:16]}-a{words[17:20]}-e{words[21:]}"

    def _token(self) -> str:
        return urlsafe_b64encode(self._rng.randbytes(32))[:43].decode()


def phone(random: Callable[[], float]) -> str:
    """Eleven digits that no telephone company gives out: mobile numbers never go on with 0 after 090."""
    return f"0900{int(random() * 10_000_000):07d}"


def email(random: Callable[[], float]) -> str:
    return f"kobe{int(random() * 1_000_000)}@example.com" if random() < 0.75 else ""
