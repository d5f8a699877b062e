"""受取の引換券: written with the card it is of, found by number and birth date together, silent about everything else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import jobs
from app.keys import Keys, give
from app.rules import pickups, projection
from models import Card, CardState, OperationLog, PickupCard, PickupTicket, Reservation, ReservationState
from models.base import table_of
from tests import samples, sites
from tests.booking_pages import today
from tests.conftest import FIELD_KEYS
from tests.samples import NOTICE
from tests.test_jobs import opener

NOW = datetime.now(UTC)
BORN = date(1980, 4, 1)


def find(session: Session, number: str = NOTICE, born: date = BORN, now: datetime = NOW) -> pickups.Ticket | None:
    return pickups.find(session, number, born, now)


def tickets(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(PickupTicket)) or 0


def behind_the_session(session: Session, card: Card, **values: Any) -> None:
    """Changes a card as a load or a statement of a rule would, past the hook."""
    table = table_of(Card)
    session.execute(update(table).where(table.c.id == card.id).values(row_stamp=table.c.row_stamp + 1, **values))
    session.commit()


# What is known outside


def test_number_and_birth_date_find_where_and_when_a_card_can_be_fetched(session: Session) -> None:
    card = samples.ready_card(session)
    found = find(session)
    assert found and found.counters == {card.issue_site_id: date(2026, 4, 22)}
    assert found.valid_until == date(2036, 4, 1)
    assert pickups.ticket(session, found.ref, NOW) == found


@pytest.mark.parametrize(
    "typed", ["ABC123456", "abc-123456", "ＡＢＣ１２３４５６", " abc 123 456 ", "ａｂｃ－１２３４５６", "ABC‐123.456"]
)
def test_a_number_is_read_however_it_was_typed(typed: str) -> None:
    assert pickups.as_notice(typed) == NOTICE
    assert pickups.is_notice(pickups.as_notice(typed))


@pytest.mark.parametrize(
    "typed", ["", "ABC12345", "ABC1234567", "ABCD23456", "あいう123456", "ABC12345X", "ABC１２３４５６", "'; --123456"]
)
def test_what_is_no_number_is_known_as_such(typed: str) -> None:
    assert not pickups.is_notice(typed)


def test_anything_else_finds_nothing(session: Session) -> None:
    samples.ready_card(session)
    assert find(session)
    assert find(session, "ABC123457") is None
    assert find(session, born=date(1980, 4, 2)) is None
    assert find(session, "") is None
    assert find(session, now=datetime(2036, 4, 1, 15, tzinfo=UTC)) is None
    assert find(session, now=datetime(2026, 4, 21, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "values",
    [
        {"state": CardState.PRESET},
        {"state": CardState.RETURNED},
        {"preset_done": False},
        {"storage_site": None},
        {"reissue_requested": True},
        {"birth_date": None, "birth_date_text": "不詳"},
        {"card_expiry": date(2026, 5, 1)},
        {"state": CardState.REMINDED, "reminder_sent_date": date(2026, 5, 1)},
    ],
)
def test_a_card_that_cannot_be_fetched_has_no_ticket(session: Session, values: dict[str, Any]) -> None:
    samples.ready_card(session, **values)
    assert (find(session), tickets(session)) == (None, 0)


def test_the_same_question_is_asked_whether_there_is_a_card_or_not(session: Session, resident_app: Flask) -> None:
    samples.ready_card(session)
    samples.ready_card(session, notice_no="ABC123457", storage_site=None)
    asked = []
    for number, born in ((NOTICE, BORN), (NOTICE, date(1980, 4, 2)), ("ABC123457", BORN), ("ZZZ999999", BORN)):
        with sites.statements(resident_app) as sent:
            find(session, number, born)
        asked.append(tuple(sent))
    assert len(set(asked)) == 1 and len(asked[0]) == 1
    assert "card." not in asked[0][0].replace("pickup_card.", "")


def test_nothing_readable_of_card_or_person_is_in_a_ticket(session: Session) -> None:
    card = samples.ready_card(session)
    row = session.execute(select(table_of(PickupTicket))).one()
    words = str(tuple(row))
    assert not [secret for secret in (NOTICE, "123456", "1980", card.name, str(card.application_no)) if secret in words]
    assert set(row._fields) == {"ref", "key_hash", "counters", "valid_until"}


def test_references_are_long_and_never_the_same(session: Session) -> None:
    assert len({projection.new_ref() for _ in range(100)}) == 100
    assert {len(projection.new_ref()) for _ in range(100)} == {22}


def test_two_cards_with_one_number_and_birth_date_find_nothing(session: Session) -> None:
    """It cannot be, so whose card it is is not guessed."""
    samples.ready_card(session)
    twin = samples.ready_card(session, notice_no="ABC123457")
    row = session.execute(select(table_of(PickupTicket).c.key_hash)).first()
    session.execute(update(table_of(PickupTicket)).values(key_hash=row.key_hash if row else ""))
    assert twin.id and find(session) is None


# As cards change


def test_a_ticket_comes_and_goes_with_its_card(session: Session) -> None:
    card = samples.card(session, state=CardState.PRESET, **{k: v for k, v in samples.READY.items() if k != "state"})
    assert find(session) is None
    card.state, card.storage_site = CardState.NOTIFIED, card.issue_site
    session.commit()
    first = find(session)
    assert first
    card.state, card.issue_done, card.issued_date = CardState.ISSUED, True, date(2026, 6, 1)
    session.commit()
    assert (find(session), pickups.ticket(session, first.ref, NOW)) == (None, None)
    assert projection.cards_behind(session, [first.ref]) == {first.ref: card}


def test_a_ticket_follows_number_birth_date_counter_and_reminder(session: Session) -> None:
    card = samples.ready_card(session)
    before = find(session)
    assert before
    there = samples.counter(session, "tanigami")
    card.notice_no, card.birth_date = "XYZ000001", date(1981, 5, 2)
    card.issue_site = card.storage_site = there
    card.state, card.reminder_sent_date = CardState.REMINDED, today()
    session.commit()
    after = find(session, "XYZ000001", date(1981, 5, 2))
    assert find(session) is None
    assert after and (after.ref, list(after.counters)) == (before.ref, [there.id])
    assert today() + timedelta(days=85) < after.valid_until < today() + timedelta(days=95)


def test_a_card_that_comes_back_keeps_its_reference(session: Session) -> None:
    card = samples.ready_card(session)
    first = find(session)
    for state in (CardState.RETURNED, CardState.NOTIFIED):
        card.state = state
        session.commit()
    again = find(session)
    assert first and again and again.ref == first.ref


def test_what_was_rolled_back_left_no_ticket(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    for name, value in samples.READY.items():
        setattr(card, name, value)
    card.storage_site = card.issue_site
    session.flush()
    assert tickets(session) == 1
    session.rollback()
    assert tickets(session) == 0


def test_other_changes_of_a_card_write_no_ticket(session: Session, resident_app: Flask) -> None:
    card, waiting = samples.ready_card(session), samples.card(session)
    session.commit()
    card.memo, waiting.memo = "車いす", "車いす"
    with sites.statements(resident_app) as sent:
        session.commit()
    assert [words for words in sent if "pickup_ticket" in words and not words.startswith("SELECT")] == []
    assert projection.renew_changed(session, NOW) == 0


def test_a_card_is_gone_with_its_ticket(session: Session) -> None:
    samples.ready_card(session)
    session.commit()
    session.execute(table_of(PickupCard).delete())
    assert tickets(session) == 0
    with pytest.raises(IntegrityError):
        session.execute(insert(PickupTicket).values(ref="x" * 22, key_hash="k", counters={}, valid_until=today()))


# What came past the session


def test_the_job_looks_at_what_changed_and_at_nothing_else(session: Session) -> None:
    cards = [samples.ready_card(session, notice_no=f"ABC12345{n}") for n in range(3)]
    session.execute(table_of(PickupCard).delete())  # as after a load
    session.commit()
    assert projection.renew_changed(session, NOW) == 3
    session.commit()
    assert all(find(session, f"ABC12345{n}") for n in range(3))
    assert projection.renew_changed(session, NOW) == 0
    behind_the_session(session, cards[0], memo="x")
    behind_the_session(session, cards[1], state=CardState.ISSUED, issue_done=True)
    assert projection.renew_changed(session, NOW) == 2
    session.commit()
    assert [find(session, f"ABC12345{n}") is not None for n in range(3)] == [True, False, True]
    assert projection.renew_changed(session, NOW) == 0


def test_a_card_that_is_not_ready_is_looked_at_once(session: Session) -> None:
    samples.ready_card(session, storage_site=None)
    session.execute(table_of(PickupCard).delete())
    session.commit()
    assert (projection.renew_changed(session, NOW), projection.renew_changed(session, NOW), tickets(session)) == (1, 0, 0)


def test_a_round_ends_and_the_next_goes_on(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        samples.ready_card(session, notice_no=f"ABC12345{n}")
    session.execute(table_of(PickupCard).delete())
    session.commit()
    monkeypatch.setattr(projection, "AT_ONCE", 2)
    monkeypatch.setattr(projection, "MOST", 3)
    assert [projection.renew_changed(session, NOW) for _ in range(3)] == [4, 1, 0]
    assert tickets(session) == 5


def test_a_ticket_that_is_out_of_date_is_deleted(session: Session) -> None:
    samples.ready_card(session, card_expiry=today())
    assert tickets(session) == 1
    assert projection.renew_changed(session, NOW + timedelta(days=2)) == 0
    assert tickets(session) == 0


def test_the_minutely_work_renews_and_leaves_no_row_in_the_log(session: Session) -> None:
    samples.ready_card(session)
    session.execute(table_of(PickupCard).delete())
    session.commit()
    before = session.scalar(select(func.count(OperationLog.id)))
    assert jobs.do(opener(session), NOW, {"引換券の更新": jobs.EVERY_MINUTE["引換券の更新"]}) == []
    assert find(session) and session.scalar(select(func.count(OperationLog.id))) == before


def test_after_a_change_of_keys_old_tickets_are_found_until_they_are_renewed(session: Session) -> None:
    samples.ready_card(session)
    session.commit()
    old = find(session)
    give(session, Keys((("newer", b"N" * 32), *FIELD_KEYS)))
    try:
        assert find(session) == old
        assert projection.renew_changed(session, NOW) == 1
        renewed = find(session)
        assert (
            renewed and old and renewed.ref == old.ref and str(session.scalar(select(PickupTicket.key_hash))).startswith("newer:")
        )
        give(session, Keys((("newer", b"N" * 32),)))
        assert find(session) == renewed
        give(session, Keys(FIELD_KEYS))
        assert find(session) is None
    finally:
        give(session, Keys(FIELD_KEYS))


# One visit for one card


@pytest.mark.parametrize("state", [ReservationState.HELD, ReservationState.BOOKED])
def test_a_ticket_stands_for_one_visit_at_a_time(session: Session, state: ReservationState) -> None:
    until = NOW if state is ReservationState.HELD else None
    place = samples.slot(session, used=2)
    first = samples.reservation(session, slot=place, state=state, held_until=until, pickup_ref="r" * 22)
    session.commit()
    assert pickups.visit_of(session, "r" * 22) == first
    with pytest.raises(IntegrityError):
        samples.reservation(session, slot=place, booking_code="ABCDE23457", pickup_ref="r" * 22)
    session.rollback()
    session.execute(update(table_of(Reservation)).values(state=ReservationState.CANCELLED))
    assert pickups.visit_of(session, "r" * 22) is None
    samples.reservation(session, slot=session.merge(place), booking_code="ABCDE23457", pickup_ref="r" * 22)
