"""Form fields that speak Japanese: each checks and folds what it is given, and says in a sentence what is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, Field, IntegerField, StringField, TimeField
from wtforms.validators import ValidationError

from app import text
from app.context import context
from app.errors import AppError
from app.listing import Criteria, matching, whole
from app.schema import Part, spec_of

FOLDS: dict[str, Callable[[str], str]] = {
    "digits": text.digits,
    "phone": text.digits,
    "postal": text.digits,
    "alnum": text.tidy,
    "code": text.tidy,
    "kana": text.kana,
}
RULES: dict[str, tuple[str, str]] = {
    "digits": (r"\d*", "数字で入力してください"),
    "phone": (r"0\d{9,10}", "0から始まる数字10桁か11桁で入力してください（例 0781234567）"),
    "postal": (r"\d{7}", "数字7桁で入力してください（例 6500001）"),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "name@example.jp の形で入力してください"),
    "code": (r"[A-Za-z0-9_.\-]*", "半角の英数字と _ - . で入力してください"),
}


class PersonalNumber(ValidationError):
    """A 個人番号 in a box: refused without sending the digits back, and counted by the operation log."""

    def __init__(self, label: str) -> None:
        super().__init__(f"「{label}」に個人番号（マイナンバー）と思われる12桁の数字があります。個人番号は入力できません。")


class PartText(StringField):
    """Text of a part: folded by its kind, kept as typed where it is a name."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        typed = text.tidy(str(valuelist[0]))
        folded = FOLDS.get(self.part.field.kind, lambda t: t)(typed)
        self.data = None if folded == "" and self.part.nullable else folded

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        part, value = self.part, self.data or ""
        if not value:
            if part.required:
                raise ValidationError(f"「{part.label}」を入力してください。")
            return
        fault = self._fault(value)
        if (fault or part.is_free_text) and text.has_personal_number(value):
            self.data = ""
            raise PersonalNumber(part.label)
        if fault:
            raise ValidationError(f"「{part.label}」{fault}")

    def _fault(self, value: str) -> str:
        """What is wrong with the form of a text, as the end of a sentence about it."""
        part = self.part
        rule, words = RULES.get(part.field.kind, ("", ""))
        if part.length and len(value) > part.length:
            return f"は{part.length}文字以内で入力してください（いま{len(value)}文字）。"
        if part.field.kind == "kana" and not text.is_kana(value):
            return "はカタカナで入力してください。"
        if rule and not re.fullmatch(rule, value):
            return f"は{words}。"
        if part.field.pattern and not re.fullmatch(part.field.pattern, value):
            return f"の形が正しくありません。{part.field.hint}。"
        return ""


class _Typed:
    """What date, time and number fields share: an empty box is no value, nonsense gets a sentence."""

    part: Part
    data: Any
    raw_data: Any
    errors: Any
    words = ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist:
            return
        self.data = None
        typed = text.tidy(unicodedata.normalize("NFKC", str(valuelist[0])))
        if not typed:
            return
        if text.has_personal_number(typed):
            self.raw_data = [""]
            raise ValueError(str(PersonalNumber(self.part.label)))
        try:
            super().process_formdata([typed])  # type: ignore[misc]
        except (ValueError, OverflowError) as error:
            raise ValueError(f"「{self.part.label}」は正しい{self.words}で入力してください。") from error

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.data is None and not self.part.nullable and not self.errors:
            raise ValidationError(f"「{self.part.label}」を入力してください。")


class PartDate(_Typed, DateField):
    words = "日付（例 2026-04-01）"

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part


class PartTime(_Typed, TimeField):
    words = "時刻（例 09:30）"

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, format=["%H:%M", "%H:%M:%S"], **kw)
        self.part = part


class PartNumber(_Typed, IntegerField):
    words = "整数"

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        super().post_validate(form, validation_stopped)
        if self.data is not None and abs(self.data) > 2_000_000_000:
            raise ValidationError(f"「{self.part.label}」の数が大きすぎます。")


class PartFlag(BooleanField):
    """A tick box. A hidden empty value goes before it, so that a box without a tick differs from a form without the box."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            super().process_formdata(valuelist[-1:])

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.raw_data and self.raw_data[-1] not in ("", "1"):
            raise ValidationError(f"「{self.part.label}」は「はい」か「いいえ」で入力してください。")


class PartChoice(Field):
    """One of a code's values, or of a code list's (whose choices are set for each request)."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part
        self.choices = [(member.value, member.label) for member in part.enum] if part.enum else []

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = valuelist[0] or (None if self.part.nullable else "")

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.data in (None, ""):
            if not self.part.nullable and self.default != "":  # "" as its default says that none is an answer too
                raise ValidationError(f"「{self.part.label}」を選んでください。")
            return
        if self.data not in {value for value, _ in self.choices}:
            raise ValidationError(f"「{self.part.label}」を選び直してください。")
        if self.part.enum:
            self.data = self.part.enum(self.data)


def short_list(session: Session, part: Part) -> list[tuple[str, str]]:
    """The rows of a master table as choices, read once a request; nothing for larger tables, which have a searching picker."""
    spec, cache = spec_of(part.target), context(session).cache
    if spec is None or not spec.is_master:
        return []
    if part.target not in cache:
        key, direction = spec.order
        column = getattr(part.target, key)
        rows = session.scalars(
            select(part.target).order_by(column.desc() if direction == "desc" else column, part.target.id).limit(200)
        )
        cache[part.target] = [(str(row.id), str(row)) for row in rows]
    found: list[tuple[str, str]] = cache[part.target]
    return found


class PartRow(Field):
    """A row of another table: chosen from a short list, or found by typing (a number, a name) and picking."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part, self.words = part, ""
        self.session: Session | None = None
        self.choices: list[tuple[str, str]] = []

    def bind(self, session: Session) -> None:
        """Gives the field the session in whose scope it looks, and a master's rows to choose from."""
        self.session, self.choices = session, short_list(session, self.part)

    @property
    def value(self) -> str:
        return str(self.data.id) if self.data is not None else ""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.data = data if data is None or hasattr(data, "id") else None
        self.words = str(self.data) if self.data is not None else ""
        self.typed = None
        if formdata is not None and (self.name in formdata or f"{self.name}__words" in formdata):
            self.typed = (formdata.get(self.name, ""), text.tidy(formdata.get(f"{self.name}__words", "")))
            self.words = "" if text.has_personal_number(self.typed[1]) else self.typed[1]

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        self.errors = []
        try:
            if self.typed is not None:
                self.data = self._found(*self.typed)
            if self.data is None and self.part.required:
                raise ValidationError(f"「{self.part.label}」を選んでください。")
        except (ValidationError, AppError) as error:
            self.errors = [str(error)]
        return not self.errors

    def _found(self, key: str, words: str) -> Any:
        """The row with the posted key, looked up within the person's own scope; else the only one the words name."""
        assert self.session is not None
        if key:
            number = whole(key, self.part.target.__table__.c.id.type)
            row = self.session.get(self.part.target, number) if number is not None else None
            if row is None:
                raise ValidationError(f"「{self.part.label}」を選び直してください。")
            return row
        if not words:
            return None
        spec = spec_of(self.part.target)
        assert spec is not None
        if key := next((key for key, name in self.choices if name == words), ""):
            return self.session.get(self.part.target, int(key))
        rows = self.session.scalars(matching(self.session, spec, Criteria(search=words)).limit(2)).all()
        if len(rows) != 1:
            raise ValidationError(
                f"「{words}」に当てはまる{spec.label}が{'ありません' if not rows else '複数あります。候補から選んでください'}。"
            )
        return rows[0]


class PartRows(Field):
    """Several rows of a small table, as check boxes."""

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)
        self.part = part
        self.rows: dict[str, Any] = {}
        self.choices: list[tuple[str, str]] = []

    def bind(self, session: Session) -> None:
        self.rows = {str(r.id): r for r in session.scalars(select(self.part.target).order_by(self.part.target.id).limit(200))}
        self.choices = [(key, str(row)) for key, row in self.rows.items()]

    def process_data(self, value: Any) -> None:
        self.data = [str(row.id) for row in value or ()]

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:  # a hidden empty value goes before the boxes
            self.data = list(dict.fromkeys(filter(None, valuelist)))

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if any(key not in self.rows for key in self.data or ()):
            raise ValidationError(f"「{self.part.label}」を選び直してください。")

    @property
    def chosen(self) -> list[Any]:
        return [self.rows[key] for key in self.data or ()]
