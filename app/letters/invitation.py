"""予定表のファイル: a visit as an iCalendar event (RFC 5545), beside a mail or from the page of a booking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from app.context import TOKYO
from app.text import lines
from models import Reservation, ReservationState

PRODUCT = "-//Kobe City//My Number Card reservations//JA"
DOMAIN = "mynumber-yoyaku.city.kobe"
_BEFORE = timedelta(hours=2)
GONE = (ReservationState.CANCELLED, ReservationState.EXPIRED)


def calendar_of(rows: Sequence[Reservation], now: datetime) -> bytes:
    """The visits of one household as events. A later file with the same UID and a higher SEQUENCE replaces the earlier one, and
    one of a cancelled visit takes it out of the calendar."""
    book = Calendar()
    book.add("prodid", PRODUCT)
    book.add("version", "2.0")
    is_gone = all(row.state in GONE for row in rows)
    book.add("method", "CANCEL" if is_gone else "PUBLISH")
    for row in rows:
        book.add_component(_event(row, now))
    return bytes(book.to_ical())


def _event(row: Reservation, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{row.booking_code}@{DOMAIN}")
    event.add("sequence", row.row_stamp)
    event.add("dtstamp", now)
    event.add("dtstart", datetime.combine(row.booking_date, row.start_time, TOKYO))
    event.add("dtend", datetime.combine(row.booking_date, row.end_time, TOKYO))
    event.add("summary", f"{row.procedure_name}（{row.counter.name}）")
    event.add("location", f"{row.counter.name} {row.counter.address}")
    items = lines(row.category.required_items)
    event.add("description", "\n".join([f"予約番号 {row}", *(["持ち物", *items] if items else [])]))
    if row.state in GONE:
        event.add("status", "CANCELLED")
        return event
    event.add("status", "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"{row.procedure_name} {row.start_time:%H:%M}")
    alarm.add("trigger", -_BEFORE)
    event.add_component(alarm)
    return event
