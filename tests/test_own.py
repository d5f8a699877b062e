"""自分の予約: cancelling, changing and bringing somebody along without the call centre, where the office allows it and until its day."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.errors import AppError, SlotFull
from app.rules import holds, invariants, regroup
from models import Channel, MailKind, Outbox, Reservation, ReservationState, Slot
from tests.booking_pages import Resident, free_slot, stored
from tests.test_booking_party import SON
from tests.test_booking_rules import PERSON, category
from tests.test_holds import SON as MEMBER
from tests.test_holds import household, request, used

NOW, RNG = datetime.now(UTC), random.Random(3)
CANCELLED, BOOKED = ReservationState.CANCELLED, ReservationState.BOOKED


@pytest.fixture(autouse=True)
def allowed(session: Session) -> None:
    procedure = category(session)
    procedure.self_cancel = procedure.self_change = True
    session.commit()


def booked(session: Session, slot: Slot, **values: Any) -> list[Reservation]:
    number = holds.confirm(session, request(slot, slot.id, **values), NOW, rng=RNG)
    return holds.seats_of(session, session.get_one(Reservation, number))


def agree(session: Session) -> None:
    session.flush()
    assert [found.rule for found in invariants.check(session, NOW) if found.broken] == []


def look_up(resident: Resident, row: Reservation) -> Any:
    resident.open("/lookup")
    return resident.press("確認する", code=str(row), phone=row.phone)


# -- rules ------------------------------------------------------------------------------------------------------------


def test_a_household_moves_together_or_not_at_all(session: Session) -> None:
    household(session)
    old = free_slot(session)
    first, second = free_slot(session, hour=14, places=1), free_slot(session, hour=15, places=1)
    rows = booked(session, old, others=(MEMBER,))
    with pytest.raises(SlotFull):
        regroup.move_party(session, rows, first.id, Channel.WEB, NOW)
    assert used(session, old, first) == [2, 0]
    after = free_slot(session, start_time=first.end_time, end_time=time(15), places=1)
    regroup.move_party(session, rows, first.id, Channel.WEB, NOW)
    assert used(session, old, first, after, second) == [0, 1, 1, 0]
    assert [(row.slot_id, row.start_time) for row in rows] == [(first.id, time(14)), (after.id, time(14, 30))]
    agree(session)


def test_a_household_moves_onto_places_that_are_partly_its_own(session: Session) -> None:
    household(session)
    first = free_slot(session, places=1)
    second = free_slot(session, start_time=first.end_time, end_time=time(11), places=1)
    third = free_slot(session, hour=11, places=1)
    rows = booked(session, first, others=(MEMBER,))
    regroup.move_party(session, rows, second.id, Channel.WEB, NOW)
    assert used(session, first, second, third) == [0, 1, 1]
    agree(session)


def test_somebody_joins_at_the_same_time_or_right_beside_it(session: Session) -> None:
    household(session, 3)
    slot = free_slot(session, places=2)
    beside = free_slot(session, start_time=slot.end_time, end_time=time(11), places=1)
    far = free_slot(session, hour=15)
    (first,) = booked(session, slot)
    regroup.add_person(session, first, [first], MEMBER, NOW, rng=RNG)
    members = holds.seats_of(session, first)
    joined = regroup.add_person(session, first, members, MEMBER, NOW, rng=RNG)
    assert (used(session, slot, beside, far), joined.slot_id) == ([2, 1, 0], beside.id)
    with pytest.raises(AppError) as refused:
        regroup.add_person(session, first, holds.seats_of(session, first), MEMBER, NOW, rng=RNG)
    assert "3人まで" in refused.value.message
    agree(session)


def test_nobody_joins_where_there_is_no_place(session: Session) -> None:
    household(session, 3)
    slot = free_slot(session, places=1)
    free_slot(session, hour=15)
    (first,) = booked(session, slot)
    with pytest.raises(SlotFull):
        regroup.add_person(session, first, [first], MEMBER, NOW, rng=RNG)
    assert (first.group_id, used(session, slot)) == (None, [1])


@pytest.mark.parametrize(("days", "until", "allowed_"), [(5, 1, True), (5, 5, True), (5, 6, False), (5, 0, True)])
def test_the_last_day_is_counted_from_the_visit(session: Session, days: int, until: int, allowed_: bool) -> None:
    category(session).self_until_days = until
    (row,) = booked(session, free_slot(session, days=days))
    assert (regroup.why_not(row, NOW, cancel=True) is None) is allowed_


# -- pages ------------------------------------------------------------------------------------------------------------


def test_the_terms_are_said_before_booking(resident: Resident, session: Session) -> None:
    check = resident.to_check(free_slot(session))
    assert "1日前まで、予約の確認の画面からできます" in check.text


def test_a_resident_cancels(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    (row,) = booked(session, slot, applicant=type(PERSON)(**{**vars(PERSON), "email": "hanako@example.jp"}))
    session.commit()
    look_up(resident, row)
    resident.follow("キャンセルする")
    page = resident.press("キャンセルする")
    assert "キャンセルしました" in page.text
    session.expire_all()
    assert (row.state, row.state_reason, slot.used) == (CANCELLED, "own", 0)
    assert [m.kind for m in session.query(Outbox).order_by(Outbox.id)] == [MailKind.CONFIRMED, MailKind.CANCELLED]


def test_a_resident_moves_to_another_time(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session), free_slot(session, hour=15)
    (row,) = booked(session, slot)
    session.commit()
    look_up(resident, row)
    page = resident.follow("日時を変更する")
    code = row.booking_code
    assert "いまの予約" in page.text
    page = resident.follow("15:00")
    assert "日時を変更しました" in page.text and "15:00" in page.text
    session.expire_all()
    assert (row.slot_id, row.booking_code, slot.used, other.used) == (other.id, code, 0, 1)


def test_a_time_that_filled_meanwhile_leaves_the_old_one(resident: Resident, session: Session) -> None:
    slot, other = free_slot(session), free_slot(session, hour=15, places=1)
    (row,) = booked(session, slot)
    session.commit()
    look_up(resident, row)
    resident.follow("日時を変更する")
    session.execute(update(Slot).where(Slot.id == other.id).values(used=1), execution_options={"by_rule": "test"})
    page = resident.follow("15:00")
    assert (page.status, "満席" in page.text) == (409, True)
    session.expire_all()
    assert (row.slot_id, slot.used, other.used) == (slot.id, 1, 1)


def test_a_resident_brings_somebody_along(resident: Resident, session: Session) -> None:
    (row,) = booked(session, free_slot(session))
    session.commit()
    look_up(resident, row)
    resident.follow("家族を追加する")
    wrong = resident.press("この方を追加する", **{**SON, "m2-name": ""})
    assert (wrong.status, bool(wrong.error_of("m2-name"))) == (422, True)
    page = resident.press("この方を追加する", **SON)
    assert "家族を追加しました" in page.text
    assert [(r.name, r.state) for r in stored(session)] == [("髙橋 花子", BOOKED), ("髙橋 一郎", BOOKED)]


@pytest.mark.parametrize("what", ["cancel", "move", "add"])
def test_nothing_can_be_done_where_or_when_it_is_not_allowed(resident: Resident, session: Session, what: str) -> None:
    (row,) = booked(session, free_slot(session))
    session.commit()
    look_up(resident, row)
    address = {words: href for words, href in resident.page.links.items() if f"/{what}" in href}
    assert address
    category(session).self_cancel = category(session).self_change = False
    session.commit()
    page = resident.open(next(iter(address.values())))
    assert (page.status, "お電話で承ります" in page.text) == (400, True)
    assert "日時を変更する" not in look_up(resident, row).links


def test_the_address_is_worth_nothing_in_another_browser(resident: Resident, resident_app: Flask, session: Session) -> None:
    (row,) = booked(session, free_slot(session))
    session.commit()
    look_up(resident, row)
    stranger = Resident(resident_app.test_client())
    for href in [href for href in resident.page.links.values() if "/visit/" in href]:
        assert stranger.open(href).url.startswith("/lookup")
