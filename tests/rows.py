"""One row of every scoped table at a counter, for tests that look for leaks."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    BookingCategory,
    Card,
    CardHistory,
    CardNote,
    Channel,
    Counter,
    DeskPool,
    Document,
    DocumentPage,
    ItemKind,
    MailKind,
    Outbox,
    Reservation,
    Shipment,
    Slot,
    Staff,
    WaitingEntry,
)
from models.documents import MimeType

_numbers = itertools.count(1)


def card(session: Session, counter: str = "sannomiya", name: str = "試験　太郎", **values: object) -> Card:
    """A card that is to be handed over at this counter."""
    site = session.scalars(select(Counter).where(Counter.code == counter)).one()
    row = Card(
        **{
            "application_no": f"{next(_numbers):023d}",
            "name": name,
            "name_kana": "シケン タロウ",
            "address": "神戸市中央区1-1",
            "application_date": date(2026, 10, 1),
            "application_site": site,
            "issue_site": site,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def slot(session: Session, counter: str = "sannomiya", capacity: int = 4, day: date = date(2026, 12, 2)) -> Slot:
    site = session.scalars(select(Counter).where(Counter.code == counter)).one()
    pool = session.scalars(select(DeskPool).where(DeskPool.counter == site)).first()
    number = next(_numbers)
    row = Slot(
        counter=site,
        desk_pool=pool,
        slot_date=day,
        start_time=time(number // 60 % 10, number % 60),
        end_time=time(11, 0),
        channel=Channel.WEB,
        capacity=capacity,
        used=0,
        wanted=capacity,
    )
    session.add(row)
    session.flush()
    return row


def reservation(session: Session, counter: str = "sannomiya", name: str = "試験　太郎", **values: object) -> Reservation:
    place = slot(session, counter)
    place.used = 1
    category = session.scalars(select(BookingCategory).limit(1)).one()
    row = Reservation(
        **{
            "booking_code": f"{next(_numbers):010d}".translate(str.maketrans("01", "ZY")),
            "booking_date": place.slot_date,
            "start_time": place.start_time,
            "end_time": place.end_time,
            "category": category,
            "procedure_name": category.name,
            "counter": place.counter,
            "slot": place,
            "name": name,
            "address": "神戸市中央区1-1",
            "phone": "0781234567",
            "channel": Channel.WEB,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def fill(session: Session, counter: str, name: str = "試験　太郎") -> dict[str, int]:
    """table → key of a row at the counter; masters → key of an existing row that nobody needs."""
    held = card(session, counter, name)
    booked = reservation(session, counter, name)
    note = CardNote(card=held, comment=f"{name}の件")
    posted = Shipment(
        card=held,
        item_kind=ItemKind.NOTICE,
        sent_date=date(2026, 10, 20),
        postal_code="6500001",
        name=name,
        address="神戸市中央区1-1",
    )
    paper = Document(
        partition_year=2026,
        fiscal_year=2026,
        business_class="issue",
        document_class="application",
        document_no=f"D{next(_numbers)}",
        name_kanji=name,
        card=held,
    )
    page = DocumentPage(
        document=paper,
        partition_year=2026,
        page_no=1,
        stored_name=f"f{next(_numbers)}",
        display_name="申請書.pdf",
        mime_type=MimeType.PDF,
        size_bytes=10,
    )
    told = Outbox(
        reservation=booked, kind=MailKind.CONFIRMED, dedupe_key=f"confirmed:{booked.id}", created_at=NOW, due_at=NOW, detail={}
    )
    waits = WaitingEntry(
        code=f"{next(_numbers):010d}".translate(str.maketrans("01", "ZY")),
        counter=booked.counter,
        category=booked.category,
        wish_date=booked.booking_date,
        name=name,
        phone="0781234567",
    )
    session.add_all([note, posted, paper, page, told, waits])
    session.flush()
    history = session.scalars(select(CardHistory).where(CardHistory.card_id == held.id)).first()
    assert history is not None
    nobody = session.scalars(select(Staff.id).where(Staff.username == "maintainer")).one()
    return {
        "card": held.id,
        "card_history": history.id,
        "card_note": note.id,
        "reservation": booked.id,
        "slot": booked.slot_id,
        "outbox": told.id,
        "waiting_entry": waits.id,
        "shipment": posted.id,
        "document": paper.id,
        "document_page": page.id,
        "operation_log": 1,
        "staff": nobody,
        "counter": 1,
        "counter_closure": 1,
        "booking_category": 1,
        "desk_pool": 1,
        "code_item": 1,
        "fee_rule": 1,
        "retention_rule": 1,
        "mail_template": 1,
        "translation": 1,
    }


NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
