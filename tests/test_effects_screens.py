"""Saving a master over HTTP when people have booked: the page that asks, its three buttons, and everything that happens in between."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import acting, system
from app.errors import AppError
from app.extensions import db
from models import Counter, CounterClosure, CounterHours, DeskPool, OperationLog, Reservation, ReservationState, Slot
from tests.booking_pages import counter
from tests.pages import Fields, fill, form, post, table, words
from tests.test_effects import DAY, booked, desk, household, slot  # noqa: F401 - desk is a fixture
from tests.test_masters import cell, last_log

Browse = Callable[[str], FlaskClient]
NEW = "/masters/counter_closure/new/"
BOOKED, CANCELLED = ReservationState.BOOKED, ReservationState.CANCELLED
pytestmark = pytest.mark.usefixtures("desk")


def close(person: FlaskClient, **values: str) -> Any:
    """Sends the form of a closure of 三宮 on the day."""
    return fill(person, NEW, **{"counter": "1", "starts_on": str(DAY), "ends_on": str(DAY), "reason": "設備点検", **values})


def press(person: FlaskClient, path: str, page: str, choice: str) -> Any:
    """One of the buttons of the page, with everything that its form carries."""
    fields: Fields = form(page)
    return post(person, path, {**fields, "effect": choice})


def buttons(page: str) -> list[str]:
    return re.findall(r'<button[^>]*name="effect" value="(\w+)"', page)


def flashed(person: FlaskClient, answer: Any) -> str:
    assert answer.status_code == 303, words(answer.text)
    return words(person.get(answer.headers["Location"]).text)


def closures(session: Session) -> list[CounterClosure]:
    session.expire_all()
    return list(session.scalars(select(CounterClosure).where(CounterClosure.reason == "設備点検")))


# -- the page ---------------------------------------------------------------------------------------------------------


def test_nobody_concerned_is_saved_at_once(browse: Browse, session: Session) -> None:
    booked(session, slot(session, DAY + timedelta(days=1)))
    assert close(browse("manager")).status_code == 303
    assert len(closures(session)) == 1


def test_the_page_names_who_is_concerned_and_saves_nothing(browse: Browse, session: Session) -> None:
    row, manager = booked(session, slot(session)), browse("manager")
    booked(session, slot(session, DAY + timedelta(days=1)))
    answer = close(manager)
    told = words(answer.text)
    assert answer.status_code == 200 and "まだ登録していません。" in told and "1件に影響します。ほかの1件は変わりません。" in told
    heading, line = table(answer.text)
    assert line[heading.index("申請ID")] == str(row) and line[heading.index("氏名")] == row.name
    assert line[heading.index("いまの日時")].startswith(str(DAY)) and line[heading.index("影響")] == "休業・時間外になる"
    assert line[heading.index("移す先")].startswith(str(DAY + timedelta(days=1)))
    assert line[heading.index("お知らせ")] == "電話など" and "こちらから知らせてください" in told
    assert f'href="/reservation/show/{row.id}"' in answer.text and buttons(answer.text) == ["keep", "move", "cancel"]
    assert closures(session) == [] and slot(session).wanted == 2 and row.state is BOOKED
    log = last_log(session, "counter_closure.add")
    assert log.action_name.endswith("（変更なし）") and log.detail["影響する予約"] == 1
    assert log.detail["表示した番号"] == [row.id] and row.name not in str(log.detail)


def test_a_long_list_says_how_many_there_are(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("views.effects.MOST_SHOWN", 2)
    for at in (time(10), time(10, 30), time(11)):
        booked(session, slot(session, at=at))
    page = close(browse("manager")).text
    assert len(table(page)) == 3 and "3件のうち、早い順に2件" in words(page)


def test_each_button_does_what_it_says(browse: Browse, session: Session) -> None:
    manager, said = browse("manager"), {}
    for at, choice in enumerate(("keep", "move", "cancel")):
        day = DAY + timedelta(days=5 * at)
        row = booked(session, slot(session, day))
        dates = {"starts_on": str(day), "ends_on": str(day)}
        said[choice] = flashed(manager, press(manager, NEW, close(manager, **dates).text, choice))
        session.expire_all()
        moved = day + timedelta(days=choice == "move")
        assert (row.state, row.booking_date) == (CANCELLED if choice == "cancel" else BOOKED, moved)
    assert "そのまま残した予約1件。" in said["keep"] and "1枠にはすでに予約があります" in said["keep"]
    assert "日時を移した予約1件。" in said["move"] and "キャンセルした予約1件。" in said["cancel"]
    assert len(closures(session)) == 3
    acts = [row.action_code for row in session.scalars(select(OperationLog).order_by(OperationLog.id))]
    assert acts.count("reservation.move") == acts.count("reservation.cancel") == 1


def test_the_last_page_sent_twice_closes_once(browse: Browse, session: Session) -> None:
    booked(session, slot(session))
    manager = browse("manager")
    page = close(manager).text
    assert [press(manager, NEW, page, "cancel").status_code for _ in range(2)] == [303, 303]
    assert len(closures(session)) == 1


def test_somebody_who_books_meanwhile_is_asked_about_too(browse: Browse, session: Session) -> None:
    booked(session, slot(session))
    manager = browse("manager")
    page = close(manager).text
    late = booked(session, slot(session, at=time(11)))
    again = press(manager, NEW, page, "cancel")
    assert again.status_code == 200 and "確かめているあいだに、予約か空きが変わりました" in words(again.text)
    assert closures(session) == [] and late.state is BOOKED and len(table(again.text)) == 3
    flashed(manager, press(manager, NEW, again.text, "cancel"))
    session.expire_all()
    assert late.state is CANCELLED


def test_two_people_who_close_the_same_day_close_it_once(browse: Browse, session: Session) -> None:
    row = booked(session, slot(session))
    manager, admin = browse("manager"), browse("admin")
    first, second = close(admin).text, close(manager).text
    assert press(admin, NEW, first, "keep").status_code == 303
    refused = press(manager, NEW, second, "cancel")
    assert refused.status_code == 422 and "と期間が重なります" in words(refused.text)
    session.expire_all()
    assert len(closures(session)) == 1 and row.state is BOOKED


def test_who_may_not_change_reservations_may_only_keep_them(browse: Browse, session: Session) -> None:
    row, admin = booked(session, slot(session)), browse("admin")
    page = close(admin).text
    assert buttons(page) == ["keep"] and "予約を変更できる役割の人だけができます" in words(page)
    assert press(admin, NEW, page, "cancel").status_code == 403
    session.expire_all()
    assert closures(session) == [] and row.state is BOOKED
    assert press(admin, NEW, page, "keep").status_code == 303


def test_a_choice_that_nobody_offered_is_asked_again(browse: Browse, session: Session) -> None:
    booked(session, slot(session))
    manager = browse("manager")
    page = close(manager).text
    for forged in ({"effect": "keep", "effect_seen": ""}, {"effect": "nonsense"}, {"effect": "cancel", "effect_seen": "x.y"}):
        assert post(manager, NEW, {**form(page), **forged}).status_code == 200
    assert closures(session) == []


def test_a_household_is_shown_and_moved_together(browse: Browse, session: Session) -> None:
    rows, manager = household(session, slot(session), 2), browse("manager")
    page = close(manager).text
    assert "2件を空いている時間へ移して登録する" in words(page)
    flashed(manager, press(manager, NEW, page, "move"))
    session.expire_all()
    assert len({(row.booking_date, row.start_time) for row in rows}) == 1 and rows[0].booking_date > DAY


# -- other masters ----------------------------------------------------------------------------------------------------


def test_hours_that_are_shortened_carry_every_line_of_the_form(browse: Browse, session: Session) -> None:
    row, manager = booked(session, slot(session, at=time(11, 30))), browse("manager")
    path, opened = "/masters/counter/edit/1", {}
    for hours in session.scalars(select(CounterHours).where(CounterHours.counter_id == 1)):
        opened[f"hours-{hours.id}-closes"] = "11:00"
    gone = next(iter(opened)).replace("closes", "gone")
    answer = fill(manager, path, **opened, **{gone: "1", "phone": "078-111-2222"})
    assert "1件に影響します" in words(answer.text)
    flashed(manager, press(manager, path, answer.text, "keep"))
    session.expire_all()
    left = session.scalars(select(CounterHours).where(CounterHours.counter_id == 1)).all()
    assert {hours.closes for hours in left} == {time(11)} and len(left) == 6
    assert counter(session).phone == "0781112222" and row.state is BOOKED


def test_a_closure_that_is_made_longer_and_one_that_is_deleted(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    assert close(manager, starts_on=str(DAY - timedelta(days=1)), ends_on=str(DAY - timedelta(days=1))).status_code == 303
    (made,) = closures(session)
    row, path = booked(session, slot(session)), f"/masters/counter_closure/edit/{made.id}"
    answer = fill(manager, path, ends_on=str(DAY))
    assert "まだ保存していません" in words(answer.text)
    flashed(manager, press(manager, path, answer.text, "cancel"))
    session.expire_all()
    assert (row.state, slot(session).wanted, made.ends_on) == (CANCELLED, 0, DAY)
    page = manager.get(f"/masters/counter_closure/show/{made.id}").text
    assert post(manager, f"/masters/counter_closure/delete/{made.id}", form(page, "destroy")).status_code == 303
    session.expire_all()
    assert slot(session).wanted == 2


def test_a_stale_form_is_a_conflict_first(browse: Browse, session: Session) -> None:
    booked(session, slot(session, at=time(11, 30)))
    manager, admin, path = browse("manager"), browse("admin"), "/masters/counter/edit/1"
    key = f"hours-{session.scalars(select(CounterHours.id).where(CounterHours.counter_id == 1, CounterHours.weekday == weekday())).one()}-closes"
    page = fill(manager, path, **{key: "11:00"}).text
    assert fill(admin, path, name="別の名").status_code == 303
    conflict = press(manager, path, page, "keep")
    assert conflict.status_code == 409
    asked = post(manager, path, {**form(conflict.text), "choice-name": "theirs"})
    assert asked.status_code == 200 and buttons(asked.text)
    flashed(manager, press(manager, path, asked.text, "keep"))
    session.expire_all()
    assert counter(session).name == "別の名"


def weekday() -> str:
    return ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][DAY.weekday()]


def test_a_procedures_latest_end(browse: Browse, session: Session) -> None:
    row, manager = booked(session, slot(session, at=time(11, 30))), browse("manager")
    path = f"/masters/booking_category/edit/{row.category_id}"
    answer = fill(manager, path, latest_end="11:30")
    assert "終了時刻の上限を過ぎる" in words(answer.text)
    flashed(manager, press(manager, path, answer.text, "move"))
    session.expire_all()
    assert row.end_time <= time(11, 30) and row.category.latest_end == time(11, 30)


# -- cells ------------------------------------------------------------------------------------------------------------


def test_a_cell_that_concerns_somebody_leads_to_the_form_with_its_value(browse: Browse, session: Session) -> None:
    rows = [booked(session, slot(session)) for _ in range(2)]
    manager, pool = browse("manager"), session.scalars(select(DeskPool).order_by(DeskPool.id)).first()
    assert pool
    answer = cell(manager, "web_places", "1", pk=pool.id, stamp=pool.row_stamp, table_name="desk_pool")
    assert answer.status_code == 409 and "予約1件に影響します" in answer.json["message"] and answer.json["raw"] == "2"
    session.expire_all()
    assert (pool.web_places, slot(session).wanted) == (2, 2)
    assert answer.json["row_stamp"] == pool.row_stamp
    path, _, asked = answer.json["link"]["href"].partition("?")
    opened = manager.get(answer.json["link"]["href"])
    assert form(opened.text)["web_places"] == ["1"] and "まだ保存していません" in words(opened.text) and asked == "web_places=1"
    page = post(manager, path, form(opened.text)).text
    flashed(manager, press(manager, path, page, "cancel"))
    session.expire_all()
    assert (pool.web_places, rows[0].state, rows[1].state) == (1, BOOKED, CANCELLED)


def test_a_cell_that_concerns_nobody_is_saved_as_ever(browse: Browse, session: Session) -> None:
    manager, pool = browse("manager"), session.scalars(select(DeskPool).order_by(DeskPool.id)).first()
    assert pool
    answer = cell(manager, "web_places", "1", pk=pool.id, stamp=pool.row_stamp, table_name="desk_pool")
    assert answer.status_code == 200 and "link" not in answer.json
    stamp = session.get_one(Counter, 1).row_stamp
    booked(session, slot(session))
    shut = cell(manager, "is_open", "", stamp=stamp)
    assert shut.status_code == 409 and shut.json["link"]["href"].endswith("is_open=")
    assert 'name="is_open" value="1" checked' not in manager.get(shut.json["link"]["href"]).text


def test_what_an_address_begins_a_form_with_is_only_a_cells(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    page = manager.get("/masters/counter/edit/1?name=別の名&code=x&note=y&row_stamp=9&sort_order=二").text
    held = form(page)
    assert held["name"] == ["別の名"] and held["note"] != ["y"] and held["row_stamp"] == ["1"]
    assert counter(session).name == "三宮サテライト"


# -- overlaps ---------------------------------------------------------------------------------------------------------


def test_closures_of_one_counter_do_not_overlap(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    days = {"starts_on": str(DAY), "ends_on": str(DAY + timedelta(days=4))}
    assert close(manager, **days).status_code == 303
    for first, last in ((0, 0), (-1, 0), (4, 9), (-9, 9), (2, 3)):
        typed = {"starts_on": str(DAY + timedelta(days=first)), "ends_on": str(DAY + timedelta(days=last)), "reason": "改修"}
        refused = close(manager, **typed)
        assert refused.status_code == 422 and "と期間が重なります" in words(refused.text), typed
    after = str(DAY + timedelta(days=5))
    assert close(manager, starts_on=after, ends_on=after).status_code == 303
    assert close(manager, counter="2").status_code == 303, "another counter"
    assert close(manager, counter="").status_code == 303, "every counter, beside one of its own"
    assert close(manager, counter="").status_code == 422
    made = closures(session)[0]
    assert fill(manager, f"/masters/counter_closure/edit/{made.id}", ends_on=after).status_code == 422


def test_two_closures_at_the_same_moment(staff_app: Flask, session: Session) -> None:
    """The first has written and not yet committed; the second must not slip past it."""
    refusals: list[str] = []

    def enter(session_: Session) -> None:
        session_.add(CounterClosure(counter=session_.get_one(Counter, 1), starts_on=DAY, ends_on=DAY, reason="設備点検"))
        session_.flush()

    def second() -> None:
        with staff_app.app_context(), acting(db.session(), system("二人目")):
            try:
                enter(db.session())
                db.session.commit()
            except AppError as error:
                refusals.append(error.message)
                db.session.rollback()

    enter(session)
    other = threading.Thread(target=second)
    other.start()
    other.join(0.5)
    session.commit()
    other.join(20)
    assert len(refusals) == 1 and len(closures(session)) == 1


def test_the_places_of_the_kept_close_one_by_one(browse: Browse, session: Session) -> None:
    rows = [booked(session, slot(session)) for _ in range(2)]
    manager = browse("manager")
    flashed(manager, press(manager, NEW, close(manager).text, "keep"))
    reason = {"reason": "own", "facts": ["name", "phone"]}
    assert post(manager, f"/reservation/act/cancel/{rows[0].id}", reason).status_code == 303
    session.expire_all()
    place = session.get_one(Slot, rows[0].slot_id)
    assert (place.used, place.capacity, place.wanted) == (1, 1, 0)
    assert session.scalars(select(Reservation.state).where(Reservation.slot_id == place.id)).all().count(BOOKED) == 1
