"""今日: who comes next, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import TOKYO, Context
from models import OperationLog, Reservation, ReservationState
from tests import samples
from tests.booking_pages import today
from tests.pages import table

Browse = Callable[[str], FlaskClient]
HEADING = "次に来る予約"


def visits(session: Session) -> list[int]:
    """Today's visits at 三宮, the later one registered first; and three that nobody there waits for. The keys of the first two."""
    late = visit(session, 14, name="佐藤 次郎", booking_code="AAAAA22222")
    early = visit(session, 9, name="山田 花子", booking_code="AAAAA33333")
    visit(session, 10, name="来た 人", booking_code="AAAAA44444", state=ReservationState.ARRIVED)
    visit(session, 9, days=1, name="明日 来人", booking_code="AAAAA55555")
    visit(session, 9, at="shin-nagata", name="長田 三郎", booking_code="AAAAA66666")
    session.commit()
    return [early.id, late.id]


def visit(session: Session, hour: int, *, at: str = "sannomiya", days: int = 0, **values: Any) -> Reservation:
    day = today() + timedelta(days=days)
    place = samples.slot(session, at, slot_date=day, start_time=time(hour), end_time=time(hour, 30), used=1)
    return samples.reservation(session, at, slot=place, **values)


def test_a_clerk_sees_who_comes_next_in_the_order_of_the_clock(
    browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = visits(session)
    monkeypatch.setattr(Context, "local", lambda _: datetime.combine(today(), time(8), TOKYO))
    page = browse("staff").get("/").text
    heading, *lines = table(page)
    assert [line[heading.index("申請者情報（氏名）")] for line in lines] == ["山田 花子", "佐藤 次郎"]
    assert "状態" not in heading
    told = session.scalars(
        select(OperationLog).where(OperationLog.action_code == "panel.show").order_by(OperationLog.id.desc())
    ).first()
    assert told is not None and told.detail["表示した番号"] == expected


def test_who_is_long_past_their_time_is_not_next(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    visits(session)
    monkeypatch.setattr(Context, "local", lambda _: datetime.combine(today(), time(9, 20), TOKYO))
    assert "山田 花子" in browse("staff").get("/").text
    monkeypatch.setattr(Context, "local", lambda _: datetime.combine(today(), time(12), TOKYO))
    page = browse("staff").get("/").text
    assert "山田 花子" not in page and "佐藤 次郎" in page


def test_nobody_expected_is_no_heading(browse: Browse, session: Session) -> None:
    assert HEADING not in browse("staff").get("/").text


def test_who_may_not_read_reservations_sees_none(browse: Browse, session: Session) -> None:
    visits(session)
    for username in ("auditor", "maintainer"):
        page = browse(username).get("/").text
        assert HEADING not in page and "山田" not in page
