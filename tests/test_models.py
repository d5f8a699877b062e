"""What every saved row receives, and what neither we nor the database take."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import time_machine
from sqlalchemy import insert
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import text
from app.context import Actor, acting
from app.errors import PersonalNumberFound
from app.schema import specs
from models import Base, Card, CardState, Channel, CodeItem, Document, FeeRule, Reservation, Shipment, Slot
from models.base import UtcDateTime
from models.shipments import ReturnReason
from tests import samples
from tests.test_audit import PERSONAL_NUMBER


def test_a_row_is_found_by_the_pieces_of_its_names(session: Session) -> None:
    card: Any = samples.card(session, name="髙橋\U000e0101 翔太", name_kana="たかはし ｼｮｳﾀ")
    place = text.place(card.issue_site_id)
    assert card.search_key == f"高橋 橋翔 翔太 | タカ カハ ハシ シシ ショ ョウ ウタ | {place}"
    card.name = "\U00020bb7 一"
    session.flush()
    assert card.search_key.split(" | ")[0] == "吉一"
    assert card.name == "\U00020bb7 一"  # stored as typed


@pytest.mark.parametrize(
    "typed",
    [
        PERSONAL_NUMBER,
        "1234-5678-9018",
        "1234 5678 9018",
        "１２３４５６７８９０１８",
        "番号 123456789018 です",
        "1234・5678ー9018",
    ],
)
def test_a_personal_number_is_refused_without_being_repeated(session: Session, typed: str) -> None:
    with pytest.raises(PersonalNumberFound) as refused:
        samples.card(session, memo=f"本人から {typed}")
    assert refused.value.field == "memo"
    assert "「メモ」" in refused.value.message
    assert not [n for n in range(9) if typed.strip()[n : n + 4].isdigit() and typed.strip()[n : n + 4] in str(refused.value)]


def test_a_personal_number_is_refused_inside_answers(session: Session) -> None:
    with pytest.raises(PersonalNumberFound):
        samples.reservation(session, request_detail={"自由記入": [{"回答": PERSONAL_NUMBER}]})


def test_a_personal_number_is_refused_when_a_row_is_changed(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    card.address = f"神戸市 {PERSONAL_NUMBER}"
    with pytest.raises(PersonalNumberFound):
        session.commit()


@pytest.mark.parametrize("harmless", ["123456789019", "1234567890181", "電話078-123-4567", "2026-04-01 10:00-10:30"])
def test_other_numbers_pass(session: Session, harmless: str) -> None:
    samples.card(session, memo=harmless)


def test_numbers_with_a_format_of_their_own_pass(session: Session) -> None:
    card = samples.card(session, application_no=PERSONAL_NUMBER.rjust(23, "0"))
    samples.shipment(session, card, tracking_no=PERSONAL_NUMBER)


def test_every_free_text_column_is_guarded() -> None:
    """Only typed numbers are exempt, and none of them can hold a sentence."""
    exempt = {
        (s.name, p.key): p
        for s in specs().values()
        for p in s.parts.values()
        if p.shape in ("text", "memo", "json") and not p.is_free_text
    }
    assert all(p.field.kind in ("digits", "phone", "postal", "tracking") for p in exempt.values())
    assert all((p.length or 0) <= 23 for p in exempt.values())


PERSONAL = {
    "reservation": {
        *("name", "name_kana", "birth_date", "sex", "postal_code", "address", "building", "phone", "email"),
        *("request_detail", "message"),
    },
    "card": {
        *("name", "name_kana", "birth_date", "birth_date_text", "sex", "postal_code", "address", "memo"),
        "disposal_note",  # what became of the card is often what became of the person
        "braille_cert_code",  # braille on a card tells of a disability
    },
    "card_history": {"event"},
    "card_note": {"comment"},
    "document": {"name_kanji"},
    "document_page": {"display_name"},
    "shipment": {"postal_code", "name", "address", "memo"},
    "staff": {"email"},
}
"""Every column about a person, written by hand: the declarations are held against it. Not among them: who did what as an official
(their names stand in the log on purpose), numbers of papers and cards, and what masters say of offices."""


def test_personal_columns_are_exactly_these() -> None:
    marked = {spec.name: {part.key for part in spec.parts.values() if part.field.pii} for spec in specs().values()}
    assert {table: keys for table, keys in marked.items() if keys} == PERSONAL


def test_each_save_raises_the_row_stamp(session: Session) -> None:
    card: Any = samples.card(session)
    session.commit()
    before = card.row_stamp
    card.memo = "1"
    session.commit()
    assert card.row_stamp == before + 1


def test_a_row_changed_by_somebody_else_is_not_overwritten(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    card.memo = "私"
    with session.no_autoflush:
        session.execute(sql("UPDATE card SET row_stamp = row_stamp + 1, memo = '先に'"))
    with pytest.raises(StaleDataError):
        session.flush()


def test_stamps_are_set_once_and_touch_follows_every_save(session: Session) -> None:
    someone, another = (Actor(user_id=f"u{n}", name=f"職員{n}", counters=None) for n in (1, 2))
    with acting(session, someone), time_machine.travel(datetime(2026, 4, 1, 0, 0, 30, tzinfo=UTC), tick=False):
        document = samples.document(session, samples.card(session))
        session.commit()
    assert (document.registered_date, document.registered_time, document.registered_by_id) == (
        date(2026, 4, 1),
        time(9, 0, 30),
        "u1",
    )
    with acting(session, another), time_machine.travel(datetime(2026, 4, 2, tzinfo=UTC), tick=False):
        document.document_no = "B2"
        session.commit()
    assert (document.registered_by_id, document.registered_date) == ("u1", date(2026, 4, 1))
    assert (document.updated_by_id, document.updated_by_name, document.updated_date) == ("u2", "職員2", date(2026, 4, 2))
    assert document.row_timestamp == datetime(2026, 4, 2, tzinfo=UTC)


def test_moments_need_a_zone_and_come_back_in_utc() -> None:
    kind = UtcDateTime()
    with pytest.raises(ValueError, match="zone"):
        kind.process_bind_param(datetime(2026, 4, 1), None)  # noqa: DTZ001 - what is refused


def test_a_column_that_refuses_naive_moments(session: Session) -> None:
    with pytest.raises(StatementError):
        samples.reservation(session, arrived_at=datetime(2026, 4, 1))  # noqa: DTZ001


BROKEN: list[tuple[type[Base], dict[str, Any]]] = [
    (Slot, {"used": 4}),
    (Slot, {"used": -1}),
    (Slot, {"end_time": time(9)}),
    (Card, {"issue_done": True, "issue_cancelled": True}),
    (Card, {"managed_from": date(2026, 4, 2), "preset_date": date(2026, 4, 1)}),
    (Card, {"preset_date": date(2026, 4, 2), "notice_sent_date": date(2026, 4, 1)}),
    (Card, {"issued_date": date(2026, 4, 2), "card_expiry": date(2026, 4, 1)}),
    (Card, {"collected_date": date(2026, 4, 2), "disposed_date": date(2026, 4, 1)}),
    (Card, {"fee_amount": 300}),
    (Card, {"fee_collected_date": date(2026, 4, 1)}),
    (Card, {"application_no": "1" * 22}),
    (Card, {"manufacturing_no": "A" * 15}),
    (Shipment, {"returned_date": date(2026, 5, 1)}),
    (Shipment, {"returned_date": date(2026, 4, 1), "return_reason": ReturnReason.MOVED}),
    (Shipment, {"attempt_no": 0}),
    (Document, {"fiscal_year": 1999}),
    (Reservation, {"end_time": time(9)}),
    (Reservation, {"units": 0}),
]


@pytest.mark.parametrize(("model", "values"), BROKEN, ids=lambda v: v.__name__ if isinstance(v, type) else " ".join(v))
def test_the_database_also_says_no(session: Session, model: type[Base], values: dict[str, Any]) -> None:
    make: dict[type[Base], Any] = {
        Slot: samples.slot,
        Card: samples.card,
        Reservation: samples.reservation,
        Shipment: lambda s, **v: samples.shipment(s, samples.card(s), **v),
        Document: lambda s, **v: samples.document(s, samples.card(s), **v),
    }
    with pytest.raises(IntegrityError):
        make[model](session, **values)


def test_no_two_slots_for_the_same_places(session: Session) -> None:
    samples.slot(session)
    with pytest.raises(IntegrityError):
        samples.slot(session)


def test_a_code_that_is_not_in_the_list_is_refused_by_the_database(session: Session) -> None:
    with pytest.raises(IntegrityError):
        session.execute(
            sql(
                "INSERT INTO slot (counter_id, desk_pool_id, slot_date, start_time, end_time, channel, capacity, used, wanted, "
                "row_stamp) VALUES (1, 1, '2026-05-11', '10:00', '10:30', 'telepathy', 1, 0, 1, 1)"
            )
        )


def test_a_fee_is_one_of_the_known_amounts(session: Session) -> None:
    with pytest.raises(IntegrityError):
        session.execute(insert(FeeRule).values(valid_from=date(2026, 1, 1), issue_kind="new", amount=1))


def test_two_values_of_a_code_list_cannot_be_the_same(session: Session) -> None:
    session.add(CodeItem(list_name="issue_kind", value="new", name="また新規"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_codes_are_words_in_the_database_and_labels_for_people(session: Session) -> None:
    samples.card(session, state=CardState.ARRIVED)
    samples.slot(session, channel=Channel.WEB)
    assert session.scalar(sql("SELECT state FROM card")) == "arrived"
    assert (CardState.ARRIVED.label, CardState.ARRIVED.number) == ("到着", "20")
