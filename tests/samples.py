"""Rows for tests: one of each, valid, with made-up people."""

from __future__ import annotations

from datetime import date, time
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import (
    BookingCategory,
    Card,
    CardNote,
    CardState,
    Channel,
    Counter,
    DeskPool,
    Document,
    ItemKind,
    Reservation,
    Shipment,
    Slot,
)

Row = TypeVar("Row")


def counter(session: Session, code: str = "sannomiya") -> Counter:
    return session.scalars(select(Counter).where(Counter.code == code)).one()


def card(session: Session, at: str = "sannomiya", **values: Any) -> Card:
    site = counter(session, at)
    return _kept(
        session,
        Card(
            **{
                "name": "山田 太郎",
                "name_kana": "ヤマダ タロウ",
                "address": "神戸市中央区加納町9丁目",
                "birth_date": date(1980, 4, 1),
                "application_date": date(2026, 4, 1),
                "application_site": site,
                "issue_site": site,
                **values,
            }
        ),
    )


NOTICE = "ABC123456"
READY: dict[str, Any] = {
    "state": CardState.NOTIFIED,
    "notice_no": NOTICE,
    "managed_from": date(2026, 4, 20),
    "card_expiry": date(2036, 4, 1),
    "preset_done": True,
    "preset_date": date(2026, 4, 21),
    "notice_sent_date": date(2026, 4, 22),
}


def ready_card(session: Session, at: str = "sannomiya", **values: Any) -> Card:
    """One that waits to be fetched by somebody who has its notice."""
    return card(session, at, **{**READY, "storage_site": counter(session, at), **values})


def slot(session: Session, at: str = "sannomiya", **values: Any) -> Slot:
    pool = session.scalars(select(DeskPool).join(Counter).where(Counter.code == at).order_by(DeskPool.id)).first()
    assert pool
    return _kept(
        session,
        Slot(
            **{
                "counter": pool.counter,
                "desk_pool": pool,
                "slot_date": date(2026, 5, 11),
                "start_time": time(10),
                "end_time": time(10, 30),
                "channel": Channel.WEB,
                "capacity": 3,
                "used": 0,
                "wanted": 3,
                **values,
            }
        ),
    )


def reservation(session: Session, at: str = "sannomiya", **values: Any) -> Reservation:
    place = values.pop("slot", None) or slot(session, at, used=1)
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    return _kept(
        session,
        Reservation(
            **{
                "booking_code": "ABCDE23456",
                "booking_date": place.slot_date,
                "start_time": place.start_time,
                "end_time": place.end_time,
                "category": category,
                "procedure_name": category.name,
                "counter": place.counter,
                "slot": place,
                "name": "山田 花子",
                "address": "神戸市北区谷上東町9番",
                "phone": "09000000000",
                **values,
            }
        ),
    )


def shipment(session: Session, of: Card, **values: Any) -> Shipment:
    return _kept(
        session,
        Shipment(
            **{
                "card": of,
                "item_kind": ItemKind.NOTICE,
                "sent_date": date(2026, 4, 20),
                "postal_code": "6500001",
                "name": of.name,
                "address": of.address,
                **values,
            }
        ),
    )


def document(session: Session, of: Card, **values: Any) -> Document:
    return _kept(
        session,
        Document(
            **{
                "card": of,
                "partition_year": 2026,
                "fiscal_year": 2026,
                "business_class": "issue",
                "document_class": "application",
                "document_no": "A0001",
                "name_kanji": of.name,
                **values,
            }
        ),
    )


def note(session: Session, of: Card, comment: str = "電話で連絡済み") -> CardNote:
    return _kept(session, CardNote(card=of, comment=comment))


def _kept(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
