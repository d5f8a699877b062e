"""The search box: what is found, what is refused, and what stays out of the address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from app import listing, searching
from models import OperationLog, Staff
from tests import samples
from tests.pages import find, ids, link, post, shown, table, words
from tests.rows import fill

Browse = Callable[[str], FlaskClient]
KATSURAGI = "葛\U000e0100城 太郎"  # the variation selector picks one of two shapes of the character


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
