"""予定表のファイル: a visit as an iCalendar event (RFC 5545), beside a mail or from the page of a booking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event

from app.context import TOKYO
from app.letters.phrases import BRING, NUMBER, beside
from app.text import lines
from models import Language, Reservation, ReservationState

PRODUCT = "-//Kobe City//My Number Card reservations//JA"
DOMAIN = "mynumber-yoyaku.city.kobe"
_BEFORE = timedelta(hours=2)
GONE = (ReservationState.CANCELLED, ReservationState.EXPIRED)


def calendar_of(rows: Sequence[Reservation], now: datetime, language: Language, called: Mapping[str, str]) -> bytes:
    """The visits of one household as events in a language; `called` is what the masters' words are in it.

    A later file with the same UID and a higher SEQUENCE replaces the earlier one, and one of a cancelled visit takes it out of the
    calendar.
    """
    book = Calendar()
    book.add("prodid", PRODUCT)
    book.add("version", "2.0")
    is_gone = all(row.state in GONE for row in rows)
    book.add("method", "CANCEL" if is_gone else "PUBLISH")
    for row in rows:
        book.add_component(_event(row, now, language, called))
    return bytes(book.to_ical())


def _event(row: Reservation, now: datetime, language: Language, called: Mapping[str, str]) -> Event:
    what, where = called.get(row.procedure_name, row.procedure_name), called.get(row.counter.name, row.counter.name)
    event = Event()
    event.add("uid", f"{row.booking_code}@{DOMAIN}")
    event.add("sequence", row.row_stamp)
    event.add("dtstamp", now)
    event.add("dtstart", datetime.combine(row.booking_date, row.start_time, TOKYO))
    event.add("dtend", datetime.combine(row.booking_date, row.end_time, TOKYO))
    event.add("summary", beside(what, where, language))
    event.add("location", f"{row.counter.name} {row.counter.address}")
    items = [called.get(item, item) for item in lines(row.category.required_items)]
    event.add("description", "\n".join([f"{NUMBER[language]} {row}", *([BRING[language], *items] if items else [])]))
    if row.state in GONE:
        event.add("status", "CANCELLED")
        return event
    event.add("status", "CONFIRMED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"{what} {row.start_time:%H:%M}")
    alarm.add("trigger", -_BEFORE)
    event.add_component(alarm)
    return event
