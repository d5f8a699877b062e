"""What is kept of a form for a while: a file not yet decided upon, that a form has been sent, what a resident is typing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Code, UtcDateTime, coded


class ImportDraft(Base):
    """取り込みの下書き: the lines of an uploaded file between preview and decision; nobody's but its uploader's."""

    __tablename__, __internal__ = "import_draft", True
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    table_name: Mapped[str] = mapped_column(String(60))
    told: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # what the operation log says of the file: never its name, which may be one
    lines: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SentForm(Base):
    """A form for a new row that has been sent. The same form sent again, even at the same moment, finds it and makes no second row."""

    __tablename__, __internal__ = "sent_form", True
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    row_id: Mapped[int | None] = mapped_column(BigId)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


LONGEST_ENTRY = 20_000  # characters; whoever answers every question at length needs a tenth of it


class DraftStep(Code):
    """What the person did last with their entry."""

    TYPED = "typed", "入力の途中", "1"
    FAULTY = "faulty", "直すところあり", "2"
    CHECKED = "checked", "確認待ち", "3"
    UNCONSENTED = "unconsented", "同意待ち", "4"

    @property
    def is_checked(self) -> bool:
        return self in (DraftStep.CHECKED, DraftStep.UNCONSENTED)


class BookingDraft(Base):
    """予約の下書き: what a resident has typed, so that every page of the booking can be shown again.

    Only the browser that typed it can name its key (`booking.keeping`). How long and how many: `app.rules.drafts`.
    """

    __tablename__, __internal__ = "booking_draft", True
    __table_args__ = (CheckConstraint(f"length(entry) <= {LONGEST_ENTRY}", name="entry_length"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    entry: Mapped[str] = mapped_column(Text)
    step: Mapped[DraftStep] = coded(DraftStep, label="段階")
    cards: Mapped[str] = mapped_column(String(1000), default="", server_default="")  # unlocked by the numbers of their notices
    told: Mapped[str] = mapped_column(String(500))  # `app.sentences.Sentence`, packed
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
