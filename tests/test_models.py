"""What every saved row receives, and what neither we nor the database take."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import time_machine
from sqlalchemy import CheckConstraint, Enum, Table, insert, literal_column, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import text
from app.context import Actor, acting
from app.errors import PersonalNumberFound
from app.schema import specs
from models import (
    ActionClass,
    Base,
    BookingDraft,
    CardState,
    Channel,
    CodeItem,
    DraftStep,
    OperationLog,
    ReservationState,
    ReturnReason,
    Shipment,
)
from models.base import UtcDateTime
from models.drafts import LONGEST_ENTRY
from tests import rows, samples
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
        *("request_detail", "message", "state_note", "intake_note"),
    },
    "card": {
        *("name", "name_kana", "birth_date", "birth_date_text", "sex", "postal_code", "address", "memo"),
        "disposal_note",  # what became of the card is often what became of the person
        "braille_cert_code",  # braille on a card tells of a disability
        "notice_no",  # with the birth date it unlocks a booking
    },
    "card_history": {"event"},
    "card_note": {"comment"},
    "document": {"name_kanji"},
    "document_page": {"display_name"},
    "shipment": {"postal_code", "name", "address", "memo"},
    "staff": {"email"},
    "waiting_entry": {"name", "phone", "email"},
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


DAY = date(2026, 4, 1)
BEFORE = date(2026, 3, 31)
BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("counter_hours_opens_before_closes", {"opens": time(17), "closes": time(9)}),
    ("counter_hours_break_both_or_neither", {"break_start": time(13)}),
    ("counter_hours_break_both_or_neither", {"break_end": time(13)}),
    ("counter_hours_break_inside", {"break_start": time(7), "break_end": time(8)}),
    ("counter_hours_break_inside", {"break_start": time(14), "break_end": time(13)}),
    ("counter_hours_break_inside", {"break_start": time(17), "break_end": time(23)}),
    ("counter_closure_starts_before_ends", {"starts_on": DAY, "ends_on": BEFORE}),
    ("booking_category_minutes", {"minutes": 4}),
    ("booking_category_minutes", {"minutes": 241}),
    ("booking_category_party_limit", {"max_party": 0}),
    ("booking_category_party_limit", {"max_party": 11}),
    ("booking_category_window", {"earliest_days": 1, "latest_days": 2}),
    ("booking_category_window", {"latest_days": -1}),
    ("desk_pool_interval", {"interval_minutes": 4}),
    ("desk_pool_interval", {"interval_minutes": 241}),
    ("desk_pool_places_not_negative", {"web_places": -1}),
    ("desk_pool_places_not_negative", {"callcenter_places": -1}),
    ("desk_pool_places_not_negative", {"counter_places": -1}),
    ("desk_pool_places_not_negative", {"reserve_places": -1}),
    ("desk_pool_release_hours", {"callcenter_release_hours": 1001}),
    ("desk_pool_release_hours", {"counter_release_hours": -1}),
    ("desk_pool_release_hours", {"reserve_release_hours": 1001}),
    ("fee_rule_known_amount", {"amount": 300}),
    ("fee_rule_from_before_until", {"valid_from": DAY, "valid_until": BEFORE}),
    ("retention_rule_years", {"years": 0}),
    ("retention_rule_years", {"years": 100}),
    ("translation_other_language", {"language": "ja"}),
    ("slot_never_oversold", {"capacity": 3, "used": 4}),
    ("slot_never_oversold", {"used": -1}),
    ("slot_sane", {"start_time": time(10), "end_time": time(10)}),
    ("slot_sane", {"wanted": -1}),
    ("slot_transferred", {"released": -1}),
    ("slot_transferred", {"channel": "counter", "released": 1}),
    ("slot_transferred", {"released": 5}),
    ("reservation_start_before_end", {"start_time": time(10), "end_time": time(10)}),
    ("reservation_units_positive", {"units": 0}),
    ("reservation_hold_ends", {"state": ReservationState.HELD, "held_until": None}),
    ("reservation_booking_code", {"booking_code": "ABCDE2345"}),
    ("reservation_booking_code", {"booking_code": "ABCDE2345O"}),
    ("reservation_phone", {"phone": "078123456"}),
    ("reservation_phone", {"phone": "1781234567"}),
    ("reservation_phone", {"phone": "078-1234567"}),
    ("card_done_or_cancelled", {"issue_done": True, "issue_cancelled": True}),
    ("card_preset_after_arrival", {"managed_from": DAY, "preset_date": BEFORE}),
    ("card_notice_after_preset", {"preset_date": DAY, "notice_sent_date": BEFORE}),
    ("card_issue_after_preset", {"preset_date": DAY, "issued_date": BEFORE}),
    ("card_issue_before_expiry", {"issued_date": DAY, "card_expiry": BEFORE}),
    ("card_collected_before_disposed", {"collected_date": DAY, "disposed_date": BEFORE}),
    ("card_known_fee", {"fee_amount": 300}),
    ("card_collected_only_if_paid", {"fee_collected_date": DAY}),
    ("card_application_no", {"application_no": "1" * 22}),
    ("card_application_no", {"application_no": "1" * 22 + "A"}),
    ("card_manufacturing_no", {"manufacturing_no": "A" * 15}),
    ("card_manufacturing_no", {"manufacturing_no": "a" * 16}),
    ("card_auth_cert_serial", {"auth_cert_serial": ""}),
    ("card_auth_cert_serial", {"auth_cert_serial": "12G"}),
    ("card_notice_no", {"notice_no": "ABC12345"}),
    ("card_notice_no", {"notice_no": "A-C123456"}),
    ("card_notice_no", {"notice_no": "ABC12345X"}),
    ("card_braille_cert_code", {"braille_cert_code": -1}),
    ("card_braille_cert_code", {"braille_cert_code": 8}),
    ("card_issuing_municipality", {"issuing_municipality": "28100"}),
    ("card_issuing_municipality", {"issuing_municipality": "28100X"}),
    ("document_fiscal_year", {"fiscal_year": 1999}),
    ("document_partition_year", {"partition_year": 2101}),
    ("document_page_page_positive", {"page_no": 0}),
    ("document_page_size_not_negative", {"size_bytes": -1}),
    ("document_page_quarter_turns", {"rotation": 45}),
    ("shipment_postal_code", {"postal_code": "650000"}),
    ("shipment_postal_code", {"postal_code": "650-001"}),
    ("shipment_tracking_no", {"tracking_no": "1" * 10}),
    ("shipment_tracking_no", {"tracking_no": "1" * 10 + "A"}),
    ("shipment_attempt_positive", {"attempt_no": 0}),
    ("shipment_returned_after_sent", {"returned_date": BEFORE}),
    ("shipment_return_both_or_neither", {"returned_date": None}),
    ("shipment_return_both_or_neither", {"return_reason": None}),
    ("operator_account_failures", {"failures": -1}),
    ("booking_category_self_until", {"self_until_days": -1}),
    ("waiting_entry_people", {"people": 0}),
    ("waiting_entry_offered_until", {"state": "offered", "code": "ABCDEFGHJK"}),
    ("waiting_entry_code", {"code": "ABC"}),
    ("waiting_entry_phone", {"phone": "78"}),
    ("outbox_about_one", {"reservation_id": None}),
    ("outbox_attempts", {"attempts": -1}),
    ("outbox_sent_when", {"state": "sent"}),
    ("booking_draft_entry_length", {"entry": "あ" * (LONGEST_ENTRY + 1)}),
]
CODED = {
    f"{column.table.name}_{column.type.name}": column
    for table in Base.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, Enum) and column.type.create_constraint
}
"""Columns that take the words of a code only, by the name of the rule that says so."""


def one_of_each(session: Session) -> None:
    """A row of every table that has rules, besides those that `flask setup` made."""
    posted = session.get_one(Shipment, rows.fill(session, "sannomiya")["shipment"])
    posted.returned_date, posted.return_reason = date(2026, 11, 1), ReturnReason.MOVED
    now = datetime(2026, 4, 1, tzinfo=UTC)
    act = {"action_class": ActionClass.READ, "action_code": "card.show", "action_name": "カード 参照", "detail": {}}
    session.add(OperationLog(**act, started_at=now, ended_at=now, user_id="u1", user_name="", department="", client_info=""))
    session.add(BookingDraft(key="k", entry="{}", step=DraftStep.TYPED, told="", kept_at=now))
    session.flush()


def refusal(session: Session, table: Table, values: dict[str, Any]) -> str:
    """What the database says to a row that is like one it has, but for these values."""
    like = session.execute(select(table).limit(1)).mappings().one()
    row = {name: value for name, value in like.items() if name != "id"} | values
    with pytest.raises(IntegrityError) as refused:
        session.connection().execute(insert(table).values(row))
    return str(refused.value.orig)


def rule_tables() -> dict[str, Table]:
    """Every named condition of every table, without its `ck_`."""
    return {
        str(rule.name).removeprefix("ck_"): table
        for table in Base.metadata.tables.values()
        for rule in table.constraints
        if isinstance(rule, CheckConstraint)
    }


@pytest.mark.parametrize(("rule", "values"), BROKEN, ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_the_database_also_says_no(session: Session, rule: str, values: dict[str, Any]) -> None:
    one_of_each(session)
    assert re.search(rf"\bck_{rule}\b", refusal(session, rule_tables()[rule], values))


@pytest.mark.parametrize("rule", CODED)
def test_a_code_that_is_not_in_the_list_is_refused_by_the_database(session: Session, rule: str) -> None:
    one_of_each(session)
    column = CODED[rule]
    assert re.search(rf"\bck_{rule}\b", refusal(session, column.table, {column.name: literal_column("'telepathy'")}))


def test_every_rule_of_the_database_has_a_case() -> None:
    assert {name for name, _values in BROKEN} | set(CODED) == set(rule_tables())


def test_no_two_slots_for_the_same_places(session: Session) -> None:
    samples.slot(session)
    with pytest.raises(IntegrityError):
        samples.slot(session)


def test_two_values_of_a_code_list_cannot_be_the_same(session: Session) -> None:
    session.add(CodeItem(list_name="issue_kind", value="new", name="また新規"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_codes_are_words_in_the_database_and_labels_for_people(session: Session) -> None:
    samples.card(session, state=CardState.ARRIVED)
    samples.slot(session, channel=Channel.WEB)
    assert session.scalar(sql("SELECT state FROM card")) == "arrived"
    assert (CardState.ARRIVED.label, CardState.ARRIVED.number) == ("到着", "20")
