"""Staff accounts: FAB's user with 部課名, employer, counters in scope and an end date; and their sessions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import JSON, Boolean, Column, Date, Enum, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Code, Field, UtcDateTime, metadata
from models.masters import Counter


class Employer(Code):
    CITY = "city", "職員", "1"
    CONTRACTOR = "contractor", "事業者", "2"


staff_counter = Table(
    "staff_counter",
    metadata,
    Column("user_id", ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True),
    Column("counter_id", ForeignKey("counter.id"), primary_key=True, index=True),
)


class Staff(User):
    """利用者: one person's account. Shares FAB's table, so that FAB's sign-in and rights work on it unchanged."""

    __tablename__ = "ab_user"
    __label__, __group__, __area__ = "利用者", "管理", "users"
    __scope__ = None
    __order__ = ("id", "asc")
    __master__ = __append_only__ = False
    __writable__ = __addable__ = True
    __deletable__ = __files__ = False
    __history__ = None
    __acts__: ClassVar[dict[str, str]] = {}

    department: Mapped[str] = mapped_column(String(100), nullable=False, default="", server_default="")
    employer: Mapped[Employer] = mapped_column(
        Enum(
            Employer,
            native_enum=False,
            create_constraint=True,
            name="employer",
            length=30,
            values_callable=lambda members: [m.value for m in members],
        ),
        nullable=False,
        default=Employer.CITY,
        server_default="city",
    )
    expires_on: Mapped[date | None] = mapped_column(Date)
    must_change_password: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False, server_default="0")
    row_stamp: Mapped[int] = mapped_column(Integer, nullable=False, default=1, server_default="1")
    search_key: Mapped[str] = mapped_column(Text, nullable=False, default="", server_default="", deferred=True)
    counters: Mapped[list[Counter]] = relationship(Counter, secondary=staff_counter)

    __mapper_args__ = {"version_id_col": row_stamp}

    # FAB's columns cannot carry our words, so the class carries them for all.
    __fields__: ClassVar[dict[str, Field]] = {
        "username": Field(
            label="ユーザーID",
            hint="半角の英数字と _ - . @ で、64文字まで",  # as long as the log has room for, and in letters that cannot be mistaken
            pattern=r"[A-Za-z0-9_.@\-]{1,64}",
            listed=True,
            search=True,
            kind="alnum",
            edit="add",
        ),
        "last_name": Field(label="姓", listed=True, search=True),
        "first_name": Field(label="名", listed=True, search=True),
        "email": Field(label="メールアドレス", kind="email", pii=True),
        "department": Field(label="部課名", listed=True, search=True),
        "employer": Field(label="職員・事業者", listed=True, search=True),
        "roles": Field(label="役割", listed=True),
        "counters": Field(label="担当窓口", listed=True),
        "active": Field(label="有効", listed=True, search=True, begins="yes"),
        "expires_on": Field(label="有効期限", listed=True),
        "must_change_password": Field(label="次回サインイン時に変更", edit=False),
        "last_login": Field(label="最終サインイン", edit=False),
        "login_count": Field(label="サインイン回数", edit=False),
        "fail_login_count": Field(label="連続失敗回数", edit=False),
        "row_stamp": Field(label="RowStamp", edit=False),
    }

    def is_current(self, today: date) -> bool:
        """May sign in today: switched on and not past its end date."""
        return bool(self.active) and (self.expires_on is None or today <= self.expires_on)

    @property
    def full_name(self) -> str:
        return f"{self.last_name} {self.first_name}".strip()

    def __str__(self) -> str:
        return self.full_name

    __repr__ = __str__


Index(None, Staff.__table__.c.employer, Staff.__table__.c.id)
Index(None, Staff.__table__.c.active, Staff.__table__.c.id)


class WebSession(Base):
    """A signed-in browser: only the hash of its cookie is kept, so that the table lets nobody in."""

    __tablename__, __internal__ = "web_session", True
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    password_stamp: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
