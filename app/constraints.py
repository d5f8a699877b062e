"""What the database said no to, in the office's words: never SQL, never the values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import AppError
from app.schema import Spec, specs
from models.base import table_of

USED = "ほかのデータから使われているため、削除できません。"
MISSING = "必要な項目が入力されていません。"
UNFIT = "項目どうしの関係が正しくありません（日付の前後、数の範囲など）。入力を確認してください。"
KEPT = "操作ログと履歴は、記録したあとに変更も削除もできません。"
TAKEN = "同じ内容がすでに登録されています。番号などの重複を確認してください。"


@dataclass(frozen=True)
class Refusal:
    """Why rows could not be saved: the sentence, and the keys of the columns and relations that it is about."""

    sentence: str
    keys: tuple[str, ...] = ()


def flushed(session: Session) -> Refusal | None:
    """Writes what is pending. What the database or a rule refuses is rolled back and comes back as a sentence."""
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        return explained(error)
    except AppError as error:
        session.rollback()
        return Refusal(error.message, (error.field,) if error.field else ())
    return None


def explain(error: IntegrityError) -> str:
    return explained(error).sentence


def explained(error: IntegrityError) -> Refusal:
    """Which rule was broken and, where the constraint tells, in which columns."""
    words = str(error.orig)
    lower = words.lower()
    if "append-only" in lower:
        return Refusal(KEPT)
    if "unique" in lower:
        spec, keys = _unique(words)
        return taken(spec, keys) if spec else Refusal(TAKEN)
    if "foreign key" in lower:
        return Refusal(USED)
    if "not null" in lower or "not-null" in lower:
        return Refusal(MISSING)
    return _check(words)


def taken(spec: Spec, keys: Iterable[str]) -> Refusal:
    """Another row already holds this in these columns (or relations)."""
    parts = _keys(spec, keys)
    labels = [spec.parts[key].label for key in parts]
    return Refusal(f"「{'」「'.join(labels)}」が同じデータがすでに登録されています。", parts) if labels else Refusal(TAKEN)


def broken(spec: Spec, constraint: CheckConstraint) -> Refusal:
    """A row would break this condition."""
    named = dict.fromkeys(re.findall(r"\w+", str(constraint.sqltext)))
    return Refusal(constraint.info.get("words", UNFIT), _keys(spec, named))


def _check(words: str) -> Refusal:
    for spec in specs().values():
        for constraint in table_of(spec.model).constraints:
            if isinstance(constraint, CheckConstraint) and constraint.name and re.search(rf"\b{constraint.name}\b", words):
                return broken(spec, constraint)
    return Refusal(UNFIT)


def _unique(words: str) -> tuple[Spec | None, list[str]]:
    """SQLite names table.column; PostgreSQL the constraint."""
    for spec in specs().values():
        table = table_of(spec.model)
        named = re.findall(rf"\b{table.name}\.(\w+)", words)
        rules: list[UniqueConstraint | Index] = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
        for once in (*rules, *(index for index in table.indexes if index.unique)):
            if once.name and f'"{once.name}"' in words:
                named = [c.name for c in once.columns]
        if named:
            return spec, named
    return None, []


def _keys(spec: Spec, columns: Iterable[str]) -> tuple[str, ...]:
    """The parts that these columns belong to, in the order named."""
    keys = {part.fk: part.key for part in spec.parts.values()}
    return tuple(keys[name] for name in columns if name in keys)
