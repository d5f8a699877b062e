"""Form fields that speak Japanese: each checks and folds what it is given, and says in a sentence what is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, Field, IntegerField, StringField, TimeField
from wtforms.validators import ValidationError

from app import codes, days, text
from app.context import context
from app.criteria import largest
from app.parts import Part
from app.schema import Spec

FOLDS: dict[str, Callable[[str], str]] = {
    "digits": text.digits,
    "phone": text.digits,
    "postal": text.digits,
    "tracking": text.digits,
    "alnum": text.tidy,
    "code": text.tidy,
    "kana": text.kana,
    "memo": lambda typed: unicodedata.normalize("NFC", typed),
}
RULES: dict[str, tuple[str, str]] = {
    "digits": (r"[0-9]*", "数字で入力してください"),
    "phone": (r"0[0-9]{9,10}", "0から始まる数字10桁か11桁で入力してください（例 0781234567）"),
    "postal": (r"[0-9]{7}", "数字7桁で入力してください（例 6500001）"),
    "tracking": (r"[0-9]{11,12}", "数字11桁か12桁で入力してください（例 123-45-67890-1）"),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "name@example.jp の形で入力してください"),
    "code": (r"[A-Za-z0-9_.\-]*", "半角の英数字と _ - . で入力してください"),
}
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


class PersonalNumber(ValidationError):
    """A 個人番号 in a box: refused without sending the digits back, and counted by the operation log."""

    def __init__(self, label: str) -> None:
        super().__init__(f"「{label}」に個人番号（マイナンバー）と思われる12桁の数字があります。個人番号は入力できません。")


class OfPart:
    """A field of a part. `of`: the stored row that its form is about, if there is one already."""

    data: Any
    of: Any = None
    held_personal_number = False

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part.label, **kw)  # type: ignore[call-arg]  # a mixin before a WTForms field
        self.part = part

    def bind(self, session: Session, spec: Spec) -> None:
        """Gives the field what it must ask for at each request. `spec`: the table whose form it stands in."""

    def refuse_personal_number(self) -> None:
        self.held_personal_number = True
        raise PersonalNumber(self.part.label)


class PartText(OfPart, StringField):
    """Text of a part: folded by its kind, kept as typed where it is a name."""

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
            self.refuse_personal_number()
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
        if part.field.kind == "tracking" and not text.is_tracking_number(value):
            return "の数字に誤りがあります（最後の1桁が合いません）。受領証と見比べてください。"
        if part.field.pattern and not re.fullmatch(part.field.pattern, value):
            return f"の形が正しくありません。{part.field.hint}。"
        return ""


class _Typed(OfPart):
    """What date, time and number fields share: an empty box is no value, nonsense gets a sentence."""

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
            self.raw_data, self.held_personal_number = [""], True
            raise ValueError(str(PersonalNumber(self.part.label)))
        try:
            super().process_formdata([self.plain(typed)])  # type: ignore[misc]  # the WTForms field behind this mixin
        except (ValueError, OverflowError) as error:
            raise ValueError(f"「{self.part.label}」は正しい{self.words}で入力してください。") from error

    def plain(self, typed: str) -> str:
        """The one spelling that the WTForms field behind this one reads. Raises ValueError for nonsense."""
        return typed

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.data is None and not self.part.nullable and not self.errors:
            raise ValidationError(f"「{self.part.label}」を入力してください。")
        if self.data is not None:
            self.check()

    def check(self) -> None:
        """Raises when the value is out of all bounds."""


class PartDate(_Typed, DateField):
    words = "日付（例 2026-04-01、令和8年4月1日）"
    today: date = LATEST

    def plain(self, typed: str) -> str:
        return days.read(typed).isoformat()

    def bind(self, session: Session, spec: Spec) -> None:
        self.today = context(session).local().date()

    def check(self) -> None:
        if not EARLIEST <= self.data <= LATEST:
            raise ValidationError(f"「{self.part.label}」の年を確かめてください。")
        if self.part.field.past and self.data > self.today:
            raise ValidationError(f"「{self.part.label}」が今日より後の日になっています。")


class PartTime(_Typed, TimeField):
    words = "時刻（例 09:30）"

    def __init__(self, part: Part, **kw: Any) -> None:
        super().__init__(part, format=["%H:%M", "%H:%M:%S"], **kw)


class PartNumber(_Typed, IntegerField):
    words = "整数"

    def check(self) -> None:
        if abs(self.data) > largest(self.part.type):
            raise ValidationError(f"「{self.part.label}」の数が大きすぎます。")


class PartFlag(OfPart, BooleanField):
    """A tick box. A hidden empty value goes before it, so that a box without a tick differs from a form without the box."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            super().process_formdata(valuelist[-1:])

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.raw_data and self.raw_data[-1] not in ("", "1"):
            raise ValidationError(f"「{self.part.label}」は「はい」か「いいえ」で入力してください。")


class PartChoice(OfPart, Field):
    """One of a code's values, or of a code list's, which is asked for only where it is shown or chosen from anew."""

    session: Session | None = None

    def bind(self, session: Session, spec: Spec) -> None:
        self.session = session

    @property
    def choices(self) -> list[tuple[str, str]]:
        if self.part.enum:
            return [(member.value, member.label) for member in self.part.enum]
        assert self.session is not None
        return codes.choices(self.session, self.part.field.codes, keep=self.object_data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        if valuelist:
            self.data = valuelist[0] or (None if self.part.nullable else "")

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if self.data in (None, ""):
            if not self.part.nullable and self.default != "":  # "" as its default says that none is an answer too
                raise ValidationError(f"「{self.part.label}」を選んでください。")
            return
        is_kept = self.of is not None and self.data == self.object_data
        if not is_kept and self.data not in {value for value, _ in self.choices}:
            raise ValidationError(f"「{self.part.label}」を選び直してください。")
        if self.part.enum:
            self.data = self.part.enum(self.data)
