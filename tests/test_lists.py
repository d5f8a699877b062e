"""Lists: what is found, what stays out of the address, how pages follow each other, how much the database is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app import listing, searching
from app.listing import Criteria, Page, Place, fetch
from app.schema import spec_of, specs
from models import Card, CardState, Channel, Counter, FeeRule, OperationLog, Shipment, Staff
from tests import samples
from tests.booking_pages import today
from tests.pages import find, ids, link, post, table, words
from tests.rows import fill
from tests.sites import statements

Browse = Callable[[str], FlaskClient]
KATSURAGI = "葛\U000e0100城 太郎"  # the variation selector picks one of two shapes of the character


def shown(page: str) -> set[str]:
    """Names on a list of cards."""
    heading, *lines = table(page)
    return {line[heading.index("氏名")] for line in lines}


# -- searching --------------------------------------------------------------------------------------------------------


def test_a_name_is_found_however_it_is_written(browse: Browse, session: Session) -> None:
    for name, kana in [
        ("髙橋 一郎", "タカハシ イチロウ"),
        ("高橋 花子", "タカハシ ハナコ"),
        ("渡邉 茂", "ワタナベ シゲル"),
        ("渡辺 桜", "ワタナベ サクラ"),
        (KATSURAGI, "カツラギ タロウ"),
        ("𠮷田 蓮", "ヨシダ レン"),
        ("O'Brien Anna", "オブライエン アンナ"),
    ]:
        samples.card(session, name=name, name_kana=kana)
    clerk = browse("staff")
    takahashi, watanabe = {"髙橋 一郎", "高橋 花子"}, {"渡邉 茂", "渡辺 桜"}
    for typed, expected in [
        ("高橋", takahashi),
        ("髙橋", takahashi),
        ("たかはし", takahashi),
        ("ﾀｶﾊｼ", takahashi),
        ("髙橋 一", {"髙橋 一郎"}),
        ("　高橋　花子　", {"高橋 花子"}),
        ("渡辺", watanabe),
        ("渡邉", watanabe),
        ("渡邊", watanabe),
        ("葛城", {KATSURAGI}),
        ("葛\U000e0100城", {KATSURAGI}),
        ("吉田", {"𠮷田 蓮"}),
        ("𠮷田 蓮", {"𠮷田 蓮"}),
        ("obrien", {"O'Brien Anna"}),
        ("ＡＮＮＡ", {"O'Brien Anna"}),
        ("橋一", {"髙橋 一郎"}),
    ]:
        assert shown(find(clerk, "card", typed).text) == expected, typed
    assert "条件に当てはまるカードはありません" in find(clerk, "card", "山本").text


def test_a_number_is_found_in_any_dress(browse: Browse, session: Session) -> None:
    card = samples.card(session, application_no="28100012345678901234567", name="山田 太郎")
    samples.card(session, name="鈴木 一郎")
    samples.reservation(session, booking_code="K7Q2M9MXDA", phone="0783221234")
    samples.document(session, card, document_no="D-0001a")
    samples.shipment(session, card, tracking_no="123456789012")
    clerk, auditor = browse("staff"), browse("auditor")
    for table_name, typed in [
        ("card", "28100012345678901234567"),
        ("card", "２８１００-０１２３４-５６７８９０-１２３４５６７"),
        ("reservation", "k7q2m-9mxda"),
        ("reservation", "078-322-1234"),
        ("reservation", "０７８（３２２）１２３４"),
        ("document", "D-0001a"),
        ("document", "Ｄ-０００１ａ"),
        ("shipment", "1234-5678-9012"),
    ]:
        assert len(ids(find(clerk, table_name, typed).text, table_name)) == 1, typed
    assert {line[2] for line in table(find(auditor, "operation_log", "staff").text)[1:]} == {"staff"}


def test_a_search_without_end_is_refused_and_kept_nowhere(browse: Browse, session: Session) -> None:
    """What is posted to a search stays in the session's row for hours: only what a search can hold may."""
    clerk = browse("staff")
    long = "山田" * 50
    for _ in range(3):
        for path, fields in [
            ("/card/search", {"q": f"{long}太"}),
            ("/jump", {"q": f"{long}太"}),
            ("/card/search", {"name": long * 100}),
            ("/masters/counter/search", {"q": f"{long}太"}),
        ]:
            answer = post(clerk, path, fields)
            assert (answer.status_code, "s=" in answer.headers["Location"]) == (303, False), path
            assert ("name" in fields) is not ("100文字以内で入力してください" in clerk.get(answer.headers["Location"]).text), path
    assert "100文字以内" in post(clerk, "/shipment/pick/card", q=f"{long}太").json["message"]
    assert len(str(session.execute(text("SELECT data FROM web_session")).all())) < 500
    assert "s=" in post(clerk, "/card/search", q=long).headers["Location"]


@pytest.mark.parametrize("typed", ["！？", "・"])
def test_a_search_that_says_too_little_gets_a_sentence(typed: str, browse: Browse, session: Session) -> None:
    samples.card(session)
    answer = find(browse("staff"), "card", typed)
    assert answer.status_code == 200 and "2文字以上で入力してください" in answer.text and ids(answer.text, "card") == []


def test_a_surname_of_one_character_is_found(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("林 一郎", "林 桜", "小林 翔", "林田 健", "浅野 蓮"):
        samples.card(session, name=name, name_kana="")
    clerk = browse("staff")
    for common in (listing.COMMON, 0):  # by the index, and along the list
        monkeypatch.setattr(listing, "COMMON", common)
        assert shown(find(clerk, "card", "林").text) == {"林 一郎", "林 桜"}
        assert shown(find(clerk, "card", "林 一").text) == {"林 一郎"}
        assert shown(find(clerk, "card", "蓮").text) == {"浅野 蓮"}
        assert shown(find(clerk, "card", "小林").text) == {"小林 翔"}
    page = words(find(clerk, "card", "野").text)
    assert "当てはまるカードはありません" in page and "その1文字だけの姓や名を探します" in page


def test_a_number_is_found_by_its_first_digits(browse: Browse, session: Session) -> None:
    for number in ("28102026", "28102099", "29000000"):
        samples.card(session, application_no=number.ljust(23, "0"))
    samples.card(session, "shin-nagata", application_no="28102026".ljust(23, "1"))
    clerk = browse("staff")
    for typed, count in [("2810", 2), ("２８１０-２０２", 1), ("281020 99", 1), ("29", 0), ("2900", 1), ("9999", 0)]:
        assert len(ids(find(clerk, "card", typed).text, "card")) == count, typed
    assert ids(find(browse("staff2"), "card", "28102026").text, "card") != ids(find(clerk, "card", "28102026").text, "card")


def test_a_table_without_searched_words_has_no_box_and_lists_nothing_for_a_forged_one(browse: Browse, session: Session) -> None:
    fill(session, "sannomiya")
    clerk = browse("staff")
    for name in ("card_history", "card_note", "slot"):
        assert 'name="q"' not in clerk.get(f"/{name}/list/").text.partition("<main")[2], name
        assert ids(clerk.get(f"/{name}/list/").text, name), name
        answer = find(clerk, name, "山田")
        assert (answer.status_code, ids(answer.text, name)) == (200, []) and "当てはまる" in words(answer.text), name


def test_what_is_typed_never_stands_in_an_address_or_a_cookie(browse: Browse, session: Session) -> None:
    samples.reservation(session, name="秘密 花子", phone="0783221234")
    clerk = browse("staff")
    for typed, path, name in [
        ("秘密", "/reservation/search", "q"),
        ("0783221234", "/reservation/search", "q"),
        ("秘密 花子", "/jump", "q"),
        ("秘密", "/reservation/search", "state"),
        ("秘密", "/reservation/search", "size"),
        ("秘密", "/reservation/search", "order"),
    ]:
        answer = post(clerk, path, {name: typed})
        page = clerk.get(answer.headers["Location"]).text
        links = " ".join([answer.headers["Location"], *re.findall(r'(?:href|action)="([^"]*)"', page)])
        cookies = " ".join(answer.headers.getlist("Set-Cookie")) + str(clerk._cookies)
        for hidden in ("秘密", "%E7%A7%98", "3221234"):
            assert hidden not in links and hidden not in cookies, (path, name)


def test_a_search_is_ones_own(browse: Browse, session: Session) -> None:
    samples.card(session, name="秘密 花子")
    mine = post(browse("manager"), "/card/search", q="秘密").headers["Location"]
    other = browse("staff").get(mine)
    assert 'value="秘密"' not in other.text and "検索した言葉は、もう残っていません" in other.text
    lost = post(browse("staff"), mine.replace("/list/", "/export"), purpose="点検", format="csv")
    assert lost.status_code == 303, "without its question a file would hold everything"


def test_a_search_knows_where_a_row_lies_and_whither_it_goes(browse: Browse, session: Session) -> None:
    """The index of names holds the counters too: it must follow a card that is stored elsewhere or on its way."""
    card = samples.card(session, name="山田 太郎")
    for n in range(3):
        samples.card(session, "tanigami", name=f"山田 {n}郎")
    here, there = browse("staff"), browse("staff2")
    assert (
        "1件中" in words(find(here, "card", "山田").text) and "当てはまるカードはありません" in find(there, "card", "山田").text
    )
    assert "4件中" in words(find(browse("manager"), "card", "山田").text)
    for column in ("storage_site", "transit_to", "issue_site"):
        before = getattr(card, column)
        setattr(card, column, samples.counter(session, "shin-nagata"))
        session.flush()
        assert shown(find(there, "card", "山田").text) == {"山田 太郎"}, column
        setattr(card, column, before)
        session.flush()
        assert "当てはまるカードはありません" in find(there, "card", "山田").text, column


def test_a_search_within_two_counters_finds_those_of_both(browse: Browse, session: Session) -> None:
    for number, at in enumerate(("sannomiya", "tanigami", "shin-nagata"), 2):
        samples.reservation(session, at, name=f"山田 {at}", booking_code=str(number) * 10)
    clerk = session.scalars(select(Staff).where(Staff.username == "staff")).one()
    clerk.counters.append(samples.counter(session, "tanigami"))
    page = find(browse("staff"), "reservation", "山田").text
    assert "2件中" in words(page) and "shin-nagata" not in page


def test_the_one_field_groups_what_it_finds_by_table(browse: Browse, session: Session) -> None:
    card = samples.card(session, name="髙橋 一郎")
    clerk = browse("staff")
    assert post(clerk, "/jump", q="高橋").headers["Location"].startswith("/card/list/?s="), "one table has it: its list"
    samples.reservation(session, name="高橋 花子")
    for _ in range(7):
        samples.shipment(session, card, name="髙橋 一郎")
    samples.reservation(session, "shin-nagata", name="高橋 よその", booking_code="2" * 10)
    address = post(clerk, "/jump", q="高橋").headers["Location"]
    page = clerk.get(address).text
    assert "高橋" not in address and address.startswith("/jump?s=")
    assert (
        "カード 1件" in words(page) and "来庁予約 1件" in words(page) and "発送管理 7件" in words(page) and "よその" not in page
    )
    assert len(ids(page, "shipment")) == 5
    everything = re.findall(r'class="button" href="(/shipment/list/[^"]*)"', page)
    assert len(ids(clerk.get(everything[0]).text, "shipment")) == 7
    nothing = clerk.get(post(clerk, "/jump", q="山本").headers["Location"]).text
    assert "当てはまるものがありません。カード・来庁予約・発送管理を探しました。" in nothing
    lost = browse("staff2").get(address)
    assert lost.status_code == 303 and "高橋" not in lost.text


NAMES = {"北 花子": "kita", "北野 花子": "kitano", "南 次郎": "minami", "花形 一": "hana"}


@pytest.mark.parametrize(
    ("typed", "meant"), [("花子", ["北 花子", "北野 花子"]), ("南　次郎", ["南 次郎"]), ("北 花", ["北 花子"]), ("東山", [])]
)
def test_the_log_is_searched_by_the_names_of_those_who_acted(
    typed: str, meant: list[str], browse: Browse, session: Session
) -> None:
    """Names that differ are few, so they are looked through; the rows of each are read from an index and laid one between another."""
    rows = list(_acts(session))
    session.execute(insert(OperationLog), rows)
    auditor = browse("auditor")
    expected = [
        row["id"] for row in sorted(rows, key=lambda r: (r["started_at"], r["id"]), reverse=True) if row["user_name"] in meant
    ]
    page = find(auditor, "operation_log", typed, size="20").text
    found = ids(page, "operation_log")
    while following := link(page, "next"):
        page = auditor.get(f"/operation_log/list/{following}").text
        found += ids(page, "operation_log")
    assert found == expected
    if expected:
        assert f"{len(expected)}件中" in words(page)
        before = auditor.get(f"/operation_log/list/{link(page, 'prev')}").text if link(page, "prev") else page
        last = len(ids(page, "operation_log"))
        assert ids(before, "operation_log") == (expected[-last - 20 : -last] if link(page, "prev") else expected)


def _acts(session: Session) -> Iterator[dict[str, Any]]:
    """Rows of several people whose numbers are not in the order of their times."""
    begin, first = datetime(2026, 5, 1, tzinfo=UTC), 10_000
    for n in range(90):
        name = list(NAMES)[n * 7 % len(NAMES)]
        at = begin + timedelta(minutes=n * 37 % 50)
        yield {
            "id": first + n,
            "started_at": at,
            "ended_at": at,
            "user_id": NAMES[name],
            "user_name": name,
            "department": "",
            "detail": {},
            "action_class": "read",
            "action_code": "card.show",
            "action_name": "カード 参照",
            "my_number_access": "none",
            "client_info": "",
            "request_id": "",
        }


def test_names_without_end_are_not_searched_one_by_one(browse: Browse, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_VALUES", 1)
    session.execute(insert(OperationLog), list(_acts(session)))
    assert "もう少し長い言葉で検索してください" in find(browse("auditor"), "operation_log", "花子").text


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
        session.add(FeeRule(valid_from=day, issue_kind="new", registration_reason="first", amount=0))
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
