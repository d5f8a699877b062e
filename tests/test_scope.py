"""Which rows somebody may touch, held in the session: whatever screen, import or job asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from app.context import Actor, Context, acting, enter
from app.errors import NotFound
from app.scope import widened
from config import ROOT
from models import Card, CardHistory, CardNote, Counter, Document, DocumentPage, OperationLog, Reservation, Shipment, Slot
from models.documents import MimeType
from tests import samples


@pytest.fixture
def office(session: Session) -> Iterator[Session]:
    """Cards of two counters; then the session is that of a clerk of 三宮."""
    for at in ("sannomiya", "shin-nagata"):
        card = samples.card(session, at)
        samples.shipment(session, card)
        samples.note(session, card)
        session.add(
            DocumentPage(
                document=samples.document(session, card),
                partition_year=2026,
                page_no=1,
                stored_name=f"{at}.pdf",
                display_name="申請書.pdf",
                mime_type=MimeType.PDF,
                size_bytes=1,
            )
        )
        samples.reservation(session, at, booking_code="AAAAA22222" if at == "sannomiya" else "BBBBB33333")
    session.commit()
    with acting(session, clerk(session, "sannomiya")):
        yield session


def clerk(session: Session, *codes: str) -> Actor:
    return Actor(
        user_id="staff", name="三宮 太郎", counters=frozenset(session.scalars(select(Counter.id).where(Counter.code.in_(codes))))
    )


def in_full(session: Session, other: str = "shin-nagata") -> Card:
    """The card of another counter, as a system job sees it."""
    with acting(session, Actor(counters=None)):
        found = session.scalars(select(Card).join(Card.issue_site).where(Counter.code == other)).one()
        session.expunge(found)
        return found


SCOPED = [Card, CardHistory, CardNote, Shipment, Document, DocumentPage, Reservation, Slot]


@pytest.mark.parametrize("model", SCOPED, ids=lambda m: m.__name__)
def test_only_rows_of_ones_own_counters_are_seen(office: Session, model: type[Card]) -> None:
    assert len(office.scalars(select(model)).all()) == 1
    assert office.scalar(select(func.count()).select_from(model)) == 1


@pytest.mark.parametrize("model", SCOPED, ids=lambda m: m.__name__)
def test_nobody_prepared_means_nothing_seen(office: Session, model: type[Card]) -> None:
    enter(office, Context())
    assert office.scalars(select(model)).all() == []


@pytest.mark.parametrize("model", SCOPED, ids=lambda m: m.__name__)
def test_a_job_that_says_so_sees_every_counter(office: Session, model: type[Card]) -> None:
    with acting(office, Actor(counters=None)):
        assert len(office.scalars(select(model)).all()) == 2


def test_every_way_of_asking_is_limited(office: Session) -> None:
    other = in_full(office)
    assert office.get(Card, other.id) is None
    also = aliased(Card)
    assert office.scalars(select(also)).all() == office.scalars(select(Card)).all()
    assert len(office.execute(select(Shipment.id, Card.name).join(Card)).all()) == 1
    assert office.scalar(select(select(Card.id).where(Card.id == other.id).exists())) is False
    assert office.query(Card).count() == 1
    assert len(office.scalars(select(Shipment).options(joinedload(Shipment.card))).all()) == 1
    assert [s.card.id for s in office.scalars(select(Shipment).options(selectinload(Shipment.card)))] == [
        office.scalars(select(Card.id)).one()
    ]


def test_a_card_is_seen_by_the_counter_that_keeps_it_and_the_one_it_travels_to(office: Session) -> None:
    other = in_full(office)
    with acting(office, Actor(counters=None)):
        card = office.get_one(Card, other.id)
        card.transit_to = samples.counter(office)
        office.commit()
    office.expire_all()
    assert office.get(Card, other.id) is not None
    assert len(office.scalars(select(Shipment)).all()) == 2


def test_a_new_row_for_another_counter_is_refused(office: Session) -> None:
    with pytest.raises(NotFound):
        samples.card(office, "shin-nagata")


def test_a_new_row_below_anothers_card_is_refused(office: Session) -> None:
    office.add(CardNote(card_id=in_full(office).id, comment="のぞき見"))
    with pytest.raises(NotFound):
        office.flush()


def test_a_row_may_not_leave_ones_counters(office: Session) -> None:
    office.scalars(select(Card)).one().issue_site = samples.counter(office, "shin-nagata")
    with pytest.raises(NotFound):
        office.flush()


def test_a_row_may_not_leave_by_its_key_either(office: Session) -> None:
    office.scalars(select(Card)).one().issue_site_id = samples.counter(office, "shin-nagata").id
    with pytest.raises(NotFound):
        office.flush()


def test_a_named_transfer_may_leave_and_then_the_row_is_gone(office: Session) -> None:
    card = office.scalars(select(Card)).one()
    with widened(office, "窓口間の移送"):
        card.issue_site = samples.counter(office, "shin-nagata")
    office.commit()
    number = card.id  # still at hand for whoever moved it
    office.expunge_all()
    assert office.get(Card, number) is None
    with pytest.raises(NotFound):
        samples.card(office, "shin-nagata")  # the wider scope ended with the block
    office.rollback()
    told = office.scalars(select(OperationLog).order_by(OperationLog.id.desc()).limit(1)).one()
    assert told.detail["変更"][0]["範囲を越える理由"] == "窓口間の移送"


def test_a_row_of_another_counter_cannot_be_fetched_by_a_transfer(office: Session) -> None:
    other = in_full(office)
    office.add(other)
    other.issue_site = samples.counter(office)
    with pytest.raises(NotFound), widened(office, "窓口間の移送"):
        pass


def test_a_row_of_another_counter_cannot_be_changed_or_deleted(office: Session) -> None:
    other = in_full(office)
    office.add(other)
    other.memo = "書き換え"
    with pytest.raises(NotFound):
        office.flush()
    office.rollback()
    office.add(other := in_full(office))
    office.delete(other)
    with pytest.raises(NotFound):
        office.flush()


def test_bulk_changes_are_refused_unless_a_rule_is_named(office: Session) -> None:
    with pytest.raises(RuntimeError, match="bypass"):
        office.execute(update(Card).values(memo=""))
    office.execute(update(Card).values(memo="済").execution_options(by_rule="test"))


def test_tables_without_scope_are_open_to_whoever_has_the_right(office: Session) -> None:
    assert len(office.scalars(select(Counter)).all()) == 4
    assert office.scalars(select(OperationLog)).all()


def test_a_change_within_ones_counters_is_fine(office: Session) -> None:
    card = office.scalars(select(Card)).one()
    card.name, card.card_expiry = "山田 次郎", date(2036, 4, 1)
    samples.note(office, card)
    samples.shipment(office, card)
    samples.document(office, card)
    office.commit()
    assert card.name == "山田 次郎"


def test_bulk_changes_are_made_by_these_rules_and_no_other() -> None:
    """`by_rule` lets a statement past scope and log, so every place that says it is named here."""
    said = {
        (path.relative_to(ROOT).as_posix(), rule)
        for folder in ("app", "models", "views", "booking")
        for path in (ROOT / folder).rglob("*.py")
        for rule in re.findall(r"""by_rule["']?\s*[:=]\s*["']([\w.]+)["']""", path.read_text(encoding="utf-8"))
    }
    assert said == {
        ("app/jobs/__init__.py", "jobs.forget_forms"),
        ("app/rules/opening.py", "opening.agree"),
        ("app/rules/places.py", "places.change"),
        ("app/rules/sending.py", "sending.lease"),
        ("app/rules/sending.py", "sending.mark"),
        ("app/rules/visits.py", "visits.close_days"),
        ("views/importing.py", "views.importing"),
    }
