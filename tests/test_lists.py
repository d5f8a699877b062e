"""Lists: how filters combine, how pages follow each other, how much the database is asked, what a page shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app import listing
from app.criteria import Criteria
from app.listing import Page, Place, fetch
from app.schema import spec_of, specs
from models import Card, CardState, Channel, Counter, FeeRule, Shipment, Staff
from tests import samples
from tests.booking_pages import today
from tests.pages import find, ids, link, post, shown, table, words
from tests.rows import fill
from tests.sites import statements

Browse = Callable[[str], FlaskClient]


# -- filters ----------------------------------------------------------------------------------------------------------


def test_filters_combine_and_stay_in_every_link(browse: Browse, session: Session) -> None:
    one: dict[str, Any] = {
        "application_date": date(2026, 4, 10),
        "state": CardState.NOTIFIED,
        "storage_site": samples.counter(session),
    }
    right = samples.card(session, **one)
    changes: list[dict[str, Any]] = [
        {"application_date": date(2026, 4, 9)},
        {"state": CardState.ARRIVED},
        {"storage_site": None},
        {"application_date": date(2026, 4, 21)},
    ]
    for change in changes:
        samples.card(session, **{**one, **change})
    clerk = browse("staff")
    asked = {
        "application_date_from": "2026-04-10",
        "application_date_to": "2026-04-20",
        "state": "notified",
        "storage_site": str(samples.counter(session).id),
        "size": "20",
    }
    address = post(clerk, "/card/search", {**asked, "q": "山田"}).headers["Location"]
    page = clerk.get(address).text
    assert ids(page, "card") == [right.id]
    for href in (re.search(r'href="(\?[^"]*order=[^"]*)"', page), re.search(r'href="/card/export(\?[^"]*)"', page)):
        assert href
        kept = {key: value[0] for key, value in parse_qs(urlsplit(href.group(1).replace("&amp;", "&")).query).items()}
        assert asked.items() <= kept.items() and kept["s"] in address
    assert ids(clerk.get("/card/list/").text, "card") != [right.id]


def test_flags_and_moments_narrow_too(browse: Browse, session: Session) -> None:
    session.get_one(Counter, 1).is_open = False
    samples.card(session)
    manager = browse("manager")
    assert [line[1] for line in table(manager.get("/masters/counter/?is_open=0").text)[1:]] == ["三宮サテライト"]
    today = words(manager.get("/card_history/list/?updated_at_from=2000-01-01&updated_at_to=2099-12-31").text)
    assert "1件中" in today
    assert "ありません" in words(manager.get("/card_history/list/?updated_at_to=2000-01-01").text)


@pytest.mark.parametrize("table_name", ["card", "operation_log", "reservation", "masters/counter"])
def test_nonsense_in_an_address_is_left_out(table_name: str, browse: Browse, session: Session) -> None:
    fill(session, "sannomiya")
    person = browse("manager")
    base = f"/{table_name}/" if "/" in table_name else f"/{table_name}/list/"
    clean = len(table(person.get(base).text))
    for nonsense in [
        "page=-1",
        "psize_CardView=100000",
        "size=100000",
        "size=-1",
        "after=abc",
        "after=99999999999999999999",
        "before=-5",
        "after=9223372036854775807",
        "after=3000000000",
        "before=0",
        "after=0",
        "order=name.desc",
        "order=;drop",
        "order=search_key.asc",
        "state=xyz",
        "s=../..",
        "application_date_from=2026-02-30",
        "application_date_to=9999-12-31",
        "started_at_to=9999-12-31",
        "started_at_from=0001-01-01",
        "issue_site=99999999999999999999",
        "issue_site=3000000000",
        "issue_site=abc",
        "issue_site=%EF%BC%91x",
        "counter=1e3",
        "fiscal_year_from=99999999999",
        "_flt_0_name=x",
        "is_open=maybe",
        "%FF=%FE",
        "q=秘密",
    ]:
        answer = person.get(f"{base}?{nonsense}")
        narrowed = nonsense in ("issue_site=3000000000",)
        assert answer.status_code == 200, nonsense
        assert narrowed or len(table(answer.text)) >= clean, nonsense
        assert "秘密" not in answer.text
    assert post(person, f"/{table_name}/search", size="20\r\nX: y").status_code in (303, 404)


def test_nonsense_for_a_key_is_not_found(browse: Browse) -> None:
    admin = browse("admin")
    for path in (
        "/card/show/abc",
        "/card/show/99999999999999999999",
        "/card/show/9223372036854775807",
        "/staff/show/3000000000",
        "/staff/edit/-1",
        "/masters/counter/edit/99999999999",
        "/masters/counter/edit/²",
        "/card/show/1.5",
    ):
        assert admin.get(path).status_code == 404, path
    manager = browse("manager")
    for path in ("/shipment/add?card=99999999999999999999", "/card_note/add?card=9223372036854775808", "/shipment/add?card=²"):
        assert manager.get(path).status_code == 200, path


# -- pages ------------------------------------------------------------------------------------------------------------


def _pages(session: Session, size: int, order: tuple[str, str], *, backwards: bool) -> list[list[int]]:
    """Every page from one end of the list of shipments to the other."""
    spec, want = spec_of(Shipment), Criteria(order=order)  # type: ignore[arg-type]
    assert spec
    found, place = [], Place(end=backwards)
    for _ in range(50):
        page = fetch(session, spec, want, size=size, place=place)
        found.append([row.id for row in page.rows])
        if not (page.has_previous if backwards else page.has_next):
            return found
        place = Place(before=found[-1][0]) if backwards else Place(after=found[-1][-1])
    raise AssertionError("paging does not end")


def test_paging_visits_every_row_once_both_ways(session: Session) -> None:
    card = samples.card(session)
    session.commit()

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        days=st.lists(st.integers(1, 4), max_size=14),
        size=st.integers(1, 6),
        order=st.sampled_from([("sent_date", "asc"), ("sent_date", "desc"), ("id", "asc"), ("id", "desc")]),
    )
    def check(days: list[int], size: int, order: tuple[str, str]) -> None:
        values = {"card_id": card.id, "item_kind": "notice", "postal_code": "6500001", "name": "山田", "address": "神戸市"}
        if days:
            session.execute(insert(Shipment.__table__), [{**values, "sent_date": date(2026, 4, day)} for day in days])  # type: ignore[arg-type]
        try:
            rows = sorted(
                session.query(Shipment.sent_date, Shipment.id),
                reverse=order[1] == "desc",
                key=lambda r: (r[0], r[1]) if order[0] == "sent_date" else r[1],
            )
            expected = [key for _, key in rows]
            assert [key for page in _pages(session, size, order, backwards=False) for key in page] == expected
            assert [key for page in reversed(_pages(session, size, order, backwards=True)) for key in page] == expected
        finally:
            session.rollback()

    check()


def test_pages_stay_in_place_while_rows_come_in(browse: Browse, session: Session) -> None:
    old = [samples.card(session, name=f"山田 {n}").id for n in range(45)]
    clerk = browse("staff")
    first = clerk.get("/card/list/?size=20").text
    newer = samples.card(session).id
    second = clerk.get("/card/list/" + str(link(first, "next"))).text
    third = clerk.get("/card/list/" + str(link(second, "next"))).text
    seen = ids(first, "card") + ids(second, "card") + ids(third, "card")
    assert seen == sorted(old, reverse=True) and link(third, "next") is None
    back = clerk.get("/card/list/" + str(link(second, "prev"))).text
    assert ids(back, "card") == ids(first, "card") and newer in ids(
        clerk.get("/card/list/" + str(link(back, "prev"))).text, "card"
    )
    last = clerk.get("/card/list/?size=20&end=1").text
    assert ids(last, "card") == sorted(old)[:20][::-1] and 'rel="next"' not in last


def test_beyond_the_ends_there_is_still_a_list(browse: Browse, session: Session) -> None:
    key = samples.card(session).id
    clerk = browse("staff")
    for place in (
        f"after={key}",
        f"before={key}",
        f"after={key + 9}&order=application_date.desc",
        f"before={key + 9}&order=application_date.asc",
    ):
        assert ids(clerk.get(f"/card/list/?{place}").text, "card") == [key], place


def test_counts_stop_at_their_cap(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        samples.card(session)
    clerk, spec = browse("staff"), spec_of(Card)
    assert spec and "6件中 6件を表示" in words(clerk.get("/card/list/").text)
    monkeypatch.setattr(listing, "COUNT_CAP", 3)
    assert "3件以上中 6件を表示" in words(clerk.get("/card/list/").text)
    assert fetch(session, spec, Criteria()).count == 4, "one more than the cap is looked at, no further"
    assert "1件中" in words(clerk.get(f"/card_history/list/?card={ids(clerk.get('/card/list/').text, 'card')[0]}").text)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0件"), (9_999, "9,999件"), (10_000, "10,000件"), (10_001, "10,000件以上"), (240_000, "10,000件以上")]
)
def test_a_count_is_exact_up_to_ten_thousand(count: int, told: str) -> None:
    assert Page(rows=[], count=count, has_previous=False, has_next=False).count_words == told


# -- what a page asks the database, and what it shows ------------------------------------------------------------------


def test_a_list_asks_as_little_for_fifty_rows_as_for_five(browse: Browse, session: Session, staff_app: Flask) -> None:
    people = {"document": browse("staff"), "document_page": browse("staff"), "staff": browse("admin")}
    anybody = browse("manager")
    asked: dict[str, list[int]] = {}
    for several in (5, 45):
        for number in range(several):
            fill(session, ("sannomiya", "tanigami", "shin-nagata", "gakuen-toshi")[number % 4])
        _more_masters(session, several)
        for spec in specs().values():
            if not spec.inline_of:
                path = f"/masters/{spec.name}/" if spec.is_master else f"/{spec.name}/list/"
                person = people.get(spec.name, anybody)
                session.commit()
                with statements(staff_app) as sent:
                    assert person.get(path).status_code == 200
                asked.setdefault(spec.name, []).append(len(sent))
    assert {name: counts for name, counts in asked.items() if counts[0] != counts[1] or counts[1] > 10} == {}


def test_a_row_leads_to_itself_and_its_relations_to_theirs(browse: Browse, session: Session) -> None:
    keys = fill(session, "sannomiya")
    clerk, operator = browse("staff"), browse("operator")
    for path, own, other in [
        ("/card_history/list/", f"/card_history/show/{keys['card_history']}", f"/card/show/{keys['card']}"),
        ("/shipment/list/", f"/shipment/show/{keys['shipment']}", f"/card/show/{keys['card']}"),
        ("/card/list/", f"/card/show/{keys['card']}", "/masters/counter/show/1"),
    ]:
        page = clerk.get(path).text
        named = re.findall(r'<td class="name[^"]*"[^>]*><a href="([^"]*)"', page)
        assert own in named and other in set(re.findall(r'href="([^"]*)"', page)) - set(named), path
    page = operator.get("/reservation/list/").text
    assert "/reservation/show/" in page and "/card/show/" not in page


def _more_masters(session: Session, several: int) -> None:
    for n in range(several):
        day = date(1990 + several, 1, 1 + n % 28).replace(month=1 + n // 28)
        session.add(FeeRule(valid_from=day, valid_until=day, issue_kind="new", registration_reason="first", amount=0))
    session.flush()


def test_lists_show_no_more_of_a_person_than_needed(browse: Browse, session: Session) -> None:
    booked = samples.reservation(session, phone="09012345678", address="神戸市北区谷上東町9番", email="hanako@example.jp")
    card = samples.card(session, address="神戸市灘区桜口町9丁目", memo="足が不自由")
    note = samples.note(session, card, "娘が来庁予定")
    clerk = browse("staff")
    listed = clerk.get("/reservation/list/").text
    assert "＊5678" in listed and "1234" not in listed and "谷上東町" not in listed and "hanako" not in listed
    assert "090-1234-5678" in clerk.get(f"/reservation/show/{booked.id}").text
    assert "桜口町" not in clerk.get("/card/list/").text + clerk.get("/card_history/list/").text
    assert "娘が" not in clerk.get("/card_note/list/").text and "娘が来庁予定" in clerk.get(f"/card_note/show/{note.id}").text
    hints = post(clerk, "/shipment/pick/card", q="山田").text
    assert "桜口町" not in hints and "不自由" not in hints


def test_birth_dates_and_numbers_read_as_on_paper(browse: Browse, session: Session) -> None:
    born = date(1985, 4, 1)
    booked = samples.reservation(session, phone="0783221234", postal_code="6500001", birth_date=born)
    page = words(browse("staff").get(f"/reservation/show/{booked.id}").text)
    years = today().year - 1985 - ((today().month, today().day) < (4, 1))
    assert f"1985年（昭和60年）4月1日（{years}歳）" in page and "078-322-1234" in page and "650-0001" in page
    part = specs()[Card].parts["birth_date"]
    assert (part.shown(date(2019, 5, 1)), part.shown(date(1860, 1, 2))) == ("2019年（令和元年）5月1日", "1860年1月2日")
    assert (part.masked(born), part.logged(born)) == ("＊-01", "＊＊＊")


def test_the_page_of_a_card_has_what_belongs_to_it(browse: Browse, session: Session) -> None:
    fill(session, "sannomiya", name="よその 人")
    keys = fill(session, "sannomiya", name="山田 太郎")
    clerk = browse("staff")
    page = clerk.get(f"/card/show/{keys['card']}").text
    for name in ("card_history", "card_note", "shipment", "document"):
        assert ids(page, name) == [keys[name]] or f"/{name}/show/{keys[name]}" in page, name
    assert "よその" not in page
    assert f"/shipment/add?card={keys['card']}" in page and f"/card_history/add?card={keys['card']}" not in page
    for _ in range(6):
        samples.shipment(session, session.get_one(Card, keys["card"]))
    page = clerk.get(f"/card/show/{keys['card']}").text
    assert len([line for line in table(page) if "交付通知書" in line]) == 5 and f"/shipment/list/?card={keys['card']}" in page
    assert "7件" in words(page)
    assert len(ids(clerk.get(f"/shipment/list/?card={keys['card']}").text, "shipment")) == 7


def test_an_empty_list_says_why_and_what_to_do(browse: Browse) -> None:
    page = words(browse("staff").get("/card/list/").text)
    assert "カードはまだありません。「新規登録」から登録できます。 表示されるのは、担当する窓口の情報だけです。" in page
    assert "「新規登録」から" not in browse("admin").get("/card/list/").text, "an administrator may only look"


def test_who_has_no_counter_learns_why_nothing_is_there_and_whom_to_ask(browse: Browse, session: Session) -> None:
    samples.card(session)
    clerk = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    clerk.counters.clear()
    session.commit()
    person = browse("staff")
    page = words(person.get("/card/list/").text)
    assert "担当窓口が決まっていないため、カードは表示されません。" in page and "利用者「staff」の担当窓口を登録" in page
    assert "担当窓口が決まっていません。" in words(person.get("/").text)
    assert "担当窓口が決まって" not in words(browse("manager").get("/card/list/").text) + words(browse("staff2").get("/").text)


def test_a_page_is_called_by_its_record_and_its_site(browse: Browse, session: Session) -> None:
    card = samples.card(session, application_no="1" * 23)
    page = browse("staff").get(f"/card/show/{card.id}").text
    assert f"<title>カード {'1' * 23} — 神戸市カード予約・交付 職員サイト</title>" in page


def test_a_very_long_name_and_marks_of_html_are_just_text(browse: Browse, session: Session) -> None:
    long, marks = "寿限無" * 66, '<b>"x"&\''
    card = samples.card(session, name=long)
    samples.card(session, name=marks)
    clerk = browse("staff")
    page = clerk.get("/card/list/").text
    assert shown(page) == {long, marks} and '<b>"' not in page
    assert long in clerk.get(f"/card/show/{card.id}").text
    assert shown(find(clerk, "card", long[:100]).text) == {long}


def test_a_slot_list_filters_by_channel(browse: Browse, session: Session) -> None:
    samples.slot(session, channel=Channel.WEB)
    samples.slot(session, channel=Channel.RESERVE)
    assert "1件中" in words(browse("staff").get("/slot/list/?channel=reserve").text)


@pytest.mark.parametrize(
    "asked", ["psize=100000", "psize_CardView=100000", "size=100000", "size=101", "size=1000000000000000000000"]
)
def test_no_address_asks_for_more_than_a_hundred_rows(asked: str, browse: Browse, session: Session) -> None:
    for _ in range(101):
        samples.card(session)
    session.commit()
    page = browse("manager").get(f"/card/list/?{asked}")
    assert page.status_code == 200 and 1 <= len(ids(page.text, "card")) <= 100
    assert len(ids(browse("manager").get("/card/list/?size=100").text, "card")) == 100


def test_a_picker_offers_twenty_rows_at_most(browse: Browse, session: Session) -> None:
    for _ in range(21):
        samples.card(session)
    session.commit()
    offered = post(browse("manager"), "/shipment/pick/card", q="山田", size="100000", psize="100000").get_json()
    assert len(offered["rows"]) == 20


def test_a_period_that_ends_before_it_begins_is_explained(browse: Browse, session: Session) -> None:
    page = browse("manager").get("/reservation/list/?booking_date_from=2026-11-30&booking_date_to=2026-11-26").text
    assert "「予約日付」の終わりが始まりより前です" in page and 'value="2026-11-30"' in page, "and stays to be put right"
