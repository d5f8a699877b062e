"""訳語: what the office's own words are called in the other languages of the residents' pages and mails."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import coded, column, rule
from models.bookings import Language
from models.masters import Master


class Translation(Master):
    """訳語: a word or line of the masters (窓口名, 所在地, 予約区分 …) and what it is called in one other language."""

    __tablename__, __label__, __order__ = "translation", "訳語", ("source", "asc")
    __table_args__ = (
        UniqueConstraint("source", "language"),
        rule("language <> 'ja'", "other_language", "「言語」は日本語のほかから選んでください。"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = column(
        String(500),
        label="日本語",
        listed=True,
        search=True,
        sort=True,
        then=("language",),
        hint="窓口や予約区分のマスタにあるとおりに入力します。持ち物と注意事項は1行が1つです",
    )
    language: Mapped[Language] = coded(Language, label="言語", listed=True, search=True)
    words: Mapped[str] = column(String(1000), label="訳", listed=True)

    def __str__(self) -> str:
        return f"{self.source}（{self.language.label}）"
