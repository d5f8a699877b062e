"""Many people at one application: what one of them asks never becomes part of what another is shown.

FAB keeps the filters of a list on its view, which all threads share; there, two people who ask at the same moment get each other's
filters, and for a moment none.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import CardState, ItemKind, ReservationState
from tests import samples
from tests.conftest import sign_in
from tests.pages import find, ids
from tests.rows import card, reservation

ROUNDS = 30
HOMES = {"staff": "sannomiya", "staff2": "shin-nagata"}
PEOPLE = [*HOMES] * 3
"""Three browsers of each account."""
NAMES = {CardState.APPLIED: "青木　一郎", CardState.ARRIVED: "馬場　二郎", CardState.PRESET: "千葉　三郎"}
KINDS = {CardState.APPLIED: ItemKind.OTHER, CardState.ARRIVED: ItemKind.NOTICE, CardState.PRESET: ItemKind.REMINDER}


@dataclass(frozen=True)
class Question:
    """A list, what is asked of it, and the keys of exactly those rows that answer it."""

    table: str
    asked: str
    answer: frozenset[int]

    def answered(self, person: FlaskClient) -> set[int]:
        """What the list shows this person. Words are typed into the search box, anything else is a filter in the address."""
        is_words = self.asked and not self.asked.startswith("?")
        page = find(person, self.table, self.asked) if is_words else person.get(f"/{self.table}/list/{self.asked}")
        return set(ids(page.text, self.table))


def questions(session: Session, at: str) -> list[Question]:
    """Rows of a counter, and what its clerks may ask of them. People and filters are the same at every counter, the rows are not."""
    cards = {state: [card(session, at, name, state=state) for _ in range(2)] for state, name in NAMES.items()}
    sent = {state: samples.shipment(session, row, item_kind=KINDS[state]) for state, (row, _) in cards.items()}
    visits = {state: reservation(session, at, state=state) for state in (ReservationState.BOOKED, ReservationState.ARRIVED)}
    keys = {state: frozenset(row.id for row in rows) for state, rows in cards.items()}
    return [
        Question("card", "", frozenset().union(*keys.values())),
        *(Question("card", f"?state={state.value}", found) for state, found in keys.items()),
        *(Question("card", NAMES[state], found) for state, found in keys.items()),
        *(Question("shipment", f"?item_kind={KINDS[state].value}", frozenset({row.id})) for state, row in sent.items()),
        *(Question("reservation", f"?state={state.value}", frozenset({row.id})) for state, row in visits.items()),
    ]


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that change places far more often than they would by themselves."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_nobody_is_shown_what_another_asked_for(staff_app: Flask, session: Session) -> None:
    asked = {username: questions(session, at) for username, at in HOMES.items()}
    session.commit()

    def wrong(seat: int) -> list[tuple[str, Question, set[int]]]:
        """What one browser was shown and had not asked for."""
        rng, username, person = random.Random(seat), PEOPLE[seat], browsers[seat]
        turns = [(question, question.answered(person)) for question in rng.choices(asked[username], k=ROUNDS)]
        return [(username, question, found) for question, found in turns if found != question.answer]

    # Not the browsers of the other tests, which share this test's session.
    browsers = [FlaskClient(staff_app, staff_app.response_class) for _ in PEOPLE]
    for username, person in zip(PEOPLE, browsers, strict=True):
        sign_in(person, username)
    with ThreadPoolExecutor(len(PEOPLE)) as seats:
        assert [fault for faults in seats.map(wrong, range(len(PEOPLE))) for fault in faults] == []
