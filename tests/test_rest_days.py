"""Days on which a counter rests, and the hour by which a procedure has to be over."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.rules import opening, slots
from models import Channel, Counter, Slot
from tests.booking_pages import counter, free_slot, today
from tests.test_booking_rules import book, category

HOLIDAY, BRIDGE, NEW_YEARS_EVE = date(2027, 5, 3), date(2027, 5, 6), date(2032, 12, 31)
"""憲法記念日; a Thursday after the holidays; a day that no 休業日 of the demo closes."""


def opened(session: Session, day: date) -> int:
    """Rows with places at 三宮 on a day."""
    opening.open_slots(session, today=day, days=0)
    here = Slot.counter_id == counter(session).id
    return session.scalar(select(func.count(Slot.id)).where(here, Slot.slot_date == day, Slot.capacity > 0)) or 0


@pytest.mark.parametrize(
    ("flag", "day", "open_"),
    [
        ("closed_on_holidays", HOLIDAY, False),
        ("closed_on_holidays", date(2027, 5, 5), False),
        ("closed_on_holidays", date(2027, 3, 22), False),
        ("closed_on_holidays", BRIDGE, True),
        ("closed_on_holidays", NEW_YEARS_EVE, True),
        ("closed_at_year_end", date(2032, 12, 28), True),
        ("closed_at_year_end", date(2032, 12, 29), False),
        ("closed_at_year_end", NEW_YEARS_EVE, False),
        ("closed_at_year_end", date(2033, 1, 3), False),
        ("closed_at_year_end", date(2033, 1, 4), True),
        ("closed_at_year_end", HOLIDAY, True),
    ],
)
def test_a_counter_rests_when_it_says_so(session: Session, flag: str, day: date, open_: bool) -> None:
    for other in session.scalars(select(Counter)):
        other.is_open = other.code == "sannomiya"
    setattr(counter(session), flag, True)
    assert bool(opened(session, day)) is open_
    setattr(counter(session), flag, False)
    assert opened(session, day), "saying otherwise opens it again"


def offered(session: Session, slot: Slot) -> bool:
    now, row = datetime.now(UTC), category(session)
    seen = [
        bool(slots.day(session, row, counter(session), Channel.WEB, slot.slot_date, now)),
        any(
            day.is_open
            for day in slots.month(session, row, counter(session), Channel.WEB, slot.slot_date.year, slot.slot_date.month, now)
        ),
        bool(slots.earliest(session, row, Channel.WEB, now)),
        bool(slots.free(session, row, counter(session), Channel.WEB, today(), slot.slot_date, now)),
    ]
    assert len(set(seen)) == 1, "every page says the same"
    return seen[0]


@pytest.mark.parametrize(("limit", "expected"), [(None, True), (time(10, 30), True), (time(10, 29), False), (time(23, 59), True)])
def test_a_time_that_ends_too_late_is_not_offered(session: Session, limit: time | None, expected: bool) -> None:
    """統合端末の停止時刻: a slot from 10:00 to 10:30."""
    category(session).latest_end = limit
    slot = free_slot(session)
    session.flush()
    assert offered(session, slot) is expected
    book_or_none: Any = None
    try:
        book_or_none = book(session, slot)
    except slots.NotOffered:
        session.expire_all()
    assert (book_or_none is not None) is expected


def test_another_procedure_at_the_same_desk_has_its_own_limit(session: Session) -> None:
    category(session).latest_end = time(10)
    slot = free_slot(session)
    assert not offered(session, slot)
    with pytest.raises(slots.NotOffered):
        book(session, slot)
    assert book(session, slot, category="reissue").procedure_name == "再発行"
