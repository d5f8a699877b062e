"""deploy/grants.sql: the residents' site lives with the rights of its role, and the role sees no table of cards."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import operators, serving
from config import ROOT
from models import BookingCategory, Channel, Operator, Reservation, ReservationState, Slot, metadata
from tests import samples, sites
from tests.booking_pages import GOOD, PERSONAL_NUMBER, Resident, apart, day_path, free_slot, log, stored
from tests.conftest import House, sign_in
from tests.pages import form, post
from tests.test_booking_party import SON, choose
from tests.test_operators import ABOUT, book, send
from tests.test_pickup_booking import BORN, to_form, unlock

PAST = datetime(2026, 1, 1, tzinfo=UTC)
OF_CARDS = {"card", "card_history", "card_note", "shipment", "document", "document_page", "pickup_card"}
"""Every table that tells of cards or their owners' papers, by hand."""
READS = {
    "alembic_version",
    "counter",
    "booking_category",
    "desk_pool",
    "desk_pool_category",
    "slot",
    "pickup_ticket",
    "translation",
    "waiting_entry",
    "operator_account",
    "operator_session",
    "code_item",
    "reservation",
    "booking_draft",
}
WRITES = {"reservation", "booking_draft", "waiting_entry", "operator_session", "outbox", "operation_log"}
CHANGES = {"booking_draft"}
CHANGES_IN_PART = {
    "waiting_entry": {"state", "offered_until", "form_token", "row_stamp"},
    "slot": {"used", "capacity"},
    "operator_session": {"seen_at"},
    "operator_account": {"password", "link_hash", "link_until", "failures", "last_sign_in", "row_stamp"},
}
DELETES = {"reservation", "booking_draft", "operator_session"}


class Roles:
    """The two roles of a test's database, with the rights of deploy/grants.sql."""

    def __init__(self, url: str) -> None:
        self.owner = url.replace("postgresql+psycopg://", "postgresql://")
        name = f"kobe_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.resident, self.staff = f"{name}_resident", f"{name}_staff"

    def run(self, words: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL(words))

    def make(self) -> None:
        self.run(f"CREATE ROLE {self.resident} LOGIN; CREATE ROLE {self.staff} LOGIN")
        for _ in range(2):  # running it again is allowed
            self.run(granting(self.resident, self.staff))

    def drop(self) -> None:
        for role in (self.resident, self.staff):
            self.run(f"DROP OWNED BY {role}; DROP ROLE {role}")

    def url(self, role: str) -> str:
        return re.sub(r"//[^@/]*@", f"//{role}@", self.owner)


def granting(resident: str, staff: str) -> str:
    """The file as psql would read it with these variables."""
    words = (ROOT / "deploy" / "grants.sql").read_text()
    for name, value in (("resident", resident), ("staff", staff)):
        words = words.replace(f':"{name}"', f'"{value}"').replace(f":'{name}'", f"'{value}'")
    assert not re.search(r":['\"]\w", words)
    return words


@pytest.fixture
def roles(database: House, session: Session) -> Iterator[Roles]:
    if session.get_bind().dialect.name != "postgresql":
        pytest.skip("SQLite has no roles")
    made = Roles(database.database.url)
    made.make()
    try:
        yield made
    finally:
        session.rollback()
        made.drop()
        database.database.is_changed = True  # the trigger of the grants does not belong to the other tests


@pytest.fixture
def site_of(roles: Roles, database: House) -> Callable[..., Any]:
    def site(name: str, role: str) -> Any:
        return sites.site(database, name, database_url=roles.url(role).replace("postgresql://", "postgresql+psycopg://"))

    return site


@pytest.fixture
def ask(roles: Roles) -> Iterator[Callable[[str], Any]]:
    """Asks something of the database as the residents' site."""
    with psycopg.connect(roles.url(roles.resident), autocommit=True) as connection:
        yield lambda words: connection.execute(sql.SQL(words))


def test_the_role_has_these_rights_and_no_others(roles: Roles) -> None:
    """By table, and where a right is not on all of it by column: of every table there is, a new one too."""
    with psycopg.connect(roles.owner) as connection:

        def having(right: str) -> set[str]:
            return {
                name
                for name in {*metadata.tables, "alembic_version"}
                if connection.execute("SELECT has_table_privilege(%s, %s, %s)", (roles.resident, f'"{name}"', right)).fetchone()
                == (True,)
            }

        def columns(right: str) -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for table in metadata.tables.values():
                for column in table.c:
                    asked = (roles.resident, f'"{table.name}"', column.name, right)
                    if connection.execute("SELECT has_column_privilege(%s, %s, %s, %s)", asked).fetchone() == (True,):
                        found.setdefault(table.name, set()).add(column.name)
            return found

        assert having("SELECT") == READS
        assert having("INSERT") == WRITES
        assert having("UPDATE") == CHANGES
        assert having("DELETE") == DELETES
        assert having("TRUNCATE") == having("REFERENCES") == having("TRIGGER") == set()
        assert set(columns("SELECT")) == READS - {"alembic_version"}
        changed = columns("UPDATE")
        assert set(changed) == {*CHANGES_IN_PART, "reservation", "booking_draft"}
        assert {name: changed[name] for name in CHANGES_IN_PART} == CHANGES_IN_PART
        kept = {"id", "booking_code", "category_id", "procedure_name", "units", "form_token"}
        assert not changed["reservation"] & {*kept, "pickup_ref", "notice_hash", "arrived_at"}


@pytest.mark.parametrize("table", sorted(OF_CARDS))
def test_it_is_refused_on_every_table_of_cards(table: str, ask: Callable[[str], Any]) -> None:
    for words in (f"SELECT 1 FROM {table}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(words)


def test_every_table_that_leads_to_a_card_is_among_them() -> None:
    found = {"card"}
    for table in metadata.sorted_tables:
        if any(key.column.table.name in found for key in table.foreign_keys):
            found.add(table.name)
    assert found - {"pickup_ticket"} == OF_CARDS, "a ticket is made to be seen"


@pytest.mark.parametrize(
    "words",
    [
        "SELECT detail FROM operation_log",
        "SELECT * FROM outbox",
        "SELECT * FROM ab_user",
        "SELECT * FROM web_session",
        "UPDATE reservation SET pickup_ref = 'x'",
        "UPDATE reservation SET booking_code = 'ABCDEFGHJK'",
        "INSERT INTO operator_account DEFAULT VALUES",
        "UPDATE operator_account SET active = true",
        "UPDATE pickup_ticket SET valid_until = '2099-01-01'",
        "UPDATE operation_log SET detail = '{}'",
        "DELETE FROM outbox",
        "UPDATE booking_category SET asks_notice = false",
        "CREATE TABLE mine (id int)",
        "DROP TABLE booking_draft",
    ],
)
def test_it_is_refused_what_its_pages_do_not_need(words: str, ask: Callable[[str], Any]) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName)):
        ask(words)


def test_it_takes_away_holds_and_no_reservation(ask: Callable[[str], Any], session: Session) -> None:
    row = samples.reservation(session)
    session.commit()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="cancelled, not deleted"):
        ask(f"DELETE FROM reservation WHERE id = {row.id}")
    session.expire_all()
    assert stored(session) == [row]


def test_the_residents_site_books_with_these_rights(site_of: Callable[..., Any], roles: Roles, session: Session) -> None:
    """Every page: choosing, holding, extending, another time, letting go, a household, booking, papers, looking up, and what is
    refused and logged."""
    first, second, third = (free_slot(session, hour=hour, places=1) for hour in (10, 11, 14))
    free_slot(session, start_time=third.end_time, end_time=time(15))
    session.commit()
    with site_of("resident", roles.resident) as app:
        someone, other = Resident(app.test_client()), Resident(app.test_client())
        assert apart(app.test_client().get, "/readyz").text == "ok"
        choose_and_let_go(someone, first, second)
        book_and_look_up(someone, first)
        take_over(other, second, session)
        household(other, third)
    assert [row.name for row in stored(session) if row.phone] == [GOOD["name"]] * 2 + [SON["m2-name"]]
    assert {"reservation.hold", "reservation.book", "reservation.lookup", "reservation.refused", "reservation.let_go"} <= {
        row.action_code for row in log(session)
    }


def choose_and_let_go(someone: Resident, first: Slot, second: Slot) -> None:
    for path in ("/", "/book/", "/book/pickup/", f"/book/pickup/{first.counter.code}/", "/lookup", "/no-such-page"):
        assert someone.open(path).status == (404 if "no-such" in path else 200), path
    choose(someone, first)
    someone.press("日時を変える")
    choose(someone, second, f"?{urlsplit(someone.page.url).query}")
    assert "もう10分、" in someone.press("もう10分おさえる").text
    assert someone.press("予約をやめる").status == 200


def book_and_look_up(someone: Resident, slot: Slot) -> None:
    choose(someone, slot)
    assert someone.press("確認画面へ進む", **GOOD, message=PERSONAL_NUMBER).error_of("message")
    someone.press("確認画面へ進む", **GOOD, message="")
    done = someone.press("この内容で予約する", consent="y")
    code = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", done.text)[0]
    for words in ("予約票", "カレンダー"):
        assert apart(someone.client.get, next(at for text, at in done.links.items() if words in text)).status_code == 200
    for phone, status in ((GOOD["phone"], 200), ("0780000000", 404)):
        someone.open("/lookup")
        assert someone.press("確認する", code=code, phone=phone).status == status


def take_over(someone: Resident, slot: Slot, session: Session) -> None:
    """The last place, whose hold by somebody else has just ended."""
    held = samples.reservation(session, slot=slot, phone="", state=ReservationState.HELD, held_until=PAST)
    slot.used = 1
    session.commit()
    token = someone.open(day_path(slot)).fields["csrf_token"]
    answer = apart(someone.client.post, day_path(slot), data={"slot": str(slot.id), "csrf_token": token})
    assert (answer.status_code, state_of(session, held)) == (303, ReservationState.EXPIRED)


def state_of(session: Session, row: Reservation) -> ReservationState:
    session.expire_all()
    return session.get_one(Reservation, row.id).state


def household(someone: Resident, slot: Slot) -> None:
    choose(someone, slot, "?people=2")
    someone.press("次の方の入力へ進む", **{**GOOD, "phone": "0787654321"})
    someone.press("確認画面へ進む", **SON)
    assert someone.press("この内容で予約する", consent="y").status == 200


def test_a_pick_up_is_booked_by_its_notice_with_these_rights(site_of: Callable[..., Any], roles: Roles, session: Session) -> None:
    """The way to a card that the residents' site cannot see."""
    samples.ready_card(session)
    slot = free_slot(session)
    asked = update(BookingCategory).where(BookingCategory.code == "pickup").values(asks_notice=True)
    session.execute(asked, execution_options={"by_rule": "test"})
    session.commit()
    with site_of("resident", roles.resident) as app:
        someone = Resident(app.test_client())
        assert unlock(someone, birth_day="2").status == 404
        unlock(someone)
        to_form(someone, slot)
        someone.press("確認画面へ進む", **{**GOOD, **BORN})
        someone.press("この内容で予約する", consent="y")
    assert [(row.state, row.pickup_ref is not None) for row in stored(session)] == [(ReservationState.BOOKED, True)]


def test_who_waits_or_changes_by_themselves_does_so_with_these_rights(
    site_of: Callable[..., Any], roles: Roles, session: Session
) -> None:
    """A full day is waited for, its visitor cancels by themselves, and the place is offered; another one moves and brings somebody."""
    procedure = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    procedure.takes_waiting = procedure.self_cancel = procedure.self_change = True
    full, first, second = free_slot(session, places=1), free_slot(session, days=6), free_slot(session, days=7, places=2)
    session.commit()
    with site_of("resident", roles.resident) as app:
        owner, waiting, other = (Resident(app.test_client()) for _ in range(3))
        booked_at(owner, full, email="hanako@example.jp")
        waiting.open(f"{day_path(full)}?lang=en")
        waiting.open(f"{day_path(full)}?lang=ja")
        waiting.follow("空き待ちに登録する")
        assert waiting.press("登録する", name="待つ 人", phone="0782222222", email="w@example.jp").status == 200
        owner.follow("キャンセルする")
        assert owner.press("キャンセルする").status == 200
        held = [row.slot_id for row in stored(session) if row.state is ReservationState.HELD]
        assert held == [full.id], "what became free was offered in the same transaction"
        waiting.open(waiting.page.url)
        assert waiting.press("予約に進む").status == 200
        booked_at(other, first, phone="0783333333")
        other.follow("日時を変更する")
        assert other.press(f"{second.start_time.hour}:00").status == 200
        other.follow("家族を追加する")
        assert other.press("この方を追加する", **SON).status == 200
    assert [row.slot_id for row in stored(session) if row.state is ReservationState.BOOKED] == [second.id] * 2


def booked_at(someone: Resident, slot: Slot, **changes: str) -> None:
    choose(someone, slot)
    someone.press("確認画面へ進む", **{**GOOD, **changes})
    assert someone.press("この内容で予約する", consent="y").status == 200, someone.page.text


def test_the_call_centre_works_at_the_residents_site_with_these_rights(
    site_of: Callable[..., Any], roles: Roles, session: Session
) -> None:
    desk, later = (free_slot(session, hour=hour, channel=Channel.CALLCENTER) for hour in (10, 15))
    word = operators.new_link(session, session.scalars(select(Operator)).one(), datetime.now(UTC))
    session.commit()
    with site_of("resident", roles.resident) as app:
        caller = Resident(app.test_client())
        caller.open(f"/operator/password/{word}")
        caller.press("このパスワードにする", new="green-tea-and-rain", again="green-tea-and-rain")
        caller.open("/operator/sign-in")
        assert caller.send("サインイン", username="operator", password="wrong").status_code == 401
        caller.press("サインイン", username="operator", password="green-tea-and-rain")
        book(caller, desk)
        (made,) = stored(session)
        caller.open("/operator/")
        assert str(made) in caller.press("探す", q="タカハシ").links
        for act, more in (("move", {"slot": str(later.id)}), ("cancel", {})):
            caller.open(f"/operator/reservation/{made.id}/{act}")
            assert send(caller, f"/operator/reservation/{made.id}/{act}", **ABOUT, **more).status_code == 303, act
        assert (state_of(session, made), made.slot_id) == (ReservationState.CANCELLED, later.id)
        assert caller.press("サインアウト").url.startswith("/operator/sign-in")


def test_the_staff_site_and_the_worker_live_with_their_rights(
    site_of: Callable[..., Any], roles: Roles, session: Session
) -> None:
    card = samples.ready_card(session)
    session.commit()
    with site_of("staff", roles.staff) as app:
        clerk = app.test_client()
        apart(sign_in, clerk, "staff")
        for path in ("/", "/card/list/", f"/card/show/{card.id}", "/reservation/list/", "/reception/"):
            assert apart(clerk.get, path).status_code == 200, path
        page = apart(clerk.get, f"/card/edit/{card.id}")
        assert apart(post, clerk, f"/card/edit/{card.id}", {**form(page.text), "memo": "車いす"}).status_code == 303
        assert apart(serving.work_once, app) == []


@pytest.mark.parametrize(
    "words", ["UPDATE operation_log SET detail = '{}'", "DELETE FROM card_history", "DELETE FROM card_note", "DROP TABLE card"]
)
def test_the_staff_site_changes_nothing_that_is_written_once(words: str, roles: Roles) -> None:
    with psycopg.connect(roles.url(roles.staff)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL(words))
