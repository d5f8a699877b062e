"""The operation log: what changed is written with the change, by whoever makes it; what did not happen is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import audit
from app.context import Actor, Context, acting, context, enter
from app.errors import PersonalNumberFound
from app.extensions import db
from models import ActionClass, Card, CardHistory, MyNumberAccess, OperationLog
from tests import samples

PERSONAL_NUMBER = "123456789018"  # the example of the law's formula; nobody's


def logged(session: Session) -> list[OperationLog]:
    return [row for row in session.scalars(select(OperationLog).order_by(OperationLog.id)) if row.action_code != "setup.setting"]


def last(session: Session) -> OperationLog:
    return logged(session)[-1]


def fields(row: OperationLog, change: int = 0) -> dict[str, list[str]]:
    found: dict[str, list[str]] = row.detail["変更"][change]["項目"]
    return found


def test_a_new_row_is_logged_with_its_transaction(session: Session) -> None:
    card = samples.card(session, application_no="1" * 23)
    session.commit()
    row = last(session)
    assert (row.action_code, row.action_name, row.action_class) == ("card.add", "カード 登録", ActionClass.ADD)
    assert (row.user_id, row.user_name, row.department, row.client_info) == ("system", "テスト", "システム", "command")
    assert row.application_id == card.id
    assert fields(row)["申請書ID（見た目用）"] == ["", "1" * 23]


def test_the_log_holds_no_personal_data(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    card.address, card.memo = "神戸市須磨区大池町9丁目", "電話は夕方"
    session.commit()
    assert fields(last(session)) == {"住所": ["＊＊＊", "＊＊＊"], "メモ": ["", "＊＊＊"]}
    everything = str([row.detail for row in logged(session)])
    assert not [word for word in ("山田", "加納町", "大池町", "夕方", "1980") if word in everything]


def test_a_change_names_both_values_in_words(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    card.card_expiry, card.issue_done, card.transit_to = date(2036, 4, 1), True, samples.counter(session, "tanigami")
    session.commit()
    assert fields(last(session)) == {
        "カード有効期限": ["", "2036-04-01 (火)"],
        "交付完了チェック": ["いいえ", "はい"],
        "移送先": ["", "谷上サテライト"],
    }


def test_a_relation_changed_by_its_key_is_named_too(session: Session) -> None:
    card: Any = samples.card(session)
    session.commit()
    card.issue_site_id = samples.counter(session, "tanigami").id
    session.commit()
    assert fields(last(session)) == {"カード交付場所": ["三宮サテライト", "谷上サテライト"]}


def test_what_is_rolled_back_is_not_logged(session: Session) -> None:
    samples.card(session)
    session.rollback()
    session.commit()
    assert logged(session) == []
    assert session.scalars(select(CardHistory)).all() == []


def test_what_a_savepoint_takes_back_is_not_logged(session: Session) -> None:
    card = samples.card(session)
    taken_back = session.begin_nested()
    samples.note(session, card)
    taken_back.rollback()
    with session.begin_nested():
        samples.shipment(session, card)
    session.commit()
    assert [change["対象"] for change in last(session).detail["変更"]] == ["カード", "発送管理"]


def test_one_act_is_one_row_however_many_rows_it_changes(session: Session) -> None:
    audit.declare(session, "shipment", "import", "発送管理", ファイル="返戻.csv")
    card = samples.card(session)
    for attempt in range(1, 4):
        samples.shipment(session, card, attempt_no=attempt)
    audit.note(session, 行数=3)
    session.commit()
    [row] = logged(session)
    assert (row.action_code, row.action_name) == ("shipment.import", "発送管理 取り込み")
    assert (row.detail["ファイル"], row.detail["行数"], row.detail["変更件数"]) == ("返戻.csv", 3, 4)


def test_a_transaction_that_changes_nothing_leaves_no_row(session: Session) -> None:
    card = samples.card(session)
    session.commit()
    before = len(logged(session))
    card.name = card.name
    session.commit()
    assert len(logged(session)) == before


def test_a_deletion_is_logged(session: Session) -> None:
    shipment = samples.shipment(session, samples.card(session))
    session.commit()
    number = shipment.id
    session.delete(shipment)
    session.commit()
    assert (last(session).action_code, last(session).detail["変更"][0]["番号"]) == ("shipment.delete", number)


def test_every_change_of_a_card_leaves_a_history_row(session: Session) -> None:
    with acting(session, Actor(user_id="staff", name="三宮 太郎", counters=None)):
        card = samples.card(session)
        session.commit()
        card.name = "山田 次郎"
        session.commit()
    first, second = session.scalars(select(CardHistory).order_by(CardHistory.id))
    assert (first.card_id, first.event["action"]) == (card.id, "追加")
    assert second.event == {
        "action": "変更",
        "by": "staff",
        "by_name": "三宮 太郎",
        "changes": {"氏名": ["山田 太郎", "山田 次郎"]},
    }


@pytest.mark.parametrize("table", ["operation_log", "card_history", "card_note"])
@pytest.mark.parametrize("act", ["change", "delete"])
def test_histories_and_log_are_written_once(session: Session, table: str, act: str) -> None:
    samples.note(session, samples.card(session))
    session.commit()
    model = {m.local_table.name: m.class_ for m in OperationLog.registry.mappers}[table]  # type: ignore[attr-defined]
    row = session.scalars(select(model)).first()
    if act == "delete":
        session.delete(row)
    else:
        setattr(row, "comment" if table == "card_note" else "detail" if table == "operation_log" else "event", {"a": "1"})
    with pytest.raises(RuntimeError, match="append-only"):
        session.flush()


def test_an_attempt_to_enter_a_personal_number_is_told_without_the_number(session: Session) -> None:
    act = audit.declare(session, "card", "edit", "カード")
    with pytest.raises(PersonalNumberFound):
        samples.card(session, memo=f"番号は{PERSONAL_NUMBER}")
    current = context(session)
    assert act.personal_number
    session.rollback()
    with db.engine.begin() as connection:
        audit.write_alone(connection, current)
    assert last(session).my_number_access is MyNumberAccess.REFUSED
    assert PERSONAL_NUMBER not in str(session.execute(text("SELECT * FROM operation_log")).all())


def test_the_clock_of_the_context_is_the_only_one(session: Session) -> None:
    moment = datetime(2026, 12, 31, 15, 30, tzinfo=UTC)  # half past midnight of New Year's Day in Kobe
    enter(
        session, Context(actor=Actor(user_id="staff", name="三宮 太郎", counters=None), clock=lambda: moment, started_at=moment)
    )
    document = samples.document(session, samples.card(session))
    session.commit()
    assert (document.registered_date, document.registered_time.hour, document.registered_by_name) == (
        date(2027, 1, 1),
        0,
        "三宮 太郎",
    )
    assert last(session).ended_at == session.scalars(select(CardHistory)).one().updated_at == moment


def test_a_long_import_shows_its_first_rows_and_says_how_many(session: Session) -> None:
    card = samples.card(session)
    session.add_all(
        Card(
            name=f"山田 {n}",
            address="神戸市",
            application_date=date(2026, 4, 1),
            application_site=card.issue_site,
            issue_site=card.issue_site,
        )
        for n in range(250)
    )
    session.commit()
    assert (last(session).detail["変更件数"], len(last(session).detail["変更"])) == (251, 200)
