"""What `flask setup` has written once: it is never written again, so that an administrator's change or deletion stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime


class Installed(Base):
    """One thing put in place by set-up, by name: `role:staff`, `code:issue_kind.new`, `account:admin` …"""

    __tablename__, __internal__ = "installed", True
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    installed_at: Mapped[datetime] = mapped_column(UtcDateTime)
