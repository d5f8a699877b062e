"""A resident at the site, step by step as a person goes: procedures, counters, month, times, a time held, form, check page, booked,
done. Each step reads what the page before it offered, so that a page that leads nowhere is noticed."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from bench.browsing import Answer, Browser, Fields, fields

_WHOSE = re.compile(r"[?&]person=([0-9]+)")
_CODE = re.compile(r'class="code">([^<]+)<')


@dataclass(frozen=True)
class Place:
    """A slot, the page of the times of its day, and how many come together."""

    id: int
    day: str
    people: int = 1

    @property
    def form(self) -> str:
        return f"{self.day}{self.id}/"

    @property
    def above(self) -> list[str]:
        """The pages that lead to that day: procedures, counters, month."""
        steps = self.day.split("/")  # "", book, procedure, counter, day, ""
        return ["/".join(steps[:end]) + "/" for end in range(2, 5)]

    @property
    def query(self) -> str:
        return f"?people={self.people}" if self.people > 1 else ""


@dataclass
class Walk:
    """One booking on its way. Every step can be taken again when its answer was lost, as people press a button once more."""

    browser: Browser
    place: Place
    person: Fields
    page: Answer = field(init=False)

    def look(self) -> None:
        for path in self.place.above:
            self.browser.open(path + self.place.query)

    def times(self) -> None:
        self.page = self.browser.open(self.place.day + self.place.query)

    def hold(self) -> Answer:
        """Chooses the time; the answer leads to the form, or it is a page with other times."""
        form = fields(self.page.page, having="slot")
        return self.browser.ask(self.page.path, {**form, "slot": str(self.place.id)})

    def form(self, path: str) -> None:
        self.page = self.browser.open(path)

    def send(self) -> Answer:
        """Sends the entry of the person whose form it is; for a household the answer leads to the next one's."""
        form, whose = fields(self.page.page, having="website"), _WHOSE.search(self.page.path)
        typed = _member(whose[1], self.person) if whose else self.person
        return self.browser.ask(self.page.path, {**form, **typed})

    @property
    def is_checked(self) -> bool:
        return "/check" in self.page.path

    def confirm(self) -> Answer:
        check = fields(self.page.page, having="seal")
        return self.browser.ask(self.page.path.replace("/check", "/confirm"), {**check, "consent": "y"})

    def done(self, path: str) -> str:
        """The code of the booking, as its page shows it."""
        found = _CODE.search(self.browser.open(path).page)
        if found is None:
            raise RuntimeError(f"{path} shows no booking")
        return found[1].strip().replace("-", "")

    def to_the_end(self) -> Answer:
        """The whole way. The answer of the request that books, or of the one that ended the way before."""
        self.look()
        self.times()
        answer = self.hold()
        while answer.status == 303 and not answer.location.startswith("/booked/"):
            self.form(answer.location)
            answer = self.confirm() if self.is_checked else self.send()
        if answer.status == 303:
            self.done(answer.location)
        return answer


def _member(number: str, person: Fields) -> Fields:
    """The further person of a household with this number."""
    own = ("name", "name_kana", "birth_year", "birth_month", "birth_day", "sex")
    name = f"{person['name']}{_letters(int(number))}"
    return {f"m{number}-{key}": name if key == "name" else person[key] for key in own}


def somebody() -> Fields:
    """Somebody who is nobody else: fairness counts by telephone, and by name and birth date."""
    number = secrets.randbits(40)
    return {
        "name": f"神戸 花子{_letters(number)}",
        "name_kana": "コウベ ハナコ",
        "birth_year": "昭和35",
        "birth_month": "4",
        "birth_day": "1",
        "sex": "",
        "postal_code": "650-0001",
        "address": "神戸市中央区加納町6丁目5番1号",
        "building": "",
        "phone": f"080{number % 10**8:08}",
        "email": f"{number:x}@example.jp",
        "message": "",
    }


def _letters(number: int) -> str:
    """A number without a digit: a row of those might be taken for a 個人番号."""
    return "".join(chr(ord("あ") + 2 * int(digit)) for digit in str(number))


def address() -> str:
    number = secrets.randbits(24)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
