"""Work that nobody asks for on a screen: done when the product starts, then every minute or every hour."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.context import TOKYO
from app.rules import drafts, holds, outbox, projection, visits, waiting
from app.rules.opening import days_ahead, open_slots
from app.rules.release import release_places
from models import ImportDraft, SentForm

Task = Callable[[Session, datetime], object]
Opener = Callable[[str], AbstractContextManager[Session]]
"""Gives a task, by its name, a session that acts under that name and commits when the task ends well."""
KEPT_FORMS = timedelta(days=1)

log = logging.getLogger(__name__)


def open_places(session: Session, now: datetime) -> int:
    return open_slots(session, today=now.astimezone(TOKYO).date(), days=days_ahead(session))


def forget_forms(session: Session, now: datetime) -> None:
    """Files that nobody decided upon, and marks of forms sent, a day later. A file may hold what people typed of others."""
    for model, moment in ((ImportDraft, ImportDraft.created_at), (SentForm, SentForm.sent_at)):
        session.execute(
            delete(model).where(moment < now - KEPT_FORMS),
            execution_options={"by_rule": "jobs.forget_forms", "synchronize_session": False},
        )


EVERY_MINUTE: Mapping[str, Task] = {
    "仮押えの期限切れ": holds.expire,
    "空き待ちの案内": waiting.look_after,
    "引換券の更新": projection.renew_changed,
}
EVERY_HOUR: Mapping[str, Task] = {
    "予約枠の開放": open_places,
    "空き枠の公開への移動": release_places,
    "来なかった予約": visits.close_days,
    "前日のお知らせ": outbox.remind,
    "下書きと送信済みの印の整理": forget_forms,
    "予約の下書きの整理": drafts.forget,
    "使われなかった仮押えの整理": holds.forget,
    "古い送信メールの整理": outbox.forget_sent,
}


def do(opener: Opener, now: datetime, tasks: Mapping[str, Task]) -> list[str]:
    """Does each task in a transaction of its own and says which failed; one that fails keeps none of the others from its work."""
    failed = []
    for name, task in tasks.items():
        try:
            with opener(name) as session:
                task(session, now)
        except Exception:
            log.exception("%s が失敗しました", name)
            failed.append(name)
    return failed
