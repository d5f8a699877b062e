"""The masters' room: cells edited in the list, hours below their counter, deletions that would leave others hanging."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import AppError
from app.rules.opening import open_slots
from models import (
    BookingCategory,
    Channel,
    CodeItem,
    Counter,
    CounterClosure,
    CounterHours,
    DeskPool,
    FeeRule,
    MyNumberAccess,
    OperationLog,
    Slot,
    Weekday,
)
from tests import samples
from tests.booking_pages import today
from tests.pages import fill, form, ids, post, table, words

Browse = Callable[[str], FlaskClient]


def last_log(session: Session, code: str) -> OperationLog:
    session.expire_all()
    row = session.scalars(select(OperationLog).where(OperationLog.action_code == code).order_by(OperationLog.id.desc())).first()
    assert row, code
    return row


def cell(person: FlaskClient, name: str, value: str, *, pk: Any = 1, stamp: Any = 1, table_name: str = "counter") -> Any:
    """Edits one cell of a list, as the page's script does."""
    return post(
        person, f"/masters/{table_name}/ajax/update/", {"pk": str(pk), "row_stamp": str(stamp), "column": name, "value": value}
    )


# -- cells ------------------------------------------------------------------------------------------------------------


def test_a_cell_is_changed_logged_and_gets_a_new_version(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    answer = cell(manager, "name", "三宮 第二")
    assert answer.status_code == 200 and answer.json == {
        "message": "三宮 第二 の「窓口名」を保存しました。",
        "words": "三宮 第二",
        "raw": "三宮 第二",
        "row_stamp": 2,
    }
    for name, value, shown in (("is_open", "", "—"), ("is_open", "1", "○"), ("sort_order", "１０", "10")):
        stamp = session.get_one(Counter, 1).row_stamp
        assert cell(manager, name, value, stamp=stamp).json["words"] == shown
        session.expire_all()
    row = last_log(session, "counter.edit")
    assert (row.user_id, row.detail["番号"], row.detail["画面"]) == ("manager", 1, "一覧")
    assert row.detail["変更"][0]["項目"] == {"並び順": ["1", "10"]}
    assert "三宮 第二" in manager.get("/masters/counter/").text


def test_a_cell_that_somebody_else_changed_shows_their_value(browse: Browse, session: Session) -> None:
    manager, admin = browse("manager"), browse("admin")
    assert cell(manager, "name", "相手の名").status_code == 200
    answer = cell(admin, "name", "自分の名")
    assert answer.status_code == 409
    assert answer.json == {
        "message": "保存していません。先に別の保存がありました。いまの値は「相手の名」です。入力した値：自分の名",
        "words": "相手の名",
        "raw": "相手の名",
        "row_stamp": 2,
    }
    assert "変更" not in last_log(session, "counter.edit").detail
    assert cell(admin, "name", "自分の名", stamp=2).status_code == 200, "knowing the new version, one may"


def test_a_wrong_value_stays_out_of_a_cell(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    for name, value, sentence in [
        ("name", "", "「窓口名」を入力してください。"),
        ("sort_order", "二", "「並び順」は正しい整数で入力してください。"),
        ("name", "長" * 61, "60文字以内"),
        ("name", "123456789018", "個人番号"),
    ]:
        answer = cell(manager, name, value)
        assert answer.status_code == 422 and sentence in answer.json["message"] and "123456789018" not in answer.text
    assert last_log(session, "counter.edit").my_number_access is MyNumberAccess.REFUSED
    answer = cell(manager, "minutes", "0", table_name="booking_category")
    assert answer.status_code == 422 and answer.json["message"] == "「所要時間（分）」は5から240までにしてください。"
    assert session.get_one(Counter, 1).row_stamp == 1 and session.get_one(BookingCategory, 1).minutes > 0


def test_only_offered_cells_of_rows_that_are_there(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    for name in ("code", "id", "row_stamp", "hours", "search_key", "note", "__class__", ""):
        assert cell(manager, name, "9").status_code == 404, name
    assert cell(manager, "name", "x", pk=999).status_code == 404 and cell(manager, "name", "x", pk="1 OR 1").status_code == 404
    clerk = browse("staff")
    assert cell(clerk, "name", "x").status_code == 403
    assert (
        'class="cell"' not in clerk.get("/masters/counter/").text and "編集" not in table(clerk.get("/masters/counter/").text)[1]
    )
    bare = manager.post("/masters/counter/ajax/update/", data={"pk": "1", "row_stamp": "1", "column": "name", "value": "x"})
    assert bare.status_code == 400
    session.expire_all()
    assert session.get_one(Counter, 1).row_stamp == 1


# -- a counter and its hours ------------------------------------------------------------------------------------------

PATH = "/masters/counter/edit/1"


def hours(session: Session) -> dict[str, str]:
    session.expire_all()
    return {
        str(row.weekday): f"{row.opens:%H:%M}-{row.closes:%H:%M}"
        for row in session.scalars(select(CounterHours).where(CounterHours.counter_id == 1))
    }


def line(session: Session, weekday: str) -> str:
    return f"hours-{session.scalars(select(CounterHours.id).where(CounterHours.counter_id == 1, CounterHours.weekday == weekday)).one()}"


def test_hours_are_added_changed_and_removed_with_their_counter(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    mon, tue = line(session, "mon"), line(session, "tue")
    answer = fill(
        manager,
        PATH,
        **{
            f"{mon}-closes": "20:00",
            f"{tue}-gone": "1",
            "hours-new0-weekday": "tue",
            "hours-new0-opens": "10:00",
            "hours-new0-closes": "12:00",
            "phone": "０７８-３３３-４４４４",
        },
    )
    assert answer.status_code == 303
    found = hours(session)
    assert (found["mon"], found["tue"], len(found)) == ("09:30-20:00", "10:00-12:00", 7), (
        "a removed weekday can be entered anew at once"
    )
    changes = {(c["対象"], c["種別"]): c["項目"] for c in last_log(session, "counter.edit").detail["変更"]}
    assert changes["窓口", "変更"] == {"電話番号": ["078-000-0001", "078-333-4444"]}
    assert changes["開設時間", "変更"] == {"終了": ["17:30", "20:00"]} and ("開設時間", "削除") in changes
    assert changes["開設時間", "追加"]["曜日"] == ["", "火曜日"]


WRONG_HOURS = [
    ({"opens": "18:00"}, "「終了」は「開始」より後にしてください。"),
    ({"opens": "25:00"}, "「開始」は正しい時刻（例 09:30）で入力してください。"),
    ({"opens": ""}, "「開始」を入力してください。"),
    ({"break_start": "12:00"}, "休憩は「休憩開始」と「休憩終了」の両方を入力するか、両方とも空にしてください。"),
    ({"break_start": "08:00", "break_end": "09:00"}, "休憩は開設時間の中に、開始・終了の順で入力してください。"),
    ({"weekday": "tue"}, "「窓口」「曜日」が同じデータがすでに登録されています。"),
    ({"weekday": "someday"}, "「曜日」を選び直してください。"),
]


def test_wrong_hours_save_nothing(browse: Browse, session: Session) -> None:
    before, mon, manager = hours(session), line(session, "mon"), browse("manager")
    for typed, sentence in WRONG_HOURS:
        answer = fill(manager, PATH, name="別の名", **{f"{mon}-{key}": value for key, value in typed.items()})
        assert answer.status_code == 422 and sentence in words(answer.text), typed
        assert 'id="errors"' in answer.text and form(answer.text)["name"] == ["別の名"] and hours(session) == before
    session.expire_all()
    assert session.get_one(Counter, 1).name == "三宮サテライト"


def test_a_spare_line_that_was_begun_is_not_dropped_silently(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    assert fill(manager, PATH, **{"hours-new0-weekday": "mon"}).status_code == 422
    assert fill(manager, PATH, **{"hours-new": "²"}).status_code == 303
    assert fill(manager, PATH, **{"hours-new": "99999"}).status_code == 303


def test_a_line_without_its_version_is_not_taken(browse: Browse, session: Session) -> None:
    manager, mon, before = browse("manager"), line(session, "mon"), hours(session)
    counter = {key: value for key, value in form(manager.get(PATH).text).items() if not key.startswith("hours-")}
    for sent in ({f"{mon}-gone": "1"}, {f"{mon}-closes": "23:00"}):
        post(manager, PATH, {**counter, **sent})
        session.expire_all()
        assert hours(session) == before, sent


def test_two_people_at_one_counter_see_line_by_line_what_differs(browse: Browse, session: Session) -> None:
    manager, admin = browse("manager"), browse("admin")
    mon, wed = line(session, "mon"), line(session, "wed")
    opened = form(admin.get(PATH).text)
    assert fill(manager, PATH, **{f"{mon}-closes": "20:00", "phone": "0781112222"}).status_code == 303
    answer = post(admin, PATH, {**opened, f"{mon}-closes": "12:00", f"{wed}-opens": "10:00", "name": "三宮 第二"})
    assert answer.status_code == 409 and "先に別の保存がありました" in answer.text
    assert {row[0]: row[1:] for row in table(answer.text)[1:]} == {
        "窓口名": ["三宮サテライト", "三宮サテライト", "三宮 第二"],
        "電話番号": ["078-000-0001", "078-111-2222", "078-000-0001"],
        "月曜日 09:30–20:00 終了 両方が変更": ["17:30", "20:00", "12:00"],
        "水曜日 09:30–17:30 開始": ["09:30", "09:30", "10:00"],
    }
    decided = {**form(answer.text), f"choice-{mon}-closes": "theirs"}
    assert post(admin, PATH, decided).status_code == 303
    found, counter = hours(session), session.get_one(Counter, 1)
    assert (found["mon"], found["wed"]) == ("09:30-20:00", "10:00-17:30")
    assert (counter.name, counter.phone) == ("三宮 第二", "0781112222")


def test_a_line_that_somebody_took_out_is_not_changed_in_silence(browse: Browse, session: Session) -> None:
    manager, admin = browse("manager"), browse("admin")
    tue = line(session, "tue")
    opened = form(admin.get(PATH).text)
    assert fill(manager, PATH, **{f"{tue}-gone": "1"}).status_code == 303
    answer = post(admin, PATH, {**opened, f"{tue}-closes": "13:00", "name": "三宮 第二"})
    assert answer.status_code == 409 and "開設時間の1行は、ほかの人が削除しました" in words(answer.text)
    assert post(admin, PATH, form(answer.text)).status_code == 303
    assert "tue" not in hours(session) and session.get_one(Counter, 1).name == "三宮 第二"


def test_a_line_that_somebody_added_stays_beside_ones_own_change(browse: Browse, session: Session) -> None:
    manager, admin = browse("manager"), browse("admin")
    fill(manager, PATH, **{f"{line(session, 'tue')}-gone": "1"})
    opened = form(admin.get(PATH).text)
    added = {"hours-new0-weekday": "tue", "hours-new0-opens": "10:00", "hours-new0-closes": "12:00"}
    assert fill(manager, PATH, **added).status_code == 303
    assert post(admin, PATH, {**opened, "name": "三宮 第二"}).status_code == 303
    assert hours(session)["tue"] == "10:00-12:00" and session.get_one(Counter, 1).name == "三宮 第二"


def test_a_new_counter_comes_with_its_hours_once(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    sent = {
        **form(manager.get("/masters/counter/new/").text),
        "code": "suma",
        "name": "須磨臨時",
        "postal_code": "654-0001",
        "address": "神戸市須磨区",
        "hours-new0-weekday": "sat",
        "hours-new0-opens": "09:00",
        "hours-new0-closes": "12:00",
    }
    assert [post(manager, "/masters/counter/new/", sent).status_code for _ in range(2)] == [303, 303]
    row = session.scalars(select(Counter).where(Counter.code == "suma")).one()
    assert (row.name, row.postal_code, row.is_open, [str(h) for h in row.hours]) == (
        "須磨臨時",
        "6540001",
        True,
        ["土曜日 09:00–12:00"],
    )
    again = fill(manager, "/masters/counter/new/", code="suma", name="別", postal_code="6540001", address="神戸市")
    assert again.status_code == 422 and "「窓口コード」が同じデータがすでに登録されています。" in again.text
    key = row.id
    deleted = post(manager, f"/masters/counter/delete/{key}", form(manager.get(f"/masters/counter/show/{key}").text, "destroy"))
    assert "を削除しました" in manager.get(deleted.headers["Location"]).text
    assert session.scalars(select(CounterHours).where(CounterHours.weekday == "sat", CounterHours.counter_id == key)).all() == []


# -- places follow their masters ---------------------------------------------------------------------------------------


def free_times(visitor: FlaskClient, day: date) -> int:
    """How many times of a day the residents' site offers at 三宮."""
    return visitor.get(f"/book/pickup/sannomiya/{day}/").text.count('name="slot"')


def test_a_closed_day_is_closed_for_residents_at_once_and_opens_again(
    browse: Browse, visitor: FlaskClient, session: Session
) -> None:
    manager, day, other = browse("manager"), today() + timedelta(days=10), today() + timedelta(days=11)
    open_slots(session, today=today(), days=12)
    assert free_times(visitor, day) > 5
    booked = slot_at(session, day)
    booked.used = 1
    closure = {"counter": "1", "starts_on": str(day), "ends_on": str(day), "reason": "設備点検"}
    answer = fill(manager, "/masters/counter_closure/new/", **closure)
    assert (free_times(visitor, day), free_times(visitor, other) > 5) == (0, True)
    page = manager.get(answer.headers["Location"]).text
    assert "1枠にはすでに予約があります" in words(page)
    assert f"/reservation/list/?booking_date_from={day}&amp;booking_date_to={day}&amp;state=booked" in page
    session.expire_all()
    assert (booked.used, booked.capacity, booked.wanted) == (1, 1, 0), "whoever has booked keeps the place"
    made = session.scalars(select(CounterClosure).where(CounterClosure.reason == "設備点検")).one()
    post(
        manager,
        f"/masters/counter_closure/delete/{made.id}",
        form(manager.get(f"/masters/counter_closure/show/{made.id}").text, "destroy"),
    )
    assert free_times(visitor, day) > 5


def test_places_follow_hours_desks_and_cells(browse: Browse, visitor: FlaskClient, session: Session) -> None:
    manager, day = browse("manager"), today() + timedelta(days=10)
    open_slots(session, today=today(), days=12)
    before = free_times(visitor, day)
    weekday = line(session, Weekday.of(day))
    fill(manager, PATH, **{f"{weekday}-closes": "12:00"})
    assert 0 < free_times(visitor, day) < before
    for pool in session.scalars(select(DeskPool).where(DeskPool.counter_id == 1)).all():
        assert cell(manager, "web_places", "0", pk=pool.id, stamp=pool.row_stamp, table_name="desk_pool").status_code == 200
    assert free_times(visitor, day) == 0


def slot_at(session: Session, day: date) -> Slot:
    return session.scalars(
        select(Slot).where(Slot.counter_id == 1, Slot.slot_date == day, Slot.channel == Channel.WEB).limit(1)
    ).one()


# -- deletion, pools, code lists --------------------------------------------------------------------------------------


def test_what_others_refer_to_is_not_deleted(browse: Browse, session: Session) -> None:
    samples.card(session)
    manager = browse("manager")
    kind = session.scalars(select(CodeItem).where(CodeItem.list_name == "issue_kind", CodeItem.value == "new")).one()
    unused = CodeItem(list_name="issue_kind", value="spare", name="予備")
    session.add(unused)
    session.commit()
    for name, model, key in (("counter", Counter, 1), ("booking_category", BookingCategory, 1), ("code_item", CodeItem, kind.id)):
        answer = post(manager, f"/masters/{name}/delete/{key}", form(manager.get(f"/masters/{name}/show/{key}").text, "destroy"))
        assert "ほかのデータから使われているため、削除できません" in manager.get(answer.headers["Location"]).text, name
        session.expire_all()
        assert session.get(model, key) and "使われている" in last_log(session, f"{name}.delete").detail["結果"]
    assert hours(session), "the counter's hours are still there, too"
    post(
        manager,
        f"/masters/code_item/delete/{unused.id}",
        form(manager.get(f"/masters/code_item/show/{unused.id}").text, "destroy"),
    )
    assert session.scalars(select(CodeItem).where(CodeItem.value == "spare")).all() == []
    assert post(browse("staff"), "/masters/counter_closure/delete/1").status_code == 403


def test_a_code_that_rows_hold_stays_whoever_asks(session: Session) -> None:
    samples.card(session)
    session.commit()
    for change in ("delete", "value", "list_name"):
        kind = session.scalars(select(CodeItem).where(CodeItem.list_name == "issue_kind", CodeItem.value == "new")).one()
        if change == "delete":
            session.delete(kind)
        else:
            setattr(kind, change, "renewal_reason")
        with pytest.raises(AppError, match="ほかのデータから使われているため"):
            session.flush()
        session.rollback()
    kind = session.scalars(select(CodeItem).where(CodeItem.list_name == "issue_kind", CodeItem.value == "new")).one()
    kind.name, kind.is_active = "新規（旧）", False
    session.commit()


def test_a_stale_deletion_is_refused(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    closure = session.scalars(select(CounterClosure)).first()
    assert closure
    seen = form(manager.get(f"/masters/counter_closure/show/{closure.id}").text, "destroy")
    closure.reason = "台風"
    answer = post(manager, f"/masters/counter_closure/delete/{closure.id}", seen)
    assert "ほかの人が先に変更しました" in manager.get(answer.headers["Location"]).text
    session.expire_all()
    assert session.get(CounterClosure, closure.id)


def test_a_pool_of_desks_takes_its_procedures_by_ticks(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    answer = fill(
        manager,
        "/masters/desk_pool/new/",
        counter="1",
        name="夜間",
        interval_minutes="15",
        web_places="3",
        categories=["", "1", "2"],
    )
    assert answer.status_code == 303
    pool = session.scalars(select(DeskPool).where(DeskPool.name == "夜間")).one()
    names = [str(session.get_one(BookingCategory, key)) for key in (1, 2)]
    assert [str(c) for c in pool.categories] == names
    assert last_log(session, "desk_pool.add").detail["変更"][0]["項目"]["予約区分"] == ["", "、".join(names)]
    path = f"/masters/desk_pool/edit/{pool.id}"
    assert fill(manager, path, categories=["", "999"]).status_code == 422
    assert fill(manager, path, categories=[""]).status_code == 303
    session.expire_all()
    assert pool.categories == [] and last_log(session, "desk_pool.edit").detail["変更"][0]["項目"] == {
        "予約区分": ["、".join(names), ""]
    }
    assert fill(manager, path, interval_minutes="1").status_code == 422


def test_a_pool_of_desks_stays_at_its_counter(browse: Browse, session: Session) -> None:
    """Its places have been opened there, and some are booked."""
    manager, pool = browse("manager"), session.scalars(select(DeskPool).order_by(DeskPool.id)).first()
    assert pool
    before, elsewhere = pool.counter_id, session.scalars(select(Counter.id).where(Counter.id != pool.counter_id)).first()
    path = f"/masters/desk_pool/edit/{pool.id}"
    assert "counter" not in form(manager.get(path).text)
    assert fill(manager, path, counter=str(elsewhere), name="別の名").status_code == 303
    assert cell(manager, "counter", str(elsewhere), pk=pool.id, stamp=2, table_name="desk_pool").status_code in (403, 404)
    session.expire_all()
    assert (pool.counter_id, pool.name) == (before, "別の名")


def test_a_retired_code_stays_readable_but_cannot_be_chosen(browse: Browse, session: Session) -> None:
    card = samples.card(session, issue_kind="renewal")
    rule = session.scalars(select(FeeRule).where(FeeRule.issue_kind == "renewal")).first()
    item = session.scalars(select(CodeItem).where(CodeItem.list_name == "issue_kind", CodeItem.value == "renewal")).one()
    assert rule
    clerk, manager = browse("staff"), browse("manager")
    assert '<option value="renewal">' in clerk.get("/card/add").text
    assert cell(manager, "is_active", "", pk=item.id, stamp=item.row_stamp, table_name="code_item").status_code == 200
    assert item.name in words(clerk.get(f"/card/show/{card.id}").text) and 'value="renewal"' not in clerk.get("/card/add").text
    typed = {
        "name": "山田 次郎",
        "address": "神戸市",
        "application_date": "2026-11-01",
        "application_site": "1",
        "issue_site": "1",
    }
    assert "選び直してください" in fill(clerk, "/card/add", **typed, issue_kind="renewal").text
    assert fill(manager, f"/masters/fee_rule/edit/{rule.id}", note="据え置き").status_code == 303, "a row keeps the code it has"
    assert item.name in words(manager.get("/masters/fee_rule/").text)


def test_two_fees_of_one_kind_never_hold_at_once(browse: Browse, session: Session) -> None:
    manager = browse("manager")
    kind = {"issue_kind": "renewal", "registration_reason": "number_change", "amount": "800"}

    def add(begins: str, ends: str = "", **other: str) -> Any:
        return fill(manager, "/masters/fee_rule/new/", valid_from=begins, valid_until=ends, **kind | other)

    def told(answer: Any) -> bool:
        return answer.status_code == 422 and "からの800円」と期間が重なります。" in words(answer.text)

    assert add("2027-04-01", "2028-03-31").status_code == 303
    for begins, ends in (("2027-04-02", ""), ("2026-01-01", ""), ("2028-03-31", "2029-01-01"), ("2027-05-01", "2027-05-02")):
        assert told(add(begins, ends)), (begins, ends)
    assert add("2028-04-01").status_code == 303 and add("2027-04-01", registration_reason="damaged").status_code == 303
    first, second = session.scalars(
        select(FeeRule)
        .where(FeeRule.issue_kind == "renewal", FeeRule.registration_reason == "number_change")
        .order_by(FeeRule.valid_from)
    )
    refused = cell(manager, "valid_until", "2028-04-01", pk=first.id, table_name="fee_rule")
    assert refused.status_code == 422 and "2028-04-01からの800円" in refused.json["message"]
    assert cell(manager, "valid_from", "2028-03-31", pk=second.id, table_name="fee_rule").status_code == 422
    assert cell(manager, "amount", "200", pk=first.id, table_name="fee_rule").status_code == 200
    assert fill(manager, f"/masters/fee_rule/edit/{first.id}", valid_until="2028-03-30").status_code == 303


def test_the_room_lists_what_one_may_open(browse: Browse, session: Session) -> None:
    assert (
        "窓口" in words(browse("staff").get("/masters/").text)
        and "開けるマスタはありません" in browse("auditor").get("/masters/").text
    )
    manager = browse("manager")
    narrowed = table(manager.get("/masters/desk_pool/?counter=2").text)
    assert {row[0] for row in narrowed[1:]} == {"谷上サテライト"}
    assert ids(manager.get("/masters/counter/").text, "masters/counter") == [1, 2, 3, 4]
    assert (
        last_log(session, "desk_pool.list").detail["条件"] == {"窓口": "2"} or last_log(session, "desk_pool.list").detail["条件"]
    )
