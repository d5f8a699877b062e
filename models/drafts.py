"""A file that somebody has uploaded and not yet decided upon."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import mapped_column

from models.base import JSON, Base, Mapped, String, UtcDateTime, datetime


class ImportDraft(Base):
    """取り込みの下書き: the lines of an uploaded file between preview and decision; nobody's but its uploader's."""

    __tablename__, __internal__ = "import_draft", True
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    table_name: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(255))
    lines: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
