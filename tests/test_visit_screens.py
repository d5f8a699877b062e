"""来庁予約 on the panel: a visitor is checked in with one click, a caller's reservation cancelled or moved on one screen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Channel, OperationLog, Reservation, ReservationState, Slot
from tests.booking_pages import PERSONAL_NUMBER, free_slot
from tests.pages import post, token, words
from tests.test_visits import booked, broken, morning, place

Browse = Callable[[str], FlaskClient]
FACTS = ["name", "phone"]


@pytest.fixture(autouse=True)
def _morning() -> Any:
    with time_machine.travel(morning(), tick=True):
        yield


def follow(person: FlaskClient, answer: Any) -> str:
    assert answer.status_code == 303, words(answer.text)
    return words(person.get(answer.headers["Location"]).text)


def state(session: Session, row: Reservation) -> ReservationState:
    session.expire_all()
    return session.get_one(Reservation, row.id).state


def used(session: Session, slot: Slot) -> int:
    session.expire_all()
    return session.get_one(Slot, slot.id).used


def last_act(session: Session, code: str) -> OperationLog:
    session.expire_all()
    found = session.scalars(select(OperationLog).where(OperationLog.action_code == code).order_by(OperationLog.id.desc())).first()
    assert found is not None, code
    return found


def made(session: Session, slot: Slot | None = None) -> Reservation:
    row = booked(session, slot or place(session))
    session.commit()
    return row


def test_a_visitor_is_checked_in_with_one_click_and_a_second_says_so(browse: Browse, session: Session) -> None:
    clerk, row = browse("contractor"), made(session)
    page = clerk.get(f"/reservation/show/{row.id}").text
    assert "来庁を記録する" in page and "キャンセルする" not in page and "日時を変更する" not in page
    assert f"{row} の来庁を記録しました。" in follow(clerk, post(clerk, f"/reservation/act/arrive/{row.id}"))
    assert state(session, row) is ReservationState.ARRIVED and last_act(session, "reservation.arrive").detail["変更件数"] == 1
    assert f"{row} は、すでに来庁済です（08:00）。" in follow(clerk, post(clerk, f"/reservation/act/arrive/{row.id}"))
    assert last_act(session, "reservation.arrive").action_name.endswith("（変更なし）")
    assert "来庁を記録する" not in clerk.get(f"/reservation/show/{row.id}").text


def test_a_check_in_is_taken_back_with_a_reason(browse: Browse, session: Session) -> None:
    clerk, row = browse("staff"), made(session)
    post(clerk, f"/reservation/act/arrive/{row.id}")
    path = f"/reservation/act/undo/{row.id}"
    assert "来庁の記録を取り消す" in clerk.get(path).text
    refused = post(clerk, path)
    assert refused.status_code == 422 and "理由を選んでください。" in words(refused.text)
    assert "来庁の記録を取り消しました" in follow(clerk, post(clerk, path, reason="mistake"))
    session.expire_all()
    back = session.get_one(Reservation, row.id)
    assert (back.state, back.arrived_at, back.state_reason) == (ReservationState.BOOKED, None, "mistake")


def test_a_caller_is_recognised_before_a_reservation_is_cancelled(browse: Browse, session: Session) -> None:
    operator, slot = browse("operator"), place(session)
    row = made(session, slot)
    path = f"/reservation/act/cancel/{row.id}"
    refused = post(operator, path, facts="name", reason="own", note="来週に変えたい")
    assert refused.status_code == 422 and "2つ以上選んでください" in words(refused.text)
    assert 'value="来週に変えたい"' in refused.text and 'value="name" checked' in refused.text, "what was entered stays"
    digits = post(operator, path, {"facts": FACTS}, reason="own", note=PERSONAL_NUMBER)
    assert digits.status_code == 422 and PERSONAL_NUMBER not in digits.text
    assert post(operator, path, {"facts": ["name", "nothing"]}, reason="own").status_code == 422
    assert post(operator, path, {"facts": FACTS}, reason="invented").status_code == 422
    assert (state(session, row), used(session, slot)) == (ReservationState.BOOKED, 1)
    assert "キャンセルしました" in follow(operator, post(operator, path, {"facts": FACTS}, reason="own", note="来週に"))
    told = last_act(session, "reservation.cancel").detail
    assert (told["理由"], told["確かめた項目"]) == ("本人の都合", ["氏名", "電話番号"]) and "来週に" not in str(told)
    assert (state(session, row), used(session, slot)) == (ReservationState.CANCELLED, 0)
    assert "「キャンセル」のため" in follow(operator, post(operator, path, {"facts": FACTS}, reason="own"))
    assert "「キャンセル」のため" in follow(operator, operator.get(path)) and used(session, slot) == 0 and broken(session) == []


def test_a_caller_gets_another_time_on_one_screen(browse: Browse, session: Session) -> None:
    operator, slot = browse("operator"), place(session)
    row = made(session, slot)
    far = free_slot(session, days=9, at="shin-nagata", hour=13, channel=Channel.CALLCENTER)
    session.commit()
    path = f"/reservation/move/{row.id}"
    page = operator.get(f"{path}?at=shin-nagata&from={far.slot_date - timedelta(days=1)}").text
    assert f'value="{far.id}"' in page and "山" not in page.split("<h2>新しい日時</h2>")[1].split("</table>")[0]
    unsaid = post(operator, path, {"facts": FACTS}, at="shin-nagata", **{"from": str(far.slot_date)})
    assert (
        unsaid.status_code == 422 and "新しい日時を選んでください。" in words(unsaid.text) and f'value="{far.id}"' in unsaid.text
    )
    moved = follow(operator, post(operator, path, {"facts": FACTS}, slot=str(far.id)))
    assert f"{far.slot_date} 13:00" in moved and "に変更しました" in moved
    assert (used(session, slot), used(session, far)) == (0, 1) and broken(session) == []
    assert session.get_one(Reservation, row.id).booking_code == row.booking_code


def test_a_time_that_filled_meanwhile_leaves_everything_as_it_was(browse: Browse, session: Session) -> None:
    operator, slot = browse("operator"), place(session)
    row, full = made(session, slot), free_slot(session, days=4, places=1, used=1, channel=Channel.CALLCENTER)
    session.commit()
    path = f"/reservation/move/{row.id}"
    answer = post(
        operator, path, {"facts": FACTS}, slot=str(full.id), reason="illness", note="熱がある", **{"from": str(full.slot_date)}
    )
    page = words(answer.text)
    assert answer.status_code == 409 and "いま満席になりました" in page and "満席" in page
    assert 'value="熱がある"' in answer.text and 'value="illness" selected' in answer.text
    assert (state(session, row), used(session, slot), used(session, full)) == (ReservationState.BOOKED, 1, 1)
    for foreign in ("0", "999999999", "x", "1" * 30, ""):
        assert post(operator, path, {"facts": FACTS}, slot=foreign).status_code in (404, 422)


@pytest.mark.parametrize(
    ("who", "act", "status"),
    [
        ("operator", "act/arrive", 403),
        ("contractor", "act/cancel", 403),
        ("contractor", "move", 403),
        ("admin", "act/cancel", 403),
        ("auditor", "act/arrive", 403),
        ("staff2", "act/arrive", 404),
        ("staff2", "act/cancel", 404),
        ("staff2", "move", 404),
        ("staff", "act/nothing", 404),
    ],
)
def test_rights_and_scope_hold_for_every_act(browse: Browse, session: Session, who: str, act: str, status: int) -> None:
    row, person = made(session), browse(who)
    assert post(person, f"/reservation/{act}/{row.id}", {"facts": FACTS}, reason="own", slot="1").status_code == status
    assert state(session, row) is ReservationState.BOOKED


def test_two_who_cancel_at_once_give_the_place_back_once(browse: Browse, session: Session) -> None:
    slot = place(session)
    rows = [made(session, slot) for _ in range(2)]
    people, path = [browse("operator"), browse("manager")], f"/reservation/act/cancel/{rows[0].id}"
    for person in people:
        token(person)
    session.commit()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda person: post(person, path, {"facts": FACTS}, reason="own").status_code, people))
    assert answers == [303, 303], "who was late is told that it is done"
    assert (state(session, rows[0]), used(session, slot)) == (ReservationState.CANCELLED, 1) and broken(session) == []
