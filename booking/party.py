"""Who comes, and for what: how many people and which further procedures the address names, and the forms of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask import request

from app.rules.bookings import Applicant
from booking.forms import ApplicantForm, Entry, MemberForm

MOST_PROCEDURES = 3


@dataclass(frozen=True)
class Company:
    """What the address says besides procedure, place and time. Nothing of it is believed before the rules have seen it."""

    people: int = 1
    also: tuple[str, ...] = ()

    @property
    def in_address(self) -> dict[str, object]:
        """As it travels: nothing for the usual person who comes alone for one thing."""
        return {"people": self.people if self.people > 1 else None, "also": list(self.also) or None}


def asked() -> Company:
    """The company of this request's address; a word that is no number is one person."""
    words = request.args.get("people", "")
    number = int(words) if words.isascii() and words.isdecimal() and len(words) <= 2 else 1
    also = tuple(dict.fromkeys(code for code in request.args.getlist("also") if code))[: MOST_PROCEDURES - 1]
    return Company(max(number, 1), also)


class PartyForms:
    """The form of who books, and of each further person of the household: one page each, one entry together."""

    def __init__(self, formdata: Entry | None, *, people: int, today: date, kind: type[ApplicantForm] = ApplicantForm) -> None:
        self.first = kind(formdata, today=today)
        self.members = [MemberForm(formdata, prefix=f"m{n}-", today=today) for n in range(2, people + 1)]

    @property
    def sheets(self) -> list[ApplicantForm | MemberForm]:
        return [self.first, *self.members]

    def sheet(self, person: int) -> ApplicantForm | MemberForm:
        return self.sheets[min(max(person, 1), len(self.sheets)) - 1]

    def unfinished(self) -> int:
        """The number of the first person whose answers are not good yet; 0 when everybody's are."""
        return next((n for n, sheet in enumerate(self.sheets, 1) if not sheet.validate()), 0)

    @property
    def refused(self) -> list[str]:
        return [label for sheet in self.sheets for label in sheet.refused]

    def entry(self) -> Iterator[tuple[str, str]]:
        """Every answer of everybody as typed, to be carried on in hidden fields."""
        return (answer for sheet in self.sheets for answer in sheet.entry())

    def others(self, person: int) -> Iterator[tuple[str, str]]:
        """The answers of everybody but one."""
        shown = self.sheet(person)
        return (answer for sheet in self.sheets if sheet is not shown for answer in sheet.entry())

    def people(self) -> list[Applicant]:
        """Everybody, once the forms are valid: a household has one address and one telephone."""
        first = self.first.applicant()
        return [first, *(member.applicant(first) for member in self.members)]
