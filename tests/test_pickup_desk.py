"""The staff side of a pick-up: from a visit to its card with one click, from the number of a notice to the visit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.keys import keys_of
from app.rules import pickups
from models import Card, OperationLog, PickupCard, Reservation
from tests import samples
from tests.pages import post, table, token, words
from tests.samples import NOTICE
from tests.test_reception import scan
from tests.test_visit_screens import follow, last_act, made
from tests.test_visits import booked, morning, place

Browse = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _ten_o_clock() -> Any:
    with time_machine.travel(morning() + timedelta(hours=2), tick=True):
        yield


def fetching(session: Session, row: Reservation, **values: Any) -> Card:
    """The card for which a visit was booked by the number of its notice."""
    card = samples.ready_card(session, name=row.name, **values)
    ref = session.scalars(select(PickupCard.ref).where(PickupCard.card_id == card.id)).one()
    row.pickup_ref, row.notice_hash = ref, pickups.notice_mark(keys_of(session), str(card.notice_no))
    session.commit()
    return card


def test_a_visit_leads_to_its_card(browse: Browse, session: Session) -> None:
    row = made(session)
    card = fetching(session, row)
    page = browse("staff").get(f"/reservation/show/{row.id}").text
    assert f'href="/card/show/{card.id}"' in page and "準備ができています" in page
    shown = last_act(session, "reservation.show")
    assert shown.application_id == card.id
    assert NOTICE not in page and str(row.notice_hash) not in page and str(row.pickup_ref) not in page


def test_a_card_that_is_not_ready_says_why(browse: Browse, session: Session) -> None:
    row = made(session)
    fetching(session, row).reissue_requested = True
    session.commit()
    page = words(browse("staff").get(f"/reservation/show/{row.id}").text)
    assert "準備ができていません 再発行の依頼があったため、このカードは交付できません。" in page


def test_who_may_not_see_cards_sees_no_way_to_one(browse: Browse, session: Session) -> None:
    row = made(session)
    card = fetching(session, row)
    page = browse("operator").get(f"/reservation/show/{row.id}").text
    assert f"/card/show/{card.id}" not in page and "受け取るカード" not in page
    assert last_act(session, "reservation.show").application_id is None


def test_a_card_of_another_counter_is_not_shown(browse: Browse, session: Session) -> None:
    row = made(session)
    fetching(session, row, at="tanigami")
    assert "受け取るカード" not in browse("staff").get(f"/reservation/show/{row.id}").text
    assert "受け取るカード" in browse("manager").get(f"/reservation/show/{row.id}").text


def test_the_day_sheet_opens_each_card_with_one_click(browse: Browse, session: Session) -> None:
    rows = [made(session, place(session, hour)) for hour in (10, 11)]
    cards = [fetching(session, row, notice_no=f"ABC12345{n}") for n, row in enumerate(rows)]
    cards[1].reissue_requested = True
    other = made(session, place(session, 12))
    session.commit()
    clerk = browse("staff")
    page = clerk.get("/reception/").text
    links = [f'href="/card/show/{card.id}"' for card in cards]
    assert [page.count(link) for link in links] == [1, 1] and "再発行の依頼" in page
    assert set(last_act(session, "reservation.list").detail["申請書ID"]) == {card.id for card in cards}
    assert other.name in page
    assert "カードを開く" in follow(clerk, scan(clerk, rows[0].booking_code))


def test_a_sheet_without_cards_has_no_column_for_them(browse: Browse, session: Session) -> None:
    made(session)
    assert 'scope="col">カード<' not in browse("staff").get("/reception/").text


@pytest.mark.parametrize("typed", [NOTICE, "abc-123456", "ＡＢＣ１２３４５６"])
def test_an_operator_finds_a_visit_by_the_number_of_the_notice(browse: Browse, session: Session, typed: str) -> None:
    row = made(session)
    fetching(session, row)
    booked(session, place(session, hour=15))
    session.commit()
    person = browse("operator")
    assert post(person, "/jump", q=typed).headers["Location"] == f"/reservation/show/{row.id}"
    listed = person.get(post(person, "/reservation/search", q=typed).headers["Location"])
    assert [str(row) in line for line in table(listed.text)[1:]] == [True]


def test_a_clerk_finds_card_and_visit(browse: Browse, session: Session) -> None:
    row = made(session)
    card = fetching(session, row)
    clerk = browse("staff")
    page = clerk.get(post(clerk, "/jump", q=NOTICE).headers["Location"]).text
    assert f"/card/show/{card.id}" in page and f"/reservation/show/{row.id}" in page


def test_the_number_is_found_when_the_card_has_gone_and_nothing_else_is(browse: Browse, session: Session) -> None:
    row = made(session)
    card = fetching(session, row)
    card.issue_done, card.notice_no = True, None
    session.commit()
    clerk = browse("staff")
    assert post(clerk, "/jump", q=NOTICE).headers["Location"] == f"/reservation/show/{row.id}"
    for typed in ("ABC123457", NOTICE[:8], f"{NOTICE}0", "123456"):
        assert post(clerk, "/jump", q=typed).headers["Location"] == "/", typed


def test_neither_address_nor_log_holds_the_number(browse: Browse, session: Session) -> None:
    row = made(session)
    fetching(session, row)
    clerk = browse("operator")
    token(clerk)
    addresses = [post(clerk, path, q=NOTICE).headers["Location"] for path in ("/jump", "/reservation/search")]
    assert not [address for address in addresses if NOTICE in address.upper()]
    session.expire_all()
    told = str([(log.detail, log.action_name, log.client_info) for log in session.scalars(select(OperationLog))])
    assert NOTICE not in told and "123456" not in told and str(row.notice_hash) not in told
