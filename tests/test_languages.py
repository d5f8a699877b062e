"""The whole way of a resident in each language; and choosing a language, which loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import AppError, Busy
from app.letters import dates
from app.rules.fairness import Twice
from app.sentences import Sentence
from booking import words
from models import BookingCategory, Counter, Language, Translation, WaitingEntry
from tests.booking_pages import GOOD, PERSONAL_NUMBER, Page, Resident, apart, day_path, form_path, free_slot, log, stored, today
from tests.catalogues import OTHERS
from tests.guests import LATIN, Guest
from tests.sites import site, statements
from tests.test_catalogues import leftover

GuestOf = Callable[[Language], Guest]


@pytest.fixture
def guest(resident_app: Flask) -> GuestOf:
    """Somebody whose browser asks for a language, or who chose it where browsers have no name for it."""

    def arriving(language: Language) -> Guest:
        found = Guest(resident_app.test_client(), language)
        found.open(f"/?lang={language.value}")
        return found

    return arriving


def way(guest: Guest, session: Session) -> Iterator[str]:
    """Every page that somebody sees who books, and makes the usual mistakes; stops at each."""
    slot = free_slot(session)
    free_slot(session, hour=14)
    guest.open("/")
    yield "start"
    guest.follow("予約する")
    yield "procedures"
    guest.follow("カードを受け取る")
    yield "counters"
    guest.open(f"/book/pickup/{slot.counter.code}/")
    yield "month"
    guest.open(day_path(slot))
    yield "times"
    Resident.follow(guest, "10:00")
    yield "form"
    guest.press("確認画面へ進む", birth_day="x", phone="12", email="x", name_kana="漢字")
    yield "form, corrected"
    guest.press("もう10分おさえる")
    yield "form, held longer"
    guest.press("確認画面へ進む", **LATIN | {"message": PERSONAL_NUMBER, "email": ""})
    yield "form with a 個人番号"
    kana = "グエン" if guest.language in (Language.JA, Language.EASY) else ""
    guest.press("確認画面へ進む", **LATIN | {"message": "", "name_kana": kana})
    yield "check"
    guest.press("この内容で予約する")
    yield "check without consent"
    guest.press("この内容で予約する", consent="y")
    yield "done"
    guest.follow("大きな文字の予約票を表示する")
    yield "slip"
    guest.open(form_path(slot) + "?draft=none")
    yield "form, again"
    guest.open("/lookup")
    yield "look-up"
    guest.press("確認する", code="AAA", phone="1")
    yield "look-up, corrected"
    guest.press("確認する", code="AAAAAAAAAA", phone="0781234567")
    yield "look-up, nothing"
    guest.press("確認する", code=stored(session)[0].booking_code, phone="0781234567")
    yield "found"
    guest.open("/nowhere")
    yield "nowhere"
    guest.open(f"/book/pickup/{slot.counter.code}/{slot.slot_date}/99999999/")
    yield "not offered"
    guest.open("/booked/forged")
    yield "elsewhere"


@pytest.mark.parametrize("language", list(Language))
def test_the_whole_way_is_in_one_language(guest: GuestOf, session: Session, language: Language) -> None:
    person, wrong = guest(language), {}
    for step in way(person, session):
        if not person.is_spoken_to or leftover(person.spoken.words, language):
            wrong[step] = (person.spoken.language, leftover(person.spoken.words, language))
        assert person.page.status in (200, 404, 422), step
    assert wrong == {}
    assert [row.language for row in stored(session)] == [language]


def own_way(guest: Guest, session: Session) -> Iterator[str]:
    """What somebody sees who changes their booking by themselves: looks it up, brings somebody along, moves, cancels."""
    slot, other = free_slot(session), free_slot(session, hour=14)
    kana = {"name_kana": "グエン"} if guest.language in (Language.JA, Language.EASY) else {}
    guest.to_check(slot, **LATIN | kana)
    yield "check"
    guest.press("この内容で予約する", consent="y")
    guest.follow("家族を追加する")
    yield "somebody else"
    guest.press("この方を追加する", **{"m2-name": "", "m2-birth_year": "昭和99", "m2-birth_month": "1", "m2-birth_day": "1"})
    yield "somebody else, corrected"
    person = {"m2-name": "NGUYEN BINH", "m2-name_kana": kana.get("name_kana", ""), "m2-birth_year": "H20"}
    guest.press("この方を追加する", **person)
    yield "added"
    guest.follow("日時を変更する")
    yield "another time"
    Resident.follow(guest, "14:00")
    yield "moved"
    assert other.used
    guest.follow("キャンセルする")
    yield "cancel"
    guest.press("キャンセルする", whom="all")
    yield "cancelled"


def waiting_way(guest: Guest, session: Session) -> Iterator[str]:
    """What somebody sees who waits for a full day."""
    slot = free_slot(session, places=1, used=1)
    guest.open(day_path(slot) + "?people=2")
    yield "full"
    guest.follow("この日の空きを待つ（空き待ちに登録する）")
    yield "join"
    guest.press("空き待ちに登録する", name="", phone="12", email="x")
    yield "join, corrected"
    guest.press("空き待ちに登録する", name="NGUYEN VAN AN", phone="0781234567", email="an@example.jp")
    yield "waiting"
    guest.press("空き待ちを取りやめる")
    yield "left"
    guest.open("/waiting")
    yield "look-up"
    guest.press("見る", code="AAAAAAAAAA", phone="0781234567")
    yield "look-up, nothing"


def notice_way(guest: Guest, session: Session) -> Iterator[str]:
    """What somebody sees whose card is asked for by its notice, and who mistypes it."""
    session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one().asks_notice = True
    guest.open("/book/pickup/notice")
    yield "notice"
    guest.press("確認して進む", number="12", birth_year="x")
    yield "notice, corrected"
    guest.press("確認して進む", number="ABC123456", birth_year="1990", birth_month="4", birth_day="1")
    yield "no such notice"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("path", [own_way, waiting_way, notice_way])
def test_the_ways_beside_it_are_in_one_language_too(guest: GuestOf, session: Session, language: Language, path: Any) -> None:
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    category.self_cancel = category.self_change = category.takes_waiting = True
    person, wrong = guest(language), {}
    for step in path(person, session):
        if not person.is_spoken_to or leftover(person.spoken.words, language):
            wrong[step] = (person.spoken.language, leftover(person.spoken.words, language))
        assert person.page.status in (200, 404, 422), step
    assert wrong == {}
    session.expire_all()
    assert {row.language for row in session.scalars(select(WaitingEntry))} <= {language}


@pytest.mark.parametrize("language", list(Language))
def test_what_is_wrong_is_said_at_its_field_in_the_language(guest: GuestOf, session: Session, language: Language) -> None:
    person = guest(language)
    person.open(form_path(free_slot(session)))
    page = person.press("確認画面へ進む", **{**GOOD, "name": "", "phone": "12", "postal_code": "x", "birth_month": "13"})
    label, what = person.called("電話番号"), person.called("数字10桁か11桁で入力してください（例 0781234567）")
    assert page.error_of("name") == person.called("お名前を入力してください。")
    assert page.error_of("phone") == person.called("%(label)sは%(what)s。", label=label, what=what)
    assert person.called("入力内容を %(number)s か所、直してください", number=4) in page.text
    there_is_none = "%(year)s年%(month)s月%(day)s日という日はありません。生年月日を確かめてください。"
    assert person.called(there_is_none, year=1960, month=13, day=1) in page.text


@pytest.mark.parametrize("language", OTHERS)
def test_a_refusal_of_the_rules_is_said_in_the_language(guest: GuestOf, session: Session, language: Language) -> None:
    """The same person twice, a time that filled, a third time held: each names its values."""
    slot, other = free_slot(session), free_slot(session, hour=14)
    person = guest(language)
    kana = {"name_kana": "グエン" if language is Language.EASY else ""}
    for place in (slot, other):
        person.open(form_path(place))
        person.press("確認画面へ進む", **LATIN | kana)
        person.press("この内容で予約する", consent="y")
    day = dates.named(other.slot_date, language)
    assert person.called(Twice("", today()).sentence.template, name=LATIN["name"], day=day) in person.page.text
    assert leftover(person.spoken.words, language) == ""
    other.used = other.capacity
    full = person.open(form_path(other))
    assert person.called("申し訳ありません。選んだ時間は、いま満席になりました。別の時間を選んでください。") in full.text
    assert leftover(person.spoken.words, language) == ""


# -- choosing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "ja"),
        ("*", "ja"),
        ("ja,en-US;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.5", "vi"),
        ("vi-VN,en;q=0.5", "vi"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("zh-TW,en;q=0.8", "zh-Hans"),
        ("ko-KR,ko;q=0.9", "ko"),
        ("pt-BR,pt;q=0.9,ja;q=0.5", "ja"),
        ("pt-BR,pt;q=0.9", "en"),
        ("ja;q=0,en", "en"),
        ("; ;q=x,,\x7f", "ja"),
    ],
)
def test_a_first_visit_follows_the_browser(visitor: FlaskClient, asked: str | None, language: str) -> None:
    answer = visitor.get("/", headers={"Accept-Language": asked} if asked else {})
    assert f'<html lang="{language}"' in answer.text
    assert "language" not in dict(answer.headers)


def test_a_choice_is_kept_and_the_address_is_clean_again(visitor: FlaskClient) -> None:
    answer = visitor.get("/book/?x=1&lang=ko&x=%E4%BA%88", headers={"Accept-Language": "vi"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/book/?x=1&x=%E4%BA%88")
    assert '<html lang="ko">' in visitor.get("/lookup", headers={"Accept-Language": "vi"}).text


@pytest.mark.parametrize("lang", ["xx", "", "JA", "en-US", "../en", "en\n"])
def test_a_language_that_there_is_not_changes_nothing(visitor: FlaskClient, lang: str) -> None:
    answer = visitor.get("/", query_string={"lang": lang})
    assert (answer.status_code, '<html lang="ja">' in answer.text) == (200, True)


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/%2fevil.example/", "/\\evil.example/", "/book/%2f%2fevil.example/", "/lookup%0d%0aX: 1"]
)
def test_no_choice_leads_to_another_site(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(f"{path}?lang=en", follow_redirects=False)
    links = Page(answer).links
    places = [
        answer.headers.get("Location", "/").removeprefix("http://localhost"),
        *(links[one.label] for one in Language if one.label in links),
    ]
    assert all(re.match(r"/(?![/\\])[\x21-\x7e]*$", place) for place in places)


def test_every_page_names_every_language_in_its_own_words(resident: Resident) -> None:
    page = resident.open("/")
    named = {(attrs.get("lang"), attrs.get("hreflang")) for tag, attrs in page.tags if tag == "a" and "hreflang" in attrs}
    assert named == {("ja", "ja"), ("en", "en"), ("zh-Hans", "zh-Hans"), ("ko", "ko"), ("vi", "vi")}
    assert [attrs["lang"] for tag, attrs in page.tags if tag == "b" and attrs.get("aria-current")] == ["ja"]
    assert {language.label for language in Language} - {"日本語"} <= set(page.links)


@pytest.mark.parametrize("language", OTHERS)
def test_changing_the_language_in_the_form_keeps_everything(resident_app: Flask, session: Session, language: Language) -> None:
    person = Guest(resident_app.test_client(), Language.JA)
    person.open(day_path(free_slot(session)) + "?people=2")
    Resident.follow(person, "10:00")
    typed = {**GOOD, "sex": "female", "message": "車いすです。\n二人です。", "email": "hanako@example.jp", "building": "101"}
    before = person.page.url
    page = person.speak(language, **typed)
    assert (page.url, person.is_spoken_to) == (before, True)
    assert {name: page.fields[name] for name in typed} == typed
    assert not page.invalid
    person.press("次の方の入力へ進む")
    page = person.speak(Language.JA, **{"m2-name": "髙橋 一郎"})
    assert page.fields["m2-name"] == "髙橋 一郎"
    assert {name: page.fields[name] for name in typed} == typed
    assert "person=2" in page.url


def test_what_was_wrong_is_still_said_after_a_change_of_language(resident_app: Flask, session: Session) -> None:
    person = Guest(resident_app.test_client(), Language.JA)
    person.open(form_path(free_slot(session)))
    person.press("確認画面へ進む", **{**GOOD, "phone": "12"})
    page = person.speak(Language.VI)
    assert page.error_of("phone").startswith("Số điện thoại: ")
    assert (page.fields["phone"], page.fields["name"]) == ("12", GOOD["name"])


def test_a_personal_number_is_gone_whatever_the_language(resident_app: Flask, session: Session) -> None:
    person = Guest(resident_app.test_client(), Language.JA)
    person.open(form_path(free_slot(session)))
    page = person.speak(Language.EN, **{**GOOD, "address": PERSONAL_NUMBER})
    assert PERSONAL_NUMBER not in page.html
    assert "looks like" in page.error_of("address") or "look like" in page.error_of("address")
    assert [row.detail.get("項目") for row in log(session) if row.action_code == "reservation.refused"] == [["住所"]]


def test_what_the_check_page_says_changes_its_language_too(resident_app: Flask, session: Session) -> None:
    """A sentence that was kept with the draft, with a name and a day in it."""
    slot, other = free_slot(session), free_slot(session, hour=14)
    person = Guest(resident_app.test_client(), Language.JA)
    person.book(slot)
    person.to_check(other)
    person.press("この内容で予約する", consent="y")
    assert "同じ手続きの予約がすでにあります" in person.page.text
    page = person.speak(Language.EN)
    assert f"There is already a reservation for {GOOD['name']}" in page.text
    assert dates.named(slot.slot_date, Language.EN) in page.text
    assert page.url.split("?")[0].endswith("/check")


def test_the_languages_of_the_choice_of_people_keep_the_choice(resident_app: Flask, session: Session) -> None:
    free_slot(session)
    person = Guest(resident_app.test_client(), Language.JA)
    person.open("/book/pickup/")
    page = person.open("/book/pickup/?people=3&also=certificate&lang=en")  # what the form sends
    assert "lang" not in page.url
    assert ("option", {"value": "3", "selected": ""}) in page.tags
    assert "people=3" in page.url and "also=certificate" in page.url
    buttons = [attrs for tag, attrs in page.tags if tag == "button" and attrs.get("name") == "lang"]
    assert {attrs["form"] for attrs in buttons} == {"company"} and len(buttons) == 5


def test_a_look_up_keeps_what_was_typed_and_what_was_found(resident_app: Flask, session: Session) -> None:
    person = Guest(resident_app.test_client(), Language.JA)
    person.book(free_slot(session))
    code = stored(session)[0].booking_code
    person.open("/lookup")
    page = person.speak(Language.KO, code=code, phone="078")
    assert (page.fields["code"], page.fields["phone"], page.invalid) == (code, "078", {})
    person.press("確認する", phone=GOOD["phone"])
    page = person.speak(Language.VI)
    assert person.is_spoken_to and str(stored(session)[0]) in page.text
    assert [row.action_code for row in log(session)].count("reservation.lookup") == 2


def test_a_form_without_its_cookie_comes_back_in_the_chosen_language(resident_app: Flask, session: Session) -> None:
    person = Guest(resident_app.test_client(), Language.JA)
    person.open(form_path(free_slot(session)))
    person.client.delete_cookie("resident")
    page = person.speak(Language.EN, **GOOD)
    assert person.is_spoken_to and page.fields["name"] == GOOD["name"]


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
def test_pages_of_errors_are_in_the_language(
    guest: GuestOf, resident_app: Flask, monkeypatch: pytest.MonkeyPatch, session: Session, language: Language
) -> None:
    def busy() -> Any:
        raise Busy

    person = guest(language)
    monkeypatch.setitem(resident_app.view_functions, "booking.start", busy)
    assert person.open("/").status == 503 and person.is_spoken_to and not leftover(person.spoken.words, language)
    assert person.open("/booking/nowhere").status == 404 and person.is_spoken_to
    answer = apart(person.client.post, "/lookup", data={"code": "x" * 70_000})
    person.page = Page(answer)
    assert person.page.status == 413 and person.is_spoken_to and not leftover(person.spoken.words, language)
    person.page = Page(apart(person.client.post, "/lookup", data={"code": "x"}))
    assert person.page.status == 400 and person.is_spoken_to and not leftover(person.spoken.words, language)


def test_a_sentence_that_no_catalogue_has_becomes_the_general_one(
    guest: GuestOf, resident_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise AppError("「電話番号」は0から始まる数字10桁か11桁で入力してください。")

    person = guest(Language.EN)
    monkeypatch.setitem(resident_app.view_functions, "booking.start", broken)
    page = person.open("/")
    assert page.status == 400 and not leftover(person.spoken.words, Language.EN)
    assert "「電話番号」は0から" in guest(Language.JA).open("/").text


@pytest.mark.parametrize("language", list(Language))
def test_who_is_over_a_limit_learns_when_to_try_again(database: Any, session: Session, language: Language) -> None:
    with site(database, "resident", limit_lookup="1 per hour") as app:
        person = Guest(app.test_client(), language)
        person.open(f"/lookup?lang={language.value}")
        for _ in range(2):
            page = person.open("/lookup") and person.press("確認する", code="AAAAAAAAAA", phone="0781234567")
        assert page.status == 429 and person.is_spoken_to and not leftover(person.spoken.words, language)
        assert person.called("しばらくお待ちください") in page.text
        other = Language.KO if language is Language.JA else Language.JA
        assert person.speak(other).status == 200 and person.page.url == "/lookup"  # where the form is


def test_an_error_at_a_form_offers_the_page_of_the_form_in_other_languages(resident_app: Flask, session: Session) -> None:
    """The address of `confirm` cannot be opened; where the form came from can."""
    person = Guest(resident_app.test_client(), Language.JA)
    person.to_check(free_slot(session))
    check = person.page.url
    answer = apart(
        person.client.post,
        check.replace("/check", "/confirm"),
        data={"csrf_token": person.page.fields["csrf_token"]},
        headers={"Referer": f"http://localhost{check}"},
    )
    person.page = Page(answer)
    assert person.page.status == 400
    page = person.speak(Language.EN)
    assert page.status == 200 and page.url.split("?")[0] == check.split("?")[0]
    person.page = Page(
        apart(person.client.post, check.replace("/check", "/confirm"), data={}, headers={"Referer": "http://evil.example/x"})
    )
    assert all(href.startswith(("/?", "/book/")) for name, href in person.page.links.items() if name in {"日本語", "한국어"})


# -- masters ----------------------------------------------------------------------------------------------------------


def test_words_of_masters_are_read_once_a_page_and_never_for_japanese(resident_app: Flask, session: Session) -> None:
    free_slot(session)
    session.commit()
    client = resident_app.test_client()
    for language, asked in ((Language.JA, 0), (Language.VI, 1), (Language.EASY, 1)):
        apart(client.get, f"/?lang={language.value}")
        for path in ("/book/", "/book/pickup/", "/book/pickup/sannomiya/"):
            with statements(resident_app) as sent:
                apart(client.get, path)
            assert sum("FROM translation" in one for one in sent) == asked, (language, path)


def test_what_has_no_translation_is_marked_as_japanese(guest: GuestOf, session: Session) -> None:
    session.scalars(select(Counter).where(Counter.code == "tanigami")).one().name = "谷上窓口"
    category = session.scalars(select(BookingCategory).where(BookingCategory.code == "pickup")).one()
    category.name, category.summary = "休日の交付", "休みの日に<b>受け取る</b>"
    person = guest(Language.EN)
    page = person.open("/book/")
    assert '<strong><span lang="ja">休日の交付</span></strong>' in page.html
    assert '<span lang="ja">休みの日に&lt;b&gt;受け取る&lt;/b&gt;</span>' in page.html
    assert '<span lang="ja">谷上窓口</span>' in person.open("/book/pickup/").html
    session.add(Translation(source="休日の交付", language=Language.EN, words="Pick-up on <i>holidays</i>"))
    assert "<strong>Pick-up on &lt;i&gt;holidays&lt;/i&gt;</strong>" in person.open("/book/").html
    assert "<strong>休日の交付</strong>" in guest(Language.EASY).open("/book/").html


def test_signs_and_slips_keep_the_names_that_stand_on_the_door(guest: GuestOf, session: Session) -> None:
    """Whoever looks for the counter, or shows the slip there, needs the Japanese name too."""
    person = guest(Language.EN)
    person.open(form_path(free_slot(session)))
    person.press("確認画面へ進む", **LATIN)
    page = person.press("この内容で予約する", consent="y")
    assert "Sannomiya Satellite Office" in page.text
    assert '<span lang="ja">三宮サテライト</span>' in page.html and '<span lang="ja">交付時来庁</span>' in page.html


# -- dates and sentences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
def test_every_full_day_names_both_calendars(guest: GuestOf, session: Session, language: Language) -> None:
    person = guest(language)
    slot = free_slot(session)
    page = person.open(form_path(slot))
    assert str(slot.slot_date.year) in page.text and str(slot.slot_date.year - 2018) in page.text
    if language is not Language.JA:
        assert dates.full(slot.slot_date, language) in page.text
    else:
        assert words.full_day(slot.slot_date) in page.text


def test_a_sentence_is_kept_with_its_values() -> None:
    sentence = Sentence("%(name)sは%(what)s（%(n)s、%(day)s）", {"name": '"{x}', "what": Sentence("年"), "n": 3, "day": today()})
    assert Sentence.unpacked(sentence.packed()) == sentence
    assert str(Sentence.unpacked(sentence.packed())) == f'"{{x}}は年（3、{today().month}月{today().day}日）'


def test_the_office_reads_japanese_whatever_its_browsers_say(browse: Callable[[str], FlaskClient], session: Session) -> None:
    clerk = browse("manager")
    for path in ("/", "/operator/", "/operator/book/", "/operator/book/?lang=en", "/masters/translation/"):
        answer = clerk.get(path, headers={"Accept-Language": "en"})
        assert (answer.status_code, '<html lang="ja">' in answer.text) == (200, True), path


def test_operators_on_the_internet_read_japanese_too(visitor: FlaskClient) -> None:
    answer = visitor.get("/operator/sign-in?lang=vi", headers={"Accept-Language": "en"})
    assert '<html lang="ja">' in answer.text and "Tiếng Việt" not in answer.text


@pytest.mark.parametrize("language", list(Language))
def test_the_reading_is_asked_of_who_can_write_it(guest: GuestOf, session: Session, language: Language) -> None:
    person = guest(language)
    person.open(form_path(free_slot(session)))
    page = person.press("確認画面へ進む", **{**GOOD, "name_kana": ""})
    is_asked = language in (Language.JA, Language.EASY)
    assert bool(page.error_of("name_kana")) is is_asked
    assert (person.called("この内容で予約する") in page.buttons) is not is_asked
