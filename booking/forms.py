"""The forms of the booking pages. A field keeps what was typed; `value` is what it means.

Of a 個人番号 not even the page of the person who typed it gets the digits back, so they go at once, before anything is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from werkzeug.datastructures import ImmutableMultiDict
from wtforms import Form, HiddenField, RadioField, StringField, TextAreaField, ValidationError

from app import text
from app.rules.bookings import Applicant
from booking import reading, words
from booking.language import HTML, current
from booking.tongue import N_, Lazy, Office, _, say
from models import Intake, Sex

Entry = ImmutableMultiDict[str, str]
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
PERSONAL_NUMBER = N_(
    "「%(label)s」に個人番号（マイナンバー）と思われる12桁の数字が含まれています。個人番号は入力できません。"
    "その数字は%(sign)sに置きかえました。%(sign)sを消してください。"
)
TOO_LONG = N_("%(label)sは%(longest)s文字以内で入力してください（いま%(now)s文字）。")


class Answer(StringField):
    """One line of text. `read` makes a value of it; `missing` is the sentence when a required one is empty."""

    several_lines = False
    data: str | None

    def __init__(
        self,
        label: Lazy,
        *,
        longest: int,
        missing: Lazy | None = None,
        read: Callable[[str], str] = str,
        hint: Lazy | None = None,
        autocomplete: str = "",
        inputmode: str = "",
        **kw: Any,
    ) -> None:
        super().__init__(label, **kw)
        self.longest, self.missing, self.read, self.hint = longest, missing, read, hint
        self.attributes = {name: words for name, words in (("autocomplete", autocomplete), ("inputmode", inputmode)) if words}
        self.value, self.held_personal_number = "", False

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = text.tidy(valuelist[0]) if valuelist else ""
        typed = typed if self.several_lines else " ".join(re.split(r"[\n\t]+", typed))
        self.data = text.hide_personal_numbers(typed)
        self.held_personal_number = self.data != typed

    def pre_validate(self, form: Form) -> None:
        typed = self.data or ""
        if text.HIDDEN in typed:
            raise ValidationError(_(PERSONAL_NUMBER, label=self.label.text, sign=text.HIDDEN[0]))
        if len(typed) > self.longest:
            raise ValidationError(_(TOO_LONG, label=self.label.text, longest=self.longest, now=len(typed)))
        if not any(c.isalnum() for c in typed):
            if self.is_required:
                raise ValidationError(str(self.missing))
            self.value = ""
            return
        try:
            self.value = self.read(typed)
        except text.Unreadable as error:
            raise ValidationError(_("%(label)sは%(what)s。", label=self.label.text, what=error.sentence)) from None

    @property
    def is_required(self) -> bool:
        return self.missing is not None


class Reading(Answer):
    """フリガナ. Who does not read Japanese need not write it; at the counter their name is read as it stands."""

    @property
    def is_required(self) -> bool:
        return HTML[current()] == "ja"


class LongAnswer(Answer, TextAreaField):
    several_lines = True


class Choice(RadioField):
    """A choice that may be left open."""

    data: str | None

    def pre_validate(self, form: Form) -> None:
        if (self.data or "") not in [value for value, _words in self.choices or []]:
            raise ValidationError(_("%(label)sを選び直してください。", label=self.label.text))


class Sheet(Form):
    """A page of answers."""

    def complaints(self) -> list[tuple[str, str]]:
        """(id of the field, sentence) of everything to be corrected, in the order of the page."""
        return [(f.id, str(error)) for f in self for error in f.errors]

    @property
    def refused(self) -> list[str]:
        """Labels of the fields that held a 個人番号, for the log: in the office's words."""
        return [f.label.text.words for f in self if getattr(f, "held_personal_number", False)]


class Born:
    """A page with the three boxes of a birth date."""

    birth_year: Answer
    birth_month: Answer
    birth_day: Answer
    today: date
    born: date | None

    @property
    def birth(self) -> list[Answer]:
        return [self.birth_year, self.birth_month, self.birth_day]

    @property
    def birth_errors(self) -> list[str]:
        return [str(error) for box in self.birth for error in box.errors]

    def validate(self, extra_validators: Any = None) -> bool:
        fields_are_fine: bool = super().validate(extra_validators)  # type: ignore[misc]  # of the form that this stands before
        return self._read_birth() and fields_are_fine

    def _read_birth(self) -> bool:
        if self.birth_errors:
            return False
        if empty := [box for box in self.birth if not box.value]:
            empty[0].errors = [self._what_is_missing(empty)]
            return False
        try:
            self.born = reading.birth_date(
                self.birth_year.data or "", self.birth_month.data or "", self.birth_day.data or "", self.today
            )
        except reading.Unreadable as error:
            box = next((b for b in self.birth if b.short_name == f"birth_{error.part}"), self.birth_year)
            box.errors = [*box.errors, say(error.sentence)]
            return False
        return True

    def _what_is_missing(self, empty: list[Answer]) -> str:
        if len(empty) == len(self.birth):
            return _("生年月日を入力してください。")
        boxes = _("」と「").join(str(box.label.text) for box in empty)
        return _("生年月日の「%(boxes)s」を入力してください。", boxes=boxes)


class NoticeForm(Born, Sheet):
    """交付通知書: what unlocks the booking of a card."""

    number = Answer(
        Lazy("交付通知書番号"),
        longest=40,
        missing=Lazy("交付通知書番号を入力してください（例 ABC123456）。"),
        read=reading.notice,
        autocomplete="off",
        hint=Lazy("交付通知書（はがき）の二次元コードの上にある、英数字3文字と数字6文字です（例 ABC123456）。"),
    )
    birth_year = Answer(Lazy("年"), longest=20)
    birth_month = Answer(Lazy("月"), longest=10, inputmode="numeric")
    birth_day = Answer(Lazy("日"), longest=10, inputmode="numeric")

    def __init__(self, formdata: Entry | None, *, today: date) -> None:
        super().__init__(formdata)
        self.today = today
        self.born: date | None = None

    def birth_typed(self) -> dict[str, str]:
        """The birth date as typed, for the form that asks for it later."""
        return {box.name: box.data or "" for box in self.birth}


class PersonForm(Born, Sheet):
    """What is asked of everybody who comes: name, birth date, sex."""

    name = Answer(
        Lazy("お名前"),
        longest=200,
        missing=Lazy("お名前を入力してください。"),
        read=reading.name,
        autocomplete="name",
        hint=Lazy("住民票のとおりに入力してください（例 神戸 花子）。"),
    )
    name_kana = Reading(
        Lazy("フリガナ"),
        longest=200,
        missing=Lazy("フリガナを入力してください（例 コウベ ハナコ）。"),
        read=text.read_kana,
        hint=Lazy("ひらがなでも入力できます（例 コウベ ハナコ）。"),
    )
    birth_year = Answer(Lazy("年"), longest=20, autocomplete="bday-year")
    birth_month = Answer(Lazy("月"), longest=10, autocomplete="bday-month", inputmode="numeric")
    birth_day = Answer(Lazy("日"), longest=10, autocomplete="bday-day", inputmode="numeric")
    sex = Choice(Lazy("性別"), choices=list(words.SEXES.items()), default="")

    def __init__(self, formdata: Entry | None, *, today: date, prefix: str = "") -> None:
        super().__init__(formdata, prefix=prefix)
        self.today = today
        self.born: date | None = None

    def entry(self) -> Iterator[tuple[str, str]]:
        """Every answer as typed, to be carried on in hidden fields."""
        return ((f.name, f.data or "") for f in self)

    @property
    def is_blank(self) -> bool:
        """Nothing has been typed yet."""
        known = ("sex", "birth_year", "birth_month", "birth_day")  # of whose card it is, the notice has told the birth date
        return not any((f.data or "").strip() for f in self if f.type != "HiddenField" and f.short_name not in known)


class MemberForm(PersonForm):
    """A further person of the household."""

    def applicant(self, first: Applicant) -> Applicant:
        """The person, once the form is valid, with address and telephone of who books."""
        return replace(
            first,
            name=self.name.value,
            name_kana=self.name_kana.value,
            birth_date=self.born,
            sex=Sex(self.sex.data) if self.sex.data else None,
            email="",
            message="",
        )


class ApplicantForm(PersonForm):
    """お客さまの情報 [諮問書 表(1)]. Who books, one page."""

    postal_code = Answer(
        Lazy("郵便番号"),
        longest=20,
        read=text.read_postal,
        autocomplete="postal-code",
        inputmode="numeric",
        hint=Lazy("例 6500001"),
    )
    address = Answer(
        Lazy("住所"),
        longest=200,
        missing=Lazy("住所を入力してください（例 神戸市中央区加納町6丁目5番1号）。"),
        autocomplete="address-line1",
        hint=Lazy("例 神戸市中央区加納町6丁目5番1号"),
    )
    building = Answer(
        Lazy("マンション名・部屋番号など"), longest=100, autocomplete="address-line2", hint=Lazy("例 ポートハイツ305号室")
    )
    phone = Answer(
        Lazy("電話番号"),
        longest=40,
        missing=Lazy("電話番号を入力してください（例 0781234567）。"),
        read=text.read_phone,
        autocomplete="tel-national",
        inputmode="tel",
        hint=Lazy("日中につながる番号。予約を確かめるときにも使います（例 0781234567）。"),
    )
    email = Answer(
        Lazy("メールアドレス"),
        longest=254,
        read=text.read_email,
        autocomplete="email",
        inputmode="email",
        hint=Lazy("お持ちでなければ空欄でかまいません。"),
    )
    message = LongAnswer(
        Lazy("申請内容・お伝えになりたいこと"),
        longest=500,
        hint=Lazy("車いすでお越しになる、代理の方が来られるなど。500文字まで。"),
    )
    form_token = HiddenField()

    @property
    def has_token(self) -> bool:
        return TOKEN.fullmatch(self.form_token.data or "") is not None

    def applicant(self) -> Applicant:
        """The person, once the form is valid."""
        return Applicant(
            name=self.name.value,
            name_kana=self.name_kana.value,
            birth_date=self.born,
            sex=Sex(self.sex.data) if self.sex.data else None,
            postal_code=self.postal_code.value,
            address=self.address.value,
            building=self.building.value,
            phone=self.phone.value,
            email=self.email.value,
            message=self.message.value,
        )


class AssistedForm(ApplicantForm):
    """The same as the office fills it in for somebody: how it was asked, and what was said."""

    intake = Choice(
        Office("受付方法"), choices=[(how.value, how.label) for how in (Intake.PHONE, Intake.DESK, Intake.WEB)], default="phone"
    )
    intake_note = LongAnswer(
        Office("聞き取りの内容"), longest=500, hint=Office("相手の言葉のまま。500文字まで。住民には表示されません。")
    )


class WaitingForm(Sheet):
    """空き待ち: who waits, and how they are told."""

    name = Answer(Lazy("お名前"), longest=200, missing=Lazy("お名前を入力してください。"), read=reading.name, autocomplete="name")
    phone = Answer(
        Lazy("電話番号"),
        longest=40,
        missing=Lazy("電話番号を入力してください（例 0781234567）。"),
        read=text.read_phone,
        autocomplete="tel-national",
        inputmode="tel",
        hint=Lazy("例 0781234567"),
    )
    email = Answer(
        Lazy("メールアドレス"),
        longest=254,
        read=text.read_email,
        autocomplete="email",
        inputmode="email",
        hint=Lazy("空きが出たことをメールでお知らせします。お持ちでないときは、コールセンターからお電話することがあります。"),
    )


class LookupForm(Sheet):
    """予約の確認: the code and a second fact."""

    code = Answer(
        Lazy("予約番号"),
        longest=40,
        missing=Lazy("予約番号を入力してください（例 K7Q29-MXDAB）。"),
        read=reading.code,
        hint=Lazy("10文字の英数字です。小文字でも、ハイフンがなくてもかまいません。"),
    )
    phone = Answer(
        Lazy("予約したときの電話番号"),
        longest=40,
        missing=Lazy("電話番号を入力してください（例 0781234567）。"),
        read=text.read_phone,
        inputmode="tel",
        hint=Lazy("例 0781234567"),
    )
