"""Ready for pick-up: the one rule, its sentences, and the days on which it begins and ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.rules import cards
from models import CardState
from tests import samples

NOW = datetime(2026, 5, 10, 3, tzinfo=UTC)


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), TOKYO)


def test_a_card_whose_notice_went_out_and_that_lies_at_its_counter_is_ready(session: Session) -> None:
    card = samples.ready_card(session)
    assert (cards.why_not_ready(card, NOW), cards.is_ready(card, NOW)) == ("", True)
    card.state, card.reminder_sent_date = CardState.REMINDED, date(2026, 5, 1)
    assert cards.is_ready(card, NOW)


@pytest.mark.parametrize("state", [state for state in CardState if state not in (CardState.NOTIFIED, CardState.REMINDED)])
def test_no_other_state_is_ready(session: Session, state: CardState) -> None:
    assert cards.why_not_ready(samples.ready_card(session, state=state), NOW) == f"状態が「{state.label}」です"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"managed_from": None}, "到着"),
        ({"card_expiry": None}, "有効期限が登録されていません"),
        ({"preset_done": False}, "交付前設定"),
        ({"preset_date": None, "notice_sent_date": None}, "交付前設定"),
        ({"notice_sent_date": None}, "発送していません"),
        ({"issue_done": True}, "交付が完了"),
        ({"issue_cancelled": True}, "取りやめ"),
        ({"reissue_requested": True}, "再発行の依頼"),
        ({"revocation_done": True}, "失効"),
        ({"disposal_done": True}, "廃棄"),
        ({"storage_site": None}, "保管されていません"),
    ],
)
def test_each_thing_in_the_way_is_said(session: Session, changed: dict[str, Any], why: str) -> None:
    card = samples.ready_card(session, **changed)
    assert why in cards.why_not_ready(card, NOW)
    assert (cards.is_ready(card, NOW), cards.window(card)) == (False, None)


def test_a_card_at_another_counter_or_on_its_way_is_not_ready(session: Session) -> None:
    elsewhere = samples.ready_card(session, storage_site=samples.counter(session, "tanigami"))
    assert "交付場所に保管されていません" in cards.why_not_ready(elsewhere, NOW)
    there = samples.counter(session, "tanigami")
    moving = samples.ready_card(session, notice_no="ABC123457", issue_site=there, storage_site=None, transit_to=there)
    assert "移送中" in cards.why_not_ready(moving, NOW)


def test_it_can_be_fetched_from_the_day_of_its_notice_to_the_last_day_of_the_card(session: Session) -> None:
    card = samples.ready_card(session, card_expiry=date(2026, 6, 30))
    window = cards.window(card)
    assert window == cards.Window(card.issue_site_id, date(2026, 4, 22), date(2026, 6, 30))
    days = {
        day: cards.is_ready(card, at(date.fromisoformat(day))) for day in ("2026-04-21", "2026-04-22", "2026-06-30", "2026-07-01")
    }
    assert list(days.values()) == [False, True, True, False]
    assert cards.why_not_ready(card, at(date(2026, 4, 21))) == "受け取れるのは2026-04-22からです"
    assert cards.why_not_ready(card, at(date(2026, 7, 1))) == "受け取りの期限（2026-06-30）が過ぎています"


def test_days_are_those_of_kobe(session: Session) -> None:
    card = samples.ready_card(session, card_expiry=date(2026, 6, 30))
    assert cards.is_ready(card, datetime(2026, 6, 30, 14, 59, tzinfo=UTC))
    assert not cards.is_ready(card, datetime(2026, 6, 30, 15, 0, tzinfo=UTC))


def test_a_reminder_ends_it_three_months_later(session: Session) -> None:
    card = samples.ready_card(session, state=CardState.REMINDED, reminder_sent_date=date(2026, 11, 30))
    assert cards.is_ready(card, at(date(2027, 2, 28))) and not cards.is_ready(card, at(date(2027, 3, 1)))


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 10, 15), 3, date(2027, 1, 15)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
    ],
)
def test_months_end_on_a_day_that_there_is(day: date, months: int, then: date) -> None:
    assert cards.months_after(day, months) == then
