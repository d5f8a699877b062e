"""Who acts, since when and with which clock: values that the edge puts on the session, so that nothing below knows HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models import ActionClass, Staff

TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person or job that acts. `counters` None means every counter; the empty set, which is the default, none."""

    user_id: str = ""
    name: str = ""
    department: str = ""
    client: str = ""
    counters: frozenset[int] | None = frozenset()


NOBODY = Actor()


@dataclass(kw_only=True)
class Act:
    """One act in the making: becomes one row of the operation log."""

    code: str
    name: str
    kind: ActionClass
    detail: dict[str, Any] = field(default_factory=dict)
    application_id: int | None = None
    personal_number: bool = False


@dataclass(kw_only=True)
class Context:
    """Everything below the edge may ask about the moment. `widened` names a transfer that may leave the actor's scope."""

    actor: Actor = NOBODY
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    request_id: str = ""
    act: Act | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    widened: str = ""
    cache: dict[Any, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.clock()

    def local(self) -> datetime:
        """Now, on the office's wall clock."""
        return self.clock().astimezone(TOKYO)


def context(session: Session) -> Context:
    """The context of a session; one that nobody prepared sees no scoped row and is nobody's."""
    found: Context | None = session.info.get("context")
    if found is None:
        found = session.info["context"] = Context()
    return found


def enter(session: Session, new: Context) -> Context:
    session.info["context"] = new
    return new


@contextmanager
def acting(session: Session, actor: Actor) -> Iterator[Context]:
    """Runs a block as `actor`: how commands and jobs say who they are and what they may see."""
    before = session.info.get("context")
    try:
        yield enter(session, Context(actor=actor))
    finally:
        session.info["context"] = before or Context()


def person(user: Staff, *, client: str = "", counters: frozenset[int] | None = frozenset()) -> Actor:
    """The owner of an account as the one who acts."""
    return Actor(user_id=user.username, name=user.full_name, department=user.department, client=client, counters=counters)


def system(name: str) -> Actor:
    """The actor of a command or job: sees every counter, and signs the log with its own name."""
    return Actor(user_id="system", name=name, department="システム", client="command", counters=None)
