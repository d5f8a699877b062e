"""Hourly work: slots ahead, sessions that ran out; what fails is logged and stops nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import jobs, serving
from app.context import acting, context, system
from models import BookingCategory, OperationLog, Slot, Staff, WebSession

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)  # half past midnight of the 23rd in Kobe


def test_slots_are_opened_from_today_to_beyond_the_furthest_day_that_can_be_booked(session: Session) -> None:
    assert jobs.do(opener(session), NOW, jobs.EVERY_HOUR) == []
    first, last = session.execute(select(func.min(Slot.slot_date), func.max(Slot.slot_date))).one()
    furthest = session.scalar(select(func.max(BookingCategory.earliest_days)))
    assert furthest
    assert (f"{first}", last - first >= timedelta(days=furthest)) == ("2026-11-23", True)


def test_opening_places_is_one_row_of_the_log_and_none_the_second_time(session: Session) -> None:
    opened = select(OperationLog).where(OperationLog.action_code == "slot.edit", OperationLog.user_name == "予約枠の開放")
    jobs.do(opener(session), NOW, jobs.EVERY_HOUR)
    made = session.scalar(select(func.count(Slot.id)))
    (row,) = session.scalars(opened).all()
    assert row.detail["変更"][0]["項目"]["追加"] == [None, str(made)]
    jobs.do(opener(session), NOW, jobs.EVERY_HOUR)
    assert len(session.scalars(opened).all()) == 1


def test_a_task_that_fails_keeps_no_other_from_its_work(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    done = []

    def broken(_session: Session, _now: datetime) -> None:
        raise ValueError

    failed = jobs.do(opener(session), NOW, {"こわれた仕事": broken, "次の仕事": lambda s, _: done.append(context(s).actor.name)})
    assert (failed, done) == (["こわれた仕事"], ["次の仕事"])
    assert "こわれた仕事 が失敗しました" in caplog.text


def test_the_first_round_is_done_at_once_and_ends_idle_sessions(staff_app: Flask, session: Session) -> None:
    user, now = session.scalars(select(Staff)).first(), datetime.now(UTC)
    assert user
    for name, age in (("a", 20), ("b", 1)):
        session.add(
            WebSession(
                id_hash=name * 64,
                user_id=user.id,
                data={},
                password_stamp="",
                created_at=now - timedelta(hours=1),
                seen_at=now - timedelta(minutes=age),
            )
        )
    session.commit()
    stop = threading.Event()
    stop.set()
    serving.start_work(staff_app, stop).join(timeout=30)
    assert session.scalars(select(WebSession.id_hash)).all() == ["b" * 64]
    assert session.scalar(select(func.count()).select_from(Slot))


def opener(session: Session) -> Any:
    @contextmanager
    def opened(name: str) -> Iterator[Session]:
        with acting(session, system(name)):
            yield session
            session.commit()

    return opened
