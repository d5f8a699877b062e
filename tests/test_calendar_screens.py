"""予約カレンダー over HTTP: who sees what, filters that stay, days without places, and the sheet of a day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ActionClass, BookingCategory, Channel, Reservation, ReservationState, Slot
from tests.booking_pages import free_slot, today
from tests.pages import post, table, words
from tests.sites import statements
from tests.test_visit_screens import FACTS, follow, last_act, made, used
from tests.test_visits import booked, morning, place

Browse = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _morning() -> Any:
    with time_machine.travel(morning(), tick=True):
        yield


def day(offset: int = 0) -> str:
    return f"/calendar/day/{today() + timedelta(days=offset)}"


def month() -> str:
    return f"/calendar/month/{today():%Y-%m}"


def at_two_counters(session: Session) -> tuple[Reservation, Reservation]:
    mine, theirs = made(session, place(session, 10)), made(session, place(session, 11, at="shin-nagata"))
    mine.name, theirs.name = "山田 花子", "秘密 太郎"
    session.commit()
    return mine, theirs


# -- who sees what -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "columns", "moves"),
    [
        ("staff", ["三宮サテライト"], True),
        ("staff2", ["新長田サテライト"], True),
        ("contractor", ["三宮サテライト"], False),
        ("operator", ["三宮サテライト", "新長田サテライト"], True),
        ("admin", ["三宮サテライト", "新長田サテライト"], False),
    ],
)
def test_everybody_sees_their_own_counters_and_moves_what_they_may(
    browse: Browse, session: Session, who: str, columns: list[str], moves: bool
) -> None:
    mine, theirs = at_two_counters(session)
    person = browse(who)
    page = person.get(day()).text
    assert [heading.split()[0] for heading in table(page)[0][1:]] == columns
    expected = {"三宮サテライト": mine, "新長田サテライト": theirs}
    for name, row in expected.items():
        assert (row.name in page) is (name in columns), name
    assert ("移動" in words(page)) is moves and ("data-visit" in page) is moves
    for path in (f"/calendar/week/{today()}", month(), f"{day()}/print"):
        other = person.get(path).text
        assert all((name in other) is (name in columns) for name in expected), path
    seen = last_act(session, "reservation.print").detail["表示した番号"]
    assert sorted(seen) == sorted(row.id for name, row in expected.items() if name in columns)


@pytest.mark.parametrize("who", ["auditor", "maintainer"])
def test_who_may_not_list_reservations_has_no_calendar(browse: Browse, who: str) -> None:
    person = browse(who)
    for path in ("/calendar/", day(), f"/calendar/week/{today()}", month(), f"{day()}/print"):
        assert person.get(path).status_code == 403, path
    assert "/calendar/" not in person.get("/").text


def test_the_menu_leads_to_today_and_the_list_and_the_record_lead_here_and_back(browse: Browse, session: Session) -> None:
    clerk, row = browse("staff"), made(session)
    assert f'href="{day()}"' in clerk.get("/").text and clerk.get("/calendar/").headers["Location"] == day()
    assert f'href="{day()}#visit-{row.id}"' in clerk.get(f"/reservation/show/{row.id}").text
    on, last = today() + timedelta(days=3), today() + timedelta(days=9)
    for asked, leads in [
        ("", day()),
        (f"?booking_date_from={today()}", day()),
        (f"?booking_date_from={on}&booking_date_to={on}&counter=1&state=booked", f"{day(3)}?counter=1&amp;state=booked"),
        (f"?booking_date_from={on}&booking_date_to={last}&channel=web&size=20", f"/calendar/month/{on:%Y-%m}?channel=web"),
    ]:
        assert f'href="{leads}"' in clerk.get(f"/reservation/list/{asked}").text, asked
    back = re.search(r'href="(/reservation/list/[^"]*)">一覧で見る', clerk.get(f"{day()}?state=booked&channel=counter").text)
    assert back and str(row) in words(clerk.get(back[1].replace("&amp;", "&")).text)


# -- filters -----------------------------------------------------------------------------------------------------------


def test_filters_stay_in_every_link_and_nonsense_is_left_out(browse: Browse, session: Session) -> None:
    made(session)
    category = session.scalars(select(BookingCategory.id).where(BookingCategory.code == "pickup")).one()
    asked = f"counter=1&category={category}&state=booked&channel=counter"
    page = browse("operator").get(f"{day()}?{asked}&size=20&order=x&nothing=<b>").text
    links = [link for link in re.findall(r'href="(/calendar/[^"]*)"', page) if link != day()]  # the menu begins anew
    assert len(links) > 8
    asks = {f"category={category}", "state=booked", "channel=counter"}
    assert [link for link in links if not asks <= set(link.replace("&amp;", "&").partition("?")[2].split("&"))] == []
    assert all("nothing" not in link and "size" not in link for link in links)
    clean = browse("operator").get(f"{day()}?counter=x&category=-1&state=nobody&channel=7&moving=")
    assert clean.status_code == 200 and "条件に当てはまる" not in words(clean.text)


def test_people_and_places_follow_the_filters(browse: Browse, session: Session) -> None:
    desk = place(session, 10, places=3)
    free_slot(session, days=0, hour=10, places=5, channel=Channel.WEB)
    there, gone = made(session, desk), made(session, desk)
    there.name, gone.name = "山田 花子", "帰った 人"
    session.commit()
    operator = browse("operator")
    post(operator, f"/reservation/act/cancel/{gone.id}", {"facts": FACTS}, reason="own")
    every = operator.get(day()).text
    assert "山田 花子" in every and "帰った 人" not in every and "キャンセルなど 1件" in words(every)
    assert "○空きあり 1/8" in words(every) and "コールセンター" in every
    only = operator.get(f"{day()}?channel=counter").text
    assert "○空きあり 1/3" in words(only)
    cancelled = operator.get(f"{day()}?state=cancelled").text
    assert "帰った 人" in cancelled and "山田 花子" not in cancelled and "○空きあり 1/8" in words(cancelled)
    assert "該当1" in words(operator.get(f"{month()}?state=cancelled").text)
    token_ = post(operator, "/reservation/search", q="山田").headers["Location"].partition("?")[2]
    found = operator.get(f"{day()}?{token_}").text
    assert "山田 花子" in found and "条件に当てはまる予約 1件" in words(found) and f"{day(1)}?{token_}" in found
    assert "もう残っていません" in words(browse("staff").get(f"{day()}?{token_}").text)


def test_a_filter_on_anothers_counter_shows_nothing_of_it(browse: Browse, session: Session) -> None:
    _, theirs = at_two_counters(session)
    page = browse("staff").get(f"{day()}?counter={theirs.counter_id}").text
    assert "担当する窓口の中にありません" in words(page) and theirs.name not in page and "0/" not in words(page)


# -- days --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "day/2026-2-3",
        "day/20261125",
        "day/2026-13-01",
        "day/x",
        "day/0999-01-01",
        "day/2026-W48-3",
        "month/2026-00",
        "month/2026-1",
        "month/202611",
        "week/2026-02-30",
        "day/2026-02-30/print",
    ],
)
def test_a_day_that_is_none_is_not_found(browse: Browse, path: str) -> None:
    assert browse("staff").get(f"/calendar/{path}").status_code == 404


def test_steps_lead_one_day_week_or_month_on(browse: Browse) -> None:
    clerk = browse("staff")
    for path, earlier, later in [
        ("day/2026-12-31", "day/2026-12-30", "day/2027-01-01"),
        ("week/2026-12-31", "week/2026-12-21", "week/2027-01-04"),
        ("month/2026-12", "month/2026-11", "month/2027-01"),
    ]:
        page = clerk.get(f"/calendar/{path}").text
        assert f'rel="prev" href="/calendar/{earlier}"' in page and f'rel="next" href="/calendar/{later}"' in page


def test_a_typed_day_is_gone_to_with_the_filters(browse: Browse) -> None:
    clerk = browse("staff")
    for typed, leads in (("2026-12-24", "/calendar/day/2026-12-24"), ("", day()), ("24.12.", day()), ("9999-12-31", day())):
        answer = clerk.get(f"/calendar/?on={typed}&state=booked&counter=x")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{leads}?state=booked"), typed


def test_a_day_without_places_says_why(browse: Browse) -> None:
    clerk = browse("manager")
    page = words(clerk.get(f"/calendar/day/{today().year + 1}-01-01").text)
    assert "三宮サテライト：休業日（年末年始）" in page and "この日に予約を受け付ける窓口はありません" in page
    assert "休業日（年末年始）" in words(clerk.get(f"/calendar/month/{today().year + 1}-01").text)
    assert "月曜日は開いていません" in words(clerk.get("/calendar/week/2027-06-09").text)


def test_places_that_were_closed_after_they_had_been_booked_are_pointed_out(browse: Browse, session: Session) -> None:
    slot = place(session, 10, places=2)
    made(session, slot)
    slot.wanted, slot.capacity = 0, 1
    session.commit()
    assert "×満席 1/1 枠を1超過" in words(browse("staff").get(day()).text)


def test_many_people_at_one_time_are_folded_and_long_names_are_just_text(browse: Browse, session: Session) -> None:
    slot = place(session, 10, places=30)
    rows = [booked(session, slot) for _ in range(20)]
    rows[0].name = "<b>寿限無</b>" * 15
    session.commit()
    page = browse("staff").get(day()).text
    assert "ほか 12人" in words(page) and "<b>寿" not in page and page.count('id="visit-') == 20


def test_somebody_who_is_still_typing_holds_a_place_without_a_name(browse: Browse, session: Session) -> None:
    row = made(session)
    row.state, row.held_until, row.name, row.phone = ReservationState.HELD, morning(1), "", ""
    session.commit()
    clerk = browse("staff")
    assert re.search(r'id="visit-\d+"[^>]*>（入力中）</a>', clerk.get(day()).text)
    assert "この日の予約はありません" in words(clerk.get(f"{day()}/print").text)


def test_a_thousand_people_are_as_few_questions_as_two(browse: Browse, session: Session, staff_app: Flask) -> None:
    operator, counts = browse("operator"), []
    for many in (1, 40):
        for number in range(many):
            slot = place(session, 9 + number % 8, start_time=time(9 + number % 8, 5 * (number // 8) + many // 40), places=1)
            made(session, slot)
        session.commit()
        asked = []
        for path in (
            day(),
            f"/calendar/week/{today()}?state=booked",
            f"{month()}?state=booked&counter=1&category=1",
            f"{day()}/print",
        ):
            with statements(staff_app) as sent:
                assert operator.get(path).status_code == 200
            asked.append(len(sent))
        counts.append(asked)
    assert counts[0] == counts[1] and max(counts[0]) <= 10, counts


def test_looking_is_an_act_with_its_criteria_and_who_was_shown(browse: Browse, session: Session) -> None:
    mine, theirs = at_two_counters(session)
    operator = browse("operator")
    operator.get(f"{day()}?state=booked&counter=1")
    told = last_act(session, "reservation.list").detail
    assert told["条件"] == {"窓口": "三宮サテライト", "状態": "予約済"} and told["期間"] == str(today())
    assert (told["画面"], told["件数"], told["表示した番号"]) == ("カレンダー（日）", 1, [mine.id])
    operator.get(month())
    told = last_act(session, "reservation.list").detail
    assert told["画面"] == "カレンダー（月）" and "表示した番号" not in told
    act = last_act(session, "reservation.list")
    assert act.action_class is ActionClass.SEARCH and theirs.name not in str(told)


# -- another time ------------------------------------------------------------------------------------------------------


def to_move(session: Session) -> tuple[Reservation, Slot]:
    """Somebody at ten today, and a place five days on."""
    return made(session, place(session, 10)), free_slot(session, days=5, hour=13, channel=Channel.CALLCENTER)


def target(page: str) -> str:
    found = re.search(r'class="target" href="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_a_free_time_leads_to_the_page_that_shows_old_and_new_side_by_side(browse: Browse, session: Session) -> None:
    row, there = to_move(session)
    old = session.get_one(Slot, row.slot_id)
    session.commit()
    operator = browse("operator")
    shift = re.search(rf'class="shift" href="([^"]*moving={row.id})"', operator.get(f"{day()}?counter=1").text)
    assert shift and "moving" in shift[1]
    page = operator.get(f"{day(5)}?counter=1&moving={row.id}")
    assert (
        "新しい日時を選んでいます" in words(page.text)
        and f"{there.slot_date.month}月{there.slot_date.day}日 13:00 三宮サテライト 空き3" in page.text
    )
    assert last_act(session, "reservation.list").detail["表示した番号"] == [row.id], "whoever is being moved is shown too"
    path = target(page.text)
    confirm = operator.get(path)
    assert (
        words(confirm.text).index("いまの予約") < words(confirm.text).index("新しい予約")
        and f'value="{there.id}"' in confirm.text
    )
    assert used(session, there) == 0, "nothing is moved by looking"
    unsaid = post(operator, path, slot=str(there.id), was=str(old.id), reason="illness", note="熱がある")
    assert unsaid.status_code == 422 and "新しい予約" in words(unsaid.text) and 'value="熱がある"' in unsaid.text
    answer = post(operator, path, {"facts": FACTS}, slot=str(there.id), was=str(old.id))
    assert answer.headers["Location"] == f"{day(5)}?counter=1#visit-{row.id}"
    assert "に変更しました" in follow(operator, answer)
    assert (used(session, old), used(session, there)) == (0, 1)


def test_only_times_with_room_for_it_are_offered(browse: Browse, session: Session) -> None:
    row, there = to_move(session)
    free_slot(session, days=5, hour=14, channel=Channel.CALLCENTER, used=3)
    free_slot(session, days=5, hour=15, channel=Channel.RESERVE)
    free_slot(session, days=5, hour=16, channel=Channel.COUNTER)
    session.commit()
    offered = {
        who: re.findall(r'data-words="([^"]*)"', browse(who).get(f"{day(5)}?moving={row.id}").text)
        for who in ("operator", "staff", "manager")
    }
    hours = {who: [words.split()[1] for words in found] for who, found in offered.items()}
    assert hours == {"operator": ["13:00"], "staff": ["16:00"], "manager": ["13:00", "15:00", "16:00"]}
    assert "移せる空きはありません" in words(browse("operator").get(f"{day(6)}?moving={row.id}").text) and there.used == 0
    for path in (
        f"/calendar/month/{there.slot_date:%Y-%m}",
        f"/calendar/week/{there.slot_date}",
    ):  # whoever looks for another day still looks for it
        page = browse("operator").get(f"{path}?moving={row.id}&state=booked").text
        assert "新しい日時を選んでいます" in words(page) and f'href="{day(5)}?state=booked&amp;moving={row.id}"' in page, path


def test_a_target_that_filled_meanwhile_is_explained_and_nothing_is_lost(browse: Browse, session: Session) -> None:
    row, there = to_move(session)
    session.commit()
    operator = browse("operator")
    path = target(operator.get(f"{day(5)}?moving={row.id}").text)
    assert "新しい予約" in words(operator.get(path).text)
    there.used = 3
    session.commit()
    late = operator.get(path)
    assert (
        late.status_code == 200
        and "13:00 三宮サテライト は、いま満席になりました" in words(late.text)
        and "空きを見る" in late.text
    )
    answer = post(operator, path, {"facts": FACTS}, slot=str(there.id), was=str(row.slot_id), reason="illness", note="熱がある")
    assert answer.status_code == 409 and words(answer.text).count("満席になりました") == 1 and 'value="熱がある"' in answer.text
    session.expire_all()
    assert session.get_one(Reservation, row.id).booking_date == today()
    for forged in ("0", "x", "9" * 30, str(row.slot_id)):
        page = operator.get(f"/reservation/move/{row.id}?to={forged}")
        assert page.status_code == 200 and "ほかの時間を選んでください" in words(page.text) and "新しい日時" in words(page.text)


def test_somebody_else_moved_it_meanwhile(browse: Browse, session: Session) -> None:
    row, there = to_move(session)
    other, was = free_slot(session, days=6, hour=9, channel=Channel.CALLCENTER), row.slot_id
    session.commit()
    operator, manager = browse("operator"), browse("manager")
    path = target(operator.get(f"{day(5)}?moving={row.id}").text)
    assert post(manager, f"/reservation/move/{row.id}", {"facts": FACTS}, slot=str(other.id), was=str(was)).status_code == 303
    answer = post(operator, path, {"facts": FACTS}, slot=str(there.id), was=str(was), note="熱がある")
    assert (
        answer.status_code == 409
        and "ほかの人が別の日時に変更しました" in words(answer.text)
        and 'value="熱がある"' in answer.text
    )
    assert f'name="was" value="{other.id}"' in answer.text and (used(session, other), used(session, there)) == (1, 0)
    assert post(operator, path, {"facts": FACTS}, slot=str(there.id), was=str(other.id)).status_code == 303
    assert (used(session, other), used(session, there)) == (0, 1)


def test_who_may_not_move_is_refused_and_what_cannot_be_moved_is_explained(browse: Browse, session: Session) -> None:
    row, theirs = at_two_counters(session)
    assert browse("contractor").get(f"{day()}?moving={row.id}").status_code == 403
    assert last_act(session, "access.refused").user_id == "contractor"
    clerk = browse("staff")
    assert [clerk.get(f"{day()}?moving={key}").status_code for key in (theirs.id, 0, "x", "9" * 30)] == [404] * 4
    row.state, row.arrived_at = ReservationState.ARRIVED, morning()
    session.commit()
    page = clerk.get(f"{day()}?moving={row.id}").text
    assert "「来庁済」のため、日時を変更できません" in words(page) and "data-moving" not in page and "移動" not in words(page)


def test_a_clerk_who_moves_somebody_to_another_counter_is_left_where_they_may_be(browse: Browse, session: Session) -> None:
    row, _ = to_move(session)
    far = free_slot(session, days=5, hour=10, at="shin-nagata", channel=Channel.COUNTER)
    session.commit()
    clerk = browse("staff")
    page = follow(clerk, post(clerk, f"/reservation/move/{row.id}", {"facts": FACTS}, slot=str(far.id), was=str(row.slot_id)))
    assert "新長田サテライト に変更しました" in page


# -- the sheet ---------------------------------------------------------------------------------------------------------


def test_the_sheet_of_a_day_is_in_the_order_of_the_clock_and_keeps_households_together(browse: Browse, session: Session) -> None:
    slot = place(session, 10, places=9)
    rows = [booked(session, slot) for _ in range(4)]
    early, gone = booked(session, place(session, 9)), booked(session, place(session, 11))
    for row, name in zip((*rows, early, gone), ("親 一", "別 二", "子 三", "子 四", "朝 五", "無 六"), strict=True):
        row.name, row.phone = name, "09012345678"
    rows[0].group_id = rows[2].group_id = rows[3].group_id = "g-1"
    gone.state = ReservationState.CANCELLED
    early.state, early.arrived_at, early.queue_number = ReservationState.ARRIVED, morning(), 7
    session.commit()
    heading, *lines = table(browse("staff").get(f"{day()}/print").text)
    assert heading == ["時刻", "受付番号", "申請ID", "氏名（カナ）", "手続き", "人数", "電話", "済"]
    assert [(line[0], line[3].split()[0], line[5]) for line in lines] == [
        ("09:00", "朝", "1人"),
        ("10:00", "親", "3人"),
        ("10:00", "子", "同じ組〃"),
        ("10:00", "子", "同じ組〃"),
        ("10:00", "別", "1人"),
    ]
    assert lines[0][7] == "済" and [line[1] for line in lines] == ["7", "", "", "", ""], "a number already drawn is on it"
    assert lines[1][2] == str(rows[0])
    assert {line[6] for line in lines} == {"＊5678"}
    assert {line[6] for line in table(browse("manager").get(f"{day()}/print").text)[1:]} == {"090-1234-5678"}


def test_printing_is_an_act_of_its_own(browse: Browse, session: Session) -> None:
    row, contractor = made(session), browse("contractor")
    contractor.get(f"{day()}/print?state=booked")
    act = last_act(session, "reservation.print")
    assert (act.action_class, act.action_name, act.user_id) == (ActionClass.PRINT, "来庁予約 印刷", "contractor")
    assert (
        act.detail["表示した番号"] == [row.id] and act.detail["個人情報"] == "伏せ字" and act.detail["条件"] == {"状態": "予約済"}
    )
    assert row.name not in str(act.detail)
    assert "この日の予約はありません" in words(contractor.get(f"{day(1)}/print").text)
