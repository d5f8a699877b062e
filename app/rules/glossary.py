"""訳語: what the masters' words (counters, procedures, what to bring) are called in the other languages of the residents' pages."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.plans import PREPARED
from models import Language, Translation
from models.base import table_of

_TABLE = table_of(Translation)
_WORDS = select(_TABLE.c.source, _TABLE.c.words).where(_TABLE.c.language == bindparam("of")).execution_options(**PREPARED)


def words_in(session: Session, language: Language) -> dict[str, str]:
    """Japanese → the words of a language, all of them at once: the masters have a few dozen. Empty for Japanese itself."""
    if language is Language.JA:
        return {}
    return {row.source: row.words for row in session.execute(_WORDS, {"of": language})}
