"""What the database said no to, in the office's words: never SQL, never the values."""

from __future__ import annotations

import re

from sqlalchemy import CheckConstraint, Table, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from app.schema import Spec, specs

USED = "ほかのデータから使われているため、削除できません。"
MISSING = "必要な項目が入力されていません。"
UNFIT = "項目どうしの関係が正しくありません（日付の前後、数の範囲など）。入力を確認してください。"
TAKEN = "同じ内容がすでに登録されています。番号などの重複を確認してください。"


def explain(error: IntegrityError) -> str:
    """A sentence that says which rule was broken and, where the constraint tells, in which column."""
    words = str(error.orig)
    lower = words.lower()
    if "unique" in lower:
        labels = _unique_labels(words)
        return f"「{'」「'.join(labels)}」が同じデータがすでに登録されています。" if labels else TAKEN
    if "foreign key" in lower:
        return USED
    if "not null" in lower or "not-null" in lower:
        return MISSING
    return next((c.info["words"] for c in _checks() if c.name and str(c.name) in words and "words" in c.info), UNFIT)


def _checks() -> list[CheckConstraint]:
    return [c for spec in specs().values() for c in _table(spec).constraints if isinstance(c, CheckConstraint)]


def _unique_labels(words: str) -> list[str]:
    """SQLite names table.column; PostgreSQL the constraint."""
    for spec in specs().values():
        table = _table(spec)
        named = re.findall(rf"\b{table.name}\.(\w+)", words)
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.name and f'"{constraint.name}"' in words:
                named = [c.name for c in constraint.columns]
        if named:
            return [label for name in named if (label := _label(spec, name))]
    return []


def _label(spec: Spec, column: str) -> str:
    return next((p.label for p in spec.parts.values() if p.fk == column), "")


def _table(spec: Spec) -> Table:
    table = spec.model.__table__
    assert isinstance(table, Table)
    return table
