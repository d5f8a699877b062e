"""kill -9 in the middle of a booking: nothing is half, whoever was told that they have a booking has it, and every mail goes once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter as Tally
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.rules import holds, invariants
from app.rules.holds import HELD_FOR, Wish
from app.rules.opening import days_ahead, open_slots
from bench.walking import Place
from config import ROOT
from models import (
    BookingCategory,
    Channel,
    Counter,
    DeskPool,
    MailKind,
    MailState,
    OperationLog,
    Outbox,
    Reservation,
    ReservationState,
    Slot,
)
from tests.booking_pages import day_path, free_slot, today
from tests.conftest import House
from tests.killed import Client, all_at_once, environment, resident_site
from tests.test_booking_rules import RNG, request
from tests.test_mails import Mailbox, mail_server, person

CLIENTS = int(os.environ.get("KILL_CLIENTS", "16"))
POINTS = ["hold.taken", "booking.hold.committed", "confirm.filled", "confirm.outbox", "booking.confirm.committed"]
NOT_AGAIN = ["booking.hold.committed", "confirm.filled"]
"""On SQLite nothing else than at the points beside them: the whole product starts again each time."""
BOOKED, HELD = ReservationState.BOOKED, ReservationState.HELD


class Stored(NamedTuple):
    """What is there of one person's booking: the states of its reservations, its mails, and its rows of the log."""

    states: tuple[ReservationState, ...]
    mails: int
    acts: int


def stored(session: Session) -> dict[str, Stored]:
    """By telephone number. What is only held is nobody's yet."""
    session.rollback()
    session.expire_all()
    rows = session.scalars(select(Reservation).where(Reservation.phone != "").order_by(Reservation.id)).all()
    mails = Tally(session.scalars(select(Outbox.reservation_id).where(Outbox.kind == MailKind.CONFIRMED)))
    told = session.scalars(select(OperationLog.detail).where(OperationLog.action_code == "reservation.book"))
    acts = Tally(change["番号"] for detail in told for change in detail.get("変更", ()))
    found = {}
    for phone in {row.phone for row in rows}:
        theirs = [row for row in rows if row.phone == phone]
        found[phone] = Stored(
            tuple(row.state for row in theirs), sum(mails[row.id] for row in theirs), max(acts[row.id] for row in theirs)
        )
    return found


@pytest.fixture
def places(session: Session) -> list[Place]:
    """Times for single people and for households, with places for all; wanted by the masters, whom the site's own work follows."""
    session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one().max_party = 2
    session.execute(update(BookingCategory).values(earliest_days=10), execution_options={"by_rule": "test"})  # few places to open
    pool = session.scalars(select(DeskPool).join(Counter).where(DeskPool.name == "交付窓口", Counter.code == "sannomiya")).one()
    pool.web_places = 4 * CLIENTS
    open_slots(session, today=today(), days=days_ahead(session))
    later = Slot.slot_date > today() + timedelta(days=4)
    wanted = select(Slot).where(Slot.desk_pool_id == pool.id, Slot.channel == Channel.WEB, later).order_by(Slot.id).limit(2)
    slots = session.scalars(wanted).all()
    session.commit()
    return [Place(slot.id, day_path(slot), people) for slot in slots for people in (1, 2)]


@pytest.mark.timeout(600)  # with 200 clients
@pytest.mark.parametrize("point", POINTS)
def test_a_site_that_is_killed_while_people_book_leaves_nothing_half(
    database: House, session: Session, places: list[Place], point: str, tmp_path: Path
) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if is_sqlite and point in NOT_AGAIN and not os.environ.get("KILL_CLIENTS"):
        pytest.skip("only with KILL_CLIENTS")
    session.rollback()
    database.let_go()
    database.database.is_changed = True  # by processes that the fixture does not see
    with resident_site(database.settings.database_url, f"{point}:{CLIENTS // 2}", str(tmp_path)) as (port, deaths):
        clients = [Client(port, places[n % len(places)], is_patient=n % 3 > 0) for n in range(CLIENTS)]
        all_at_once(clients)
        died = deaths()
    assert died, "nobody was killed"
    assert sum(client.lost for client in clients), "nobody noticed"
    found, codes = stored(session), Tally(session.scalars(select(Reservation.booking_code)))
    for client in clients:
        theirs = found.pop(client.person["phone"], None)
        if client.is_patient or client.answered:
            assert theirs, "who was told that they have a booking has one"
        if theirs:
            assert theirs == ((BOOKED,) * client.place.people, 1, 1), "all of it, one mail, and told in the log once"
        assert not client.code or codes[client.code] == 1
    assert not found
    assert broken(session) == []


def broken(session: Session) -> list[str]:
    session.rollback()
    return [finding.rule for finding in invariants.check(session, datetime.now(UTC)) if finding.broken]


# -- the job worker ---------------------------------------------------------------------------------------------------


def work(url: str, mail: str, *words: str, point: str = "") -> int:
    """Has the worker run until it ends or is killed; says how it ended."""
    env = {**environment(url), "MAIL_URL": mail, "FAULT_POINT": point}
    command = [sys.executable, "-m", "flask", "--app", "run", "jobs", "worker", *words]
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, timeout=90, check=False).returncode


def later(session: Session) -> None:
    """The time passes for which the dead worker had borrowed its mails."""
    session.rollback()
    session.execute(update(Outbox).values(leased_until=None), execution_options={"by_rule": "test"})
    session.commit()


@pytest.fixture
def booked(session: Session) -> list[Reservation]:
    rows = []
    for n in range(4):
        wish = request(free_slot(session, hour=9 + n), f"{n:043}", applicant=person(f"n{n}@example.jp", phone=f"078123456{n}"))
        rows.append(session.get_one(Reservation, holds.confirm(session, wish, datetime.now(UTC), rng=RNG)))
    session.commit()
    return rows


@pytest.mark.parametrize(("point", "again"), [("mail.leased", 0), ("mail.posted:3", 1)])
def test_a_worker_that_is_killed_loses_no_mail_and_sends_the_same_one_again(
    database: House, session: Session, booked: list[Reservation], point: str, again: int
) -> None:
    box, url = Mailbox(), database.settings.database_url
    database.let_go()
    database.database.is_changed = True
    with mail_server(box) as server:
        assert work(url, server, point=point) == -signal.SIGKILL
        later(session)
        assert work(url, server, "--once") == 0
    session.expire_all()
    assert set(session.scalars(select(Outbox.state))) == {MailState.SENT}
    received = Tally((to[0], message_from_bytes(letter)["Message-ID"]) for to, letter in box.letters)
    assert sorted(to for to, _ in received) == [f"n{n}@example.jp" for n in range(len(booked))], (
        "one mail each, by its Message-ID"
    )
    assert sum(received.values()) - len(received) == again
    assert broken(session) == []


def test_a_worker_that_is_killed_while_it_ends_holds_gives_no_place_back_twice(database: House, session: Session) -> None:
    slot = free_slot(session, places=3)
    for n in range(3):
        wish = Wish(categories=("pickup",), counter=slot.counter.code, slot_id=slot.id, form_token=f"{n:043}")
        holds.hold(session, wish, datetime.now(UTC) - 2 * HELD_FOR, rng=RNG)
    session.commit()
    database.let_go()
    database.database.is_changed = True
    assert work(database.settings.database_url, "", point="hold.expired") == -signal.SIGKILL
    session.expire_all()
    assert (slot.used, set(session.scalars(select(Reservation.state)))) == (3, {HELD})
    session.rollback()
    assert work(database.settings.database_url, "", "--once") == 0
    session.expire_all()
    assert (slot.used, set(session.scalars(select(Reservation.state)))) == (0, {ReservationState.EXPIRED})
    assert broken(session) == []
