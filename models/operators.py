"""予約代行者: the accounts with which the call centre signs in at the residents' site, from PCs on the Internet [諮問書 事務の流れ ③⑥]."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, UtcDateTime, column, rule


class Operator(Base):
    """予約代行者: one person of the call centre. Knows nothing of the staff site, and the staff site's accounts know nothing of it."""

    __tablename__, __label__, __group__, __area__ = "operator_account", "予約代行者", "管理", "users"
    __order__, __deletable__, __files__ = ("id", "asc"), False, False
    __acts__ = {"can_link": "パスワード設定リンク"}
    __table_args__ = (rule("failures >= 0", "failures"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = column(
        String(60),
        label="ユーザーID",
        hint="半角の英小文字・数字と _ - . で、60文字まで",
        pattern=r"[a-z0-9_.\-]{1,60}",
        listed=True,
        search=True,
        kind="code",
        unique=True,
        edit="add",
    )
    full_name: Mapped[str] = column(String(100), label="氏名", listed=True, search=True)
    department: Mapped[str] = column(String(100), label="所属", listed=True, default="")
    active: Mapped[bool] = column(Boolean, label="有効", listed=True, search=True, begins="yes", default=True)
    expires_on: Mapped[date | None] = column(Date, label="有効期限", listed=True)
    last_sign_in: Mapped[datetime | None] = column(UtcDateTime, label="最終サインイン", edit=False)
    failures: Mapped[int] = column(Integer, label="連続失敗回数", edit=False, default=0)
    password: Mapped[str] = mapped_column(String(200), default="")
    link_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # of the link that sets a password, once
    link_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def is_current(self, today: date) -> bool:
        """May sign in today: switched on and not past its end date."""
        return bool(self.active) and (self.expires_on is None or today <= self.expires_on)

    def __str__(self) -> str:
        return self.full_name


class OperatorSession(Base):
    """A signed-in browser of an operator: only the hash of its secret is kept."""

    __tablename__, __internal__ = "operator_session", True
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operator_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
