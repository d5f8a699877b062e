"""予約の下書き: what a resident has typed, kept while they are at it and in bounds that no stranger can widen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from app.dialects import insert_or_change
from app.errors import AppError
from app.plans import PREPARED
from app.rules import pickups
from app.rules.pickups import Claim
from app.sentences import N_, Sentence
from models import BookingDraft, DraftStep
from models.base import table_of
from models.drafts import LONGEST_ENTRY

KEPT = timedelta(hours=1)  # since the entry was last sent; a page may be read for as long
MOST = 20_000  # drafts at a time: a new one pushes out the one that many before it

_TABLE = table_of(BookingDraft)
_FIND = (
    select(_TABLE.c.entry, _TABLE.c.step, _TABLE.c.told, _TABLE.c.cards)
    .where(_TABLE.c.key == bindparam("of"), _TABLE.c.kept_at > bindparam("since"))
    .execution_options(**PREPARED)
)
_PUSH_OUT = delete(_TABLE).where(_TABLE.c.id <= bindparam("last"))


class TooLong(AppError):
    """An entry longer than any person's."""

    status = 413

    def __init__(self) -> None:
        super().__init__(N_("入力された文字が多すぎます。短くして、もう一度送ってください。"))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An entry as typed, what was done last with it, and the sentence that its page has to tell."""

    entry: dict[str, str]
    step: DraftStep
    told: Sentence | None = None
    cards: tuple[Claim, ...] = ()
    """Unlocked by the numbers of their notices, one for each person."""


def find(session: Session, key: str, now: datetime) -> Draft | None:
    row = session.execute(_FIND, {"of": key, "since": now - KEPT}).first()
    if row is None:
        return None
    return Draft(
        entry=json.loads(row.entry),
        step=row.step,
        told=Sentence.unpacked(row.told) if row.told else None,
        cards=pickups.unpacked(row.cards),
    )


def keep(session: Session, key: str, draft: Draft, now: datetime, cards: Sequence[Claim] | None = None) -> None:
    """Keeps a draft under its key, instead of the one before it. Cards that were unlocked stay unless others are given.

    The number of a new row is above all others, so the table holds at most `MOST` rows without anybody counting them. PostgreSQL
    passes over a number whenever a draft is sent again, which only leaves fewer rows.
    """
    entry = json.dumps(draft.entry, ensure_ascii=False)
    if len(entry) > LONGEST_ENTRY:
        raise TooLong
    values = {"entry": entry, "step": draft.step, "told": draft.told.packed() if draft.told else "", "kept_at": now}
    values |= {"cards": pickups.packed(cards or ()), "key": key}
    write = insert_or_change(session, _TABLE, "key", leave=("cards",) if cards is None else ())
    number = session.execute(write.returning(_TABLE.c.id), values).scalar_one()
    session.execute(_PUSH_OUT, {"last": number - MOST})


def drop(session: Session, key: str) -> None:
    """Deletes a draft whose owner has given up."""
    session.execute(delete(_TABLE).where(_TABLE.c.key == key))


def forget(session: Session, now: datetime) -> None:
    """Deletes what nobody may look at any more."""
    session.execute(delete(_TABLE).where(_TABLE.c.kept_at <= now - KEPT))
