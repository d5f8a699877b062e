"""What has to be said when a reservation is cancelled or moved: why, for whom, and by what the caller was recognised."""

from __future__ import annotations

from typing import Any

from wtforms import Form, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from app import text
from app.rules.visits import BOOK, Act, Reason

FACTS = {"name": "氏名", "birth": "生年月日", "phone": "電話番号", "address": "住所", "code": "予約番号"}
FEWEST_FACTS = 2
LONGEST_NOTE = 200


class _Recognising(Form):
    """A form that a person fills in while somebody is on the telephone."""

    reason = SelectField("理由", choices=[], validate_choice=False)
    note = StringField("理由の補足", default="", filters=[lambda typed: text.tidy(typed or "")])
    facts = SelectMultipleField("本人であることを確かめた項目", choices=list(FACTS.items()), validate_choice=False)
    asks_reason = asks_facts = True

    def __init__(self, reasons: list[tuple[str, str]], entry: Any = None) -> None:
        super().__init__(entry)
        self.reason.choices = reasons
        self.reason.data = self.reason.data or ""

    def validate_reason(self, field: SelectField) -> None:
        if self.asks_reason and field.data not in dict(field.choices):
            raise ValidationError("理由を選んでください。")

    def validate_note(self, field: StringField) -> None:
        if text.has_personal_number(field.data):
            field.data = ""
            raise ValidationError(
                "「理由の補足」に個人番号（マイナンバー）と思われる12桁の数字があります。個人番号は入力できません。"
            )
        if len(field.data) > LONGEST_NOTE:
            raise ValidationError(f"「理由の補足」は{LONGEST_NOTE}文字以内で入力してください（いま{len(field.data)}文字）。")

    def validate_facts(self, field: SelectMultipleField) -> None:
        field.data = [fact for fact in field.data or () if fact in FACTS]
        if self.asks_facts and len(set(field.data)) < FEWEST_FACTS:
            raise ValidationError(f"本人に言ってもらい、合っていた項目を{FEWEST_FACTS}つ以上選んでください。")

    @property
    def wrong(self) -> list[str]:
        """The labels of the fields that were refused."""
        return [field.label.text for field in self if field.errors]

    def reason_given(self) -> Reason:
        return Reason(self.reason.data or "", self.note.data)

    def told(self) -> dict[str, Any]:
        """What the log may know: the reason as chosen and the facts by name, never what was said."""
        reasons = dict(self.reason.choices)
        return {"理由": reasons.get(self.reason.data, ""), "確かめた項目": [FACTS[fact] for fact in self.facts.data or ()]}


class ActForm(_Recognising):
    """For an act of `app.rules.visits.ACTS`. Facts are asked of those who act for somebody on the telephone."""

    whom = RadioField(
        "対象", choices=[("one", "この人だけ"), ("all", "一緒に予約した全員")], default="one", validate_choice=False
    )

    def __init__(self, act: Act, reasons: list[tuple[str, str]], entry: Any = None) -> None:
        super().__init__(reasons, entry)
        self.asks_reason, self.asks_facts = act.asks_reason, act.right == BOOK


class MoveForm(_Recognising):
    """The new time; why is worth knowing but need not be said. `was`: the 予約枠 that the page showed as the present one."""

    asks_reason = False
    was = HiddenField(default="")
    slot = RadioField("新しい日時", choices=[], validate_choice=False)

    def validate_slot(self, field: RadioField) -> None:
        if not (field.data or "").isdecimal() or len(field.data) > 18:
            raise ValidationError("新しい日時を選んでください。")
