"""What residents type: what is meant is stored, what cannot be read is explained at its field."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.text import STRUCK
from models import BookingDraft, MyNumberAccess
from tests.booking_pages import (
    GOOD,
    PERSONAL_NUMBER,
    Resident,
    free_slot,
    in_use,
    log,
    stored,
)


@pytest.mark.parametrize(
    ("field", "typed", "column", "value"),
    [
        ("phone", "０７８－１２３－４５６７", "phone", "0781234567"),
        ("phone", "(080) 1234 5678", "phone", "08012345678"),
        ("postal_code", "〒６５０－０００１", "postal_code", "6500001"),
        ("postal_code", "", "postal_code", ""),
        ("name_kana", "たかはし　はなこ", "name_kana", "タカハシ ハナコ"),
        ("name_kana", "ﾀｶﾊｼ ﾊﾅｺ", "name_kana", "タカハシ ハナコ"),
        ("name", "  葛󠄀城 𠮷子\t", "name", "葛󠄀城 𠮷子"),
        ("name", "神\ufa19 花子", "name", "神\ufa19 花子"),
        ("name", "山田\r\nBcc: x@example.jp", "name", "山田 Bcc: x@example.jp"),
        ("name", "NGUYỄN THỊ HOA", "name", "NGUYỄN THỊ HOA"),
        ("message", "=cmd|' /C calc'!A0 <script>alert(1)</script>", "message", "=cmd|' /C calc'!A0 <script>alert(1)</script>"),
        ("email", "ｈａｎａｋｏ..x.@docomo.ne.jp", "email", "hanako..x.@docomo.ne.jp"),
        ("address", "大阪市北区梅田１－１", "address", "大阪市北区梅田１－１"),
        ("building", "ポートハイツ３０５", "building", "ポートハイツ３０５"),
    ],
)
def test_what_is_meant_is_stored(resident: Resident, session: Session, field: str, typed: str, column: str, value: str) -> None:
    assert resident.book(free_slot(session), **{field: typed}).status == 200
    (made,) = stored(session)
    assert getattr(made, column) == value


@pytest.mark.parametrize(
    ("year", "month", "day", "born"),
    [
        ("昭和35", "4", "1", date(1960, 4, 1)),
        ("S35", "4", "1", date(1960, 4, 1)),
        ("ｓ．３５年", "４月", "１日", date(1960, 4, 1)),
        ("昭35", "04", "01", date(1960, 4, 1)),
        ("令和元", "5", "1", date(2019, 5, 1)),
        ("H1", "1", "8", date(1989, 1, 8)),
        ("大正１５", "12", "24", date(1926, 12, 24)),
        ("２０００", "2", "29", date(2000, 2, 29)),
    ],
)
def test_birth_dates_of_both_calendars_are_understood(
    resident: Resident, session: Session, year: str, month: str, day: str, born: date
) -> None:
    resident.book(free_slot(session), birth_year=year, birth_month=month, birth_day=day)
    assert [made.birth_date for made in stored(session)] == [born]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "お名前を入力してください"),
        ("name", "　 ", "お名前を入力してください"),
        ("name", "あ" * 201, "200文字以内"),
        ("name", "078-123-4567", "お名前は文字で入力してください"),
        ("name", "（１９６０）", "お名前は文字で入力してください"),
        ("name_kana", "", "フリガナを入力してください"),
        ("name_kana", "高橋", "カタカナで入力"),
        ("phone", "", "電話番号を入力してください"),
        ("phone", "123", "電話番号は数字10桁か11桁で入力してください（例 0781234567）"),
        ("phone", "1781234567", "数字10桁か11桁"),
        ("phone", "٠٧٨١٢٣٤٥٦٧", "数字10桁か11桁"),
        ("postal_code", "65000", "郵便番号は数字7桁"),
        ("postal_code", "x" * 3000, "20文字以内"),
        ("address", "", "住所を入力してください"),
        ("address", "神" * 201, "200文字以内"),
        ("building", "神" * 101, "100文字以内"),
        ("email", "hanako", "の形で入力してください"),
        ("email", "a@b@c.jp", "の形で入力してください"),
        ("email", "a@example.jp, b@example.jp", "の形で入力してください"),
        ("message", "あ" * 501, "500文字以内"),
        ("sex", "helicopter", "性別を選び直してください"),
    ],
)
def test_mistake_is_explained_at_its_field_and_in_the_summary(
    resident: Resident, session: Session, field: str, typed: str, words: str
) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, field: typed})
    assert words in answer.error_of(field)
    assert words in str([text for text, href in answer.links.items() if href == f"#{field}"])
    assert answer.fields["name" if field != "name" else "address"] in GOOD.values(), "the rest of the entry is kept"
    assert not stored(session)
    assert in_use(session) == 0


@pytest.mark.parametrize(
    ("year", "month", "day", "words"),
    [
        ("35", "4", "1", "西暦4桁"),
        ("", "", "", "生年月日を入力してください"),
        ("1960", "", "1", "生年月日の「月」を入力してください"),
        ("1960", "", "", "生年月日の「月」と「日」を入力してください"),
        ("1960", "4", "x", "「日」を数字で"),
        ("1960", "2", "30", "1960年2月30日という日はありません"),
        ("1960", "13", "1", "という日はありません"),
        ("昭和65", "1", "1", "昭和なら64年まで"),
        ("2999", "1", "1", "今日より後"),
        ("1850", "1", "1", "古すぎます"),
        ("令和0", "1", "1", "までです"),
        ("0000", "1", "1", "という日はありません"),
    ],
)
def test_impossible_birth_date_is_explained(
    resident: Resident, session: Session, year: str, month: str, day: str, words: str
) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, "birth_year": year, "birth_month": month, "birth_day": day})
    assert words in answer.text
    assert any(name.startswith("birth_") for name in answer.invalid)


@pytest.mark.parametrize("field", ["name", "address", "building", "message", "email", "phone", "postal_code", "birth_year"])
@pytest.mark.parametrize("typed", [PERSONAL_NUMBER, "１２３４－５６７８－９０１８"])
def test_personal_number_is_refused_and_made_unreadable(resident: Resident, session: Session, field: str, typed: str) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む", **{**GOOD, field: typed})
    assert "個人番号は入力できません。その数字は＊に置きかえました。" in answer.text
    assert answer.fields[field] == STRUCK
    assert typed not in answer.html
    assert PERSONAL_NUMBER not in answer.html
    (entry,) = log(session)
    assert (entry.my_number_access, entry.action_code) == (MyNumberAccess.REFUSED, "reservation.refused")
    assert typed not in str(entry.detail)
    assert typed not in str(session.execute(select(BookingDraft.entry)).all())


def test_a_long_message_outlives_the_personal_number_in_it(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    message = "車いすです。\n番号は{}です。\n二人で行きます。"
    answer = resident.press("確認画面へ進む", **{**GOOD, "message": message.format("1234 5678 9018")})
    assert answer.fields["message"] == message.format(STRUCK)
    assert "＊を消してください" in answer.error_of("message")
    assert "＊を消してください" in resident.press("確認画面へ進む").error_of("message"), (
        "what stands for it is not sent on either"
    )
    resident.press("確認画面へ進む", message=message.format("不明"))
    resident.press("この内容で予約する", consent="y")
    assert [made.message for made in stored(session)] == [message.format("不明")]


def test_personal_number_in_a_half_filled_form_is_taken_out_as_well(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    resident.press("日時を変える", name="髙橋 花子", message=PERSONAL_NUMBER)
    assert PERSONAL_NUMBER not in str(session.execute(select(BookingDraft.entry)).all())
    assert [row.my_number_access for row in log(session)] == [MyNumberAccess.REFUSED]


def test_all_mistakes_are_told_at_once(resident: Resident, session: Session) -> None:
    resident.to_form(free_slot(session))
    answer = resident.press("確認画面へ進む")
    assert "5 か所" in answer.text
    assert {"name", "name_kana", "birth_year", "address", "phone"} == set(answer.invalid)
    assert answer.html.index("入力の確認") < answer.html.index("<body>"), "the title says so too"


def test_address_outside_kobe_is_a_hint_and_no_refusal(resident: Resident, session: Session) -> None:
    slot = free_slot(session)
    assert "神戸市ではないようです" in resident.to_check(slot, address="大阪市北区梅田1-1").text
    assert "神戸市ではないようです" not in resident.to_check(slot, address="兵庫県神戸市北区谷上東町1").text
    assert "神戸市ではないようです" not in resident.to_check(slot, address="北区谷上東町1", postal_code="651-1245").text


def test_markup_in_an_entry_is_shown_as_text(resident: Resident, session: Session) -> None:
    answer = resident.to_check(free_slot(session), name="<b>山田</b>\"'>", message="</textarea><script>x</script>")
    assert "<script>x" not in answer.html
    assert "<b>山田" not in answer.html
    assert "<b>山田</b>\"'>" in answer.text
