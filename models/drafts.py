"""What the panel keeps of a form for a while: a file not yet decided upon, and that a form has already been sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, UtcDateTime


class ImportDraft(Base):
    """取り込みの下書き: the lines of an uploaded file between preview and decision; nobody's but its uploader's."""

    __tablename__, __internal__ = "import_draft", True
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    table_name: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(255))
    lines: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SentForm(Base):
    """A form for a new row that has been sent. The same form sent again, even at the same moment, finds it and makes no second row."""

    __tablename__, __internal__ = "sent_form", True
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    row_id: Mapped[int | None] = mapped_column(BigId)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
