"""Forms: what may be typed is stored exactly; what may not is refused with a sentence at its field, and nothing is half saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.schema import Spec, specs
from models import Card, CardHistory, CardNote, CardState, Document, MyNumberAccess, OperationLog, Reservation, Shipment
from tests import samples
from tests.pages import complaints, fill, form, post, token
from tests.rows import fill as one_of_each

Browse = Callable[[str], FlaskClient]
PERSONAL_NUMBER = "123456789018"  # the example of the law's formula; nobody's
CARD = {
    "name": "山田 太郎",
    "address": "神戸市中央区加納町9丁目",
    "application_date": "2026-11-01",
    "application_site": "1",
    "issue_site": "1",
}


def only(session: Session, model: Any) -> Any:
    session.expire_all()
    return session.scalars(select(model)).one()


# -- what is stored ---------------------------------------------------------------------------------------------------


def test_names_are_stored_as_typed_and_numbers_folded(browse: Browse, session: Session) -> None:
    name, address = "葛\U000e0100城 𠮷\u3099　﨑", "神戸市\u3000１丁目２−３"
    answer = fill(
        browse("staff"),
        "/card/add",
        **{
            **CARD,
            "name": f" {name}\r\n",
            "address": f"{address}\x07\x01\u202e",
            "name_kana": "ｶﾂﾗｷﾞ　たろう",
            "application_no": "２８１０００１２３４５６７８９０１２３４５-６７",
            "postal_code": "６５０－０００１",
            "memo": "一行目\r\n二行目\x1b[0m",
        },
    )
    assert answer.status_code == 303
    card = only(session, Card)
    assert [card.name, card.address, card.memo] == [name, address, "一行目\n二行目[0m"], (
        "every code point a person can see, and no other"
    )
    assert (card.name_kana, card.application_no, card.postal_code) == ("カツラギ タロウ", "28100012345678901234567", "6500001")
    page = browse("staff").get(answer.headers["Location"]).text
    assert name in page and address in page


def test_a_phone_number_is_taken_in_full_width_with_hyphens(browse: Browse, session: Session) -> None:
    key = samples.reservation(session).id
    clerk = browse("staff")
    assert fill(clerk, f"/reservation/edit/{key}", phone="０７８（３２２）１２３４", postal_code="〒650-0001").status_code == 422
    assert (
        fill(
            clerk, f"/reservation/edit/{key}", phone="０７８（３２２）１２３４", postal_code="650-0001", name="髙橋 一郎"
        ).status_code
        == 303
    )
    row = only(session, Reservation)
    assert (row.phone, row.postal_code, row.name, row.booking_date) == ("0783221234", "6500001", "髙橋 一郎", row.slot.slot_date)


def test_a_new_row_gets_its_stamps_and_its_search_key(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    session.commit()
    answer = fill(
        browse("staff"),
        f"/document/add?card={card.id}",
        partition_year="2026",
        fiscal_year="２０２６",
        business_class="issue",
        document_class="application",
        document_no="D-1",
        name_kanji="山田 太郎",
    )
    assert answer.status_code == 303
    row = only(session, Document)
    assert (row.card_id, row.fiscal_year, row.registered_by_name, row.updated_by_id, row.search_key) == (
        card.id,
        2026,
        "三宮 太郎",
        "staff",
        "山田 田太 太郎",
    )


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "cases"),
    [
        (
            "card",
            [
                ({"name": ""}, "name", "「氏名」を入力してください。"),
                ({"name": " \u3000\x01"}, "name", "「氏名」を入力してください。"),
                ({"name": "寿" * 201}, "name", "「氏名」は200文字以内で入力してください（いま201文字）。"),
                (
                    {"birth_date": "2026-02-30"},
                    "birth_date",
                    "「生年月日」は正しい日付（例 2026-04-01、令和8年4月1日）で入力してください。",
                ),
                (
                    {"birth_date": "昭和の日"},
                    "birth_date",
                    "「生年月日」は正しい日付（例 2026-04-01、令和8年4月1日）で入力してください。",
                ),
                ({"application_date": ""}, "application_date", "「申請受付日」を入力してください。"),
                ({"application_no": "1" * 22}, "application_no", "「申請書ID（見た目用）」の形が正しくありません。数字23桁。"),
                ({"postal_code": "650-000"}, "postal_code", "「郵便番号」は数字7桁で入力してください（例 6500001）。"),
                ({"name_kana": "やまだ taro"}, "name_kana", "「氏名カナ」はカタカナで入力してください。"),
                ({"issue_site": ""}, "issue_site", "「カード交付場所」を選んでください。"),
                ({"issue_site": "99999"}, "issue_site", "「カード交付場所」を選び直してください。"),
                ({"sex": "xyz"}, "sex", "「性別」を選び直してください。"),
                ({"issue_kind": ""}, "issue_kind", "「交付種別」を選んでください。"),
                ({"issue_kind": "'; DROP TABLE card"}, "issue_kind", "「交付種別」を選び直してください。"),
                ({"issue_site": "2"}, "issue_site", "担当していない窓口の情報は、登録も変更もできません。"),
            ],
        ),
        (
            "shipment",
            [
                ({"attempt_no": ""}, "attempt_no", "「発送回数」を入力してください。"),
                ({"attempt_no": "二回"}, "attempt_no", "「発送回数」は正しい整数で入力してください。"),
                ({"attempt_no": "99999999999"}, "attempt_no", "「発送回数」の数が大きすぎます。"),
                ({"attempt_no": "-1"}, "attempt_no", "「発送回数」は1以上にしてください。"),
                ({"card": "", "card__words": ""}, "card", "「申請書ID」を選んでください。"),
                ({"card": "", "card__words": "いない人"}, "card", "「いない人」に当てはまるカードがありません。"),
                ({"card": "", "card__words": "！"}, "card", "検索する言葉は2文字以上で入力してください。"),
                (
                    {"card": "", "card__words": "山田"},
                    "card",
                    "「山田」に当てはまるカードが複数あります。候補から選んでください。",
                ),
                ({"card": "²", "card__words": ""}, "card", "「申請書ID」を選び直してください。"),
            ],
        ),
    ],
)
def test_each_mistake_gets_its_sentence_and_keeps_the_entry(table: str, cases: Any, browse: Browse, session: Session) -> None:
    """The sentence stands at every field that it is about and nowhere else; the one above the form leads to the first of them."""
    cards = [samples.card(session).id for _ in range(2)]
    good = {
        "card": CARD,
        "shipment": {
            "card": str(cards[0]),
            "item_kind": "notice",
            "sent_date": "2026-11-01",
            "postal_code": "6500001",
            "name": "山田 太郎",
            "address": "神戸市中央区加納町9丁目",
        },
    }[table]
    clerk = browse("staff")
    for typed, boxes, sentence in cases:
        answer = fill(clerk, f"/{table}/add", **{**good, **typed})
        assert answer.status_code == 422, typed
        told, at = complaints(answer.text), boxes.split()
        assert list(told) == at and all(said.startswith(sentence) for said in told.values()), (typed, told)
        assert f'<a href="#{at[0]}">{told[at[0]]}</a>' in answer.text, typed
        kept = form(answer.text)
        assert {key: kept[key][0] for key in good if key not in (*typed, "card")} == {
            k: v for k, v in good.items() if k not in (*typed, "card")
        }, typed
    assert (
        session.scalar(select(func.count()).select_from(Card)) == 2
        and session.scalar(select(func.count()).select_from(Shipment)) == 0
    )


def test_a_number_that_is_taken_says_so(browse: Browse, session: Session) -> None:
    samples.card(session, application_no="2" * 23)
    answer = fill(browse("staff"), "/card/add", **CARD, application_no="2" * 23)
    assert answer.status_code == 422
    assert complaints(answer.text) == {"application_no": "「申請書ID（見た目用）」が同じデータがすでに登録されています。"}
    assert form(answer.text)["application_no"] == ["2" * 23]
    assert "INSERT" not in answer.text and "UNIQUE" not in answer.text.upper().replace("UNIQUE_", "")


def test_what_a_form_does_not_hold_it_leaves_alone(browse: Browse, session: Session) -> None:
    card = samples.card(session, memo="大事なメモ")
    clerk = browse("staff")
    stamp = form(clerk.get(f"/card/edit/{card.id}").text)["row_stamp"]
    answer = post(
        clerk, f"/card/edit/{card.id}", name="山田 次郎", row_stamp=stamp, id="999", search_key="x", nonsense="y", _state="z"
    )
    assert answer.status_code == 303
    row = only(session, Card)
    assert (row.id, row.name, row.memo, row.birth_date) == (card.id, "山田 次郎", "大事なメモ", date(1980, 4, 1))


BY_TRANSITION = {
    *("state", "reissue_requested", "storage_site", "shelf", "transit_to", "issuing_municipality"),
    # on arrival
    *("manufacturing_no", "card_status", "card_expiry", "auth_cert_expiry", "sign_cert_expiry", "auth_cert_serial"),
    *("braille_cert_code", "managed_from"),
    # preset, told, reminded
    *("preset_done", "preset_date", "substitute_char_used", "notice_no", "notice_sent_date", "reminder_sent_date"),
    # handed over and paid for
    *("issued_date", "issue_done", "agent_issue", "fee_amount", "fee_status", "fee_collected_date"),
    # given up, revoked, collected, destroyed
    *("issue_cancelled", "revocation_done", "collected_date"),
    *("disposed_date", "disposal_reason", "disposal_note", "disposal_done"),
}
"""Columns of a card that only its steps set, written out by hand: the Spec alone would agree with itself."""
REGISTERED = {
    *("application_no", "application_date", "application_channel", "visit_type", "issue_kind", "registration_reason"),
    *("fee_flag", "proxy_posted_date", "application_site", "issue_site"),
}
"""What is typed when a card is registered, and put right until it arrives; afterwards only transitions move it."""


def _forged(spec: Spec, written: set[str], *, adding: bool) -> dict[str, str]:
    """A value for these columns, and for every other that may not be typed."""
    typed = {p.key for p in spec.typed(adding=adding)} - written
    found = {}
    for part in spec.parts.values():
        if part.key in typed or part.key in ("id", "row_stamp"):
            continue
        found[part.key] = {
            "flag": "1",
            "date": "2026-11-05",
            "number": "3",
            "relation": "2",
            "time": "09:00",
            "moment": "2026-11-05T09:00",
            "code": str(list(part.enum)[-1].value) if part.enum else "",
        }.get(part.shape, "7777777")
        found[part.fk] = found[part.key]
    return found


@pytest.mark.parametrize("state", [None, CardState.APPLIED, CardState.NOTIFIED], ids=["new", "applied", "notified"])
def test_what_a_transition_sets_cannot_be_posted(state: CardState | None, browse: Browse, session: Session) -> None:
    spec, clerk, has_arrived = specs()[Card], browse("staff"), state is CardState.NOTIFIED
    forged = _forged(spec, BY_TRANSITION | (REGISTERED if has_arrived else set()), adding=not has_arrived)
    card = samples.card(session, state=state or CardState.APPLIED)
    session.commit()
    before = {c.key: getattr(card, c.key) for c in spec.mapper.column_attrs}
    path, typed = ("/card/add", CARD) if state is None else (f"/card/edit/{card.id}", {"memo": "変更"})
    assert fill(clerk, path, **typed, **forged).status_code == 303
    session.expire_all()
    row = session.scalars(select(Card).order_by(Card.id.desc())).first()
    assert row and (row.id == card.id) is (state is not None)
    assert {key: getattr(row, spec.parts[key].fk) for key in forged if key in spec.parts} == {
        key: before[spec.parts[key].fk] for key in forged if key in spec.parts
    }


def test_no_form_and_no_file_asks_for_what_a_transition_sets() -> None:
    spec = specs()[Card]
    assert set(spec.parts) >= BY_TRANSITION | REGISTERED
    assert {p.key for p in spec.typed(adding=True)} & BY_TRANSITION == set()
    assert {p.key for p in spec.typed(adding=False)} & (BY_TRANSITION | REGISTERED) == set()


def test_a_postings_return_cannot_be_posted(browse: Browse, session: Session) -> None:
    row = samples.shipment(session, samples.card(session))
    session.commit()
    answer = fill(browse("staff"), f"/shipment/edit/{row.id}", memo="変更", returned_date="2026-11-01", return_reason="moved")
    assert answer.status_code == 303
    session.expire_all()
    assert (row.memo, row.returned_date, row.return_reason) == ("変更", None, None)


def test_what_was_registered_can_be_put_right_until_the_card_arrives(browse: Browse, session: Session) -> None:
    """A hand-written form gets its number later; a wrong date or counter is corrected, with a history row."""
    card = samples.card(session, application_no=None)
    clerk, path = browse("staff"), f"/card/edit/{card.id}"
    right = {"application_no": "2" * 23, "application_date": "2026-03-30", "visit_type": "at_application"}
    assert fill(clerk, path, **right).status_code == 303
    session.expire_all()
    assert (card.application_no, f"{card.application_date}", card.visit_type) == tuple(right.values())
    last = session.scalars(select(CardHistory).order_by(CardHistory.id.desc())).first()
    assert last and set(last.event["changes"]) == {"申請書ID（見た目用）", "申請受付日", "来庁方式"}
    card.state = CardState.ARRIVED
    assert 'name="application_no"' not in clerk.get(path).text
    assert fill(clerk, path, application_no="3" * 23, application_date="2020-01-01").status_code == 303
    session.expire_all()
    assert (card.application_no, f"{card.application_date}") == ("2" * 23, "2026-03-30")


# -- the 個人番号 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", ["panel", "masters"])
def test_a_personal_number_is_refused_in_every_text_and_repeated_nowhere(
    area: str, browse: Browse, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    keys = one_of_each(session, "sannomiya")
    manager = browse("manager")
    people = {"document": browse("staff"), "staff": browse("admin"), "operator_account": browse("admin")}
    refused = 0
    for spec in specs().values():
        if spec.is_master is not (area == "masters") or not spec.writable or spec.inline_of:
            continue
        person, home = people.get(spec.name, manager), f"/masters/{spec.name}" if spec.is_master else f"/{spec.name}"
        path = (f"{home}/new/" if spec.is_master else f"{home}/add") if spec.can_add else f"{home}/edit/{keys[spec.name]}"
        for part in spec.typed(adding=spec.can_add):
            if part.shape in ("flag", "code", "codes", "many"):
                continue
            box = f"{part.key}__words" if part.shape == "relation" else part.key
            if part.shape == "relation" and f'name="{box}"' not in person.get(path).text:
                continue
            if part.field.kind == "tracking":
                continue  # 追跡番号 has twelve digits of its own
            refused += 1
            typed = ("123456789018", "1234-5678-9018", "１２３４　５６７８　９０１８")[refused % 3]
            answer = fill(
                person,
                path,
                **{box: f"番号{typed}です" if part.is_free_text and part.field.kind not in ("code", "email") else typed},
            )
            assert answer.status_code == 422 and "個人番号（マイナンバー）と思われる12桁の数字" in answer.text, (
                spec.name,
                part.key,
            )
            assert not _holds_number(answer.text), (spec.name, part.key)
    assert refused > 10
    told = session.scalars(select(OperationLog).where(OperationLog.my_number_access == MyNumberAccess.REFUSED)).all()
    assert len(told) == refused
    assert not any(_holds_number(str(row.detail)) for row in session.scalars(select(OperationLog)))
    assert not _holds_number(caplog.text)


def _holds_number(page: str) -> bool:
    return any(number in page for number in (PERSONAL_NUMBER, "1234-5678-9018", "１２３４", "1234 5678"))


def test_a_personal_number_is_no_search_either(browse: Browse, session: Session, caplog: pytest.LogCaptureFixture) -> None:
    clerk = browse("staff")
    for path, fields in [
        ("/card/search", {"q": PERSONAL_NUMBER}),
        ("/jump", {"q": "1234-5678-9018"}),
        ("/shipment/pick/card", {"q": PERSONAL_NUMBER}),
        ("/card/export", {"purpose": f"{PERSONAL_NUMBER}の件", "format": "csv"}),
    ]:
        answer = post(clerk, path, fields)
        page = (
            clerk.get(answer.headers["Location"]).text
            if answer.status_code == 303
            else str(answer.json)
            if answer.is_json
            else answer.text
        )
        assert "個人番号" in page and not _holds_number(page) and not _holds_number(answer.headers.get("Location", "")), path
    told = [row for row in session.scalars(select(OperationLog)) if row.my_number_access is MyNumberAccess.REFUSED]
    assert len(told) == 4 and not any(_holds_number(str(row.detail)) for row in told) and not _holds_number(caplog.text)


def test_the_picker_asks_for_the_right_to_what_it_lists(browse: Browse, session: Session) -> None:
    samples.card(session, name="山田 太郎")
    clerk = browse("staff")
    assert len(post(clerk, "/shipment/pick/card", q="山田").json["rows"]) == 1
    assert (
        post(clerk, "/shipment/pick/name", q="山田").status_code == 404
        and post(clerk, "/shipment/pick/nothing", q="山田").status_code == 404
    )
    role = session.scalars(select(Role).where(Role.name == "staff")).one()
    role.permissions = [p for p in role.permissions if str(p) != "can list on Card"]
    answer = post(clerk, "/shipment/pick/card", q="山田")
    assert answer.status_code == 404 and "山田" not in answer.text


# -- twice, and not at all --------------------------------------------------------------------------------------------


def test_a_form_sent_twice_registers_once(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    sent = {**form(clerk.get("/card/add").text), **CARD}
    first, second = post(clerk, "/card/add", sent), post(clerk, "/card/add", sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert "すでに登録してあります" in clerk.get(second.headers["Location"]).text
    only(session, Card)
    other_tab = {**form(clerk.get("/card/add").text), **CARD}
    assert post(clerk, "/card/add", other_tab).headers["Location"] != first.headers["Location"], "two tabs are two cards"


def test_a_form_sent_twice_at_the_same_moment_registers_once(browse: Browse, session: Session) -> None:
    """Two presses without JavaScript: neither knows of the other, and the number of the card would stop only the second's save."""
    clerk, meet, answers = browse("staff"), threading.Barrier(4, timeout=20), []
    sent = {**form(clerk.get("/card/add").text), **CARD, "csrf_token": token(clerk)}
    cookie = {"Cookie": f"staff={clerk.get_cookie('staff').value}"}  # type: ignore[union-attr]

    def press() -> None:
        meet.wait()
        answers.append(clerk.application.test_client(use_cookies=False).post("/card/add", data=sent, headers=cookie))

    session.commit()
    presses = [threading.Thread(target=press) for _ in range(4)]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join()
    assert [answer.status_code for answer in answers] == [303] * 4
    assert len({answer.headers["Location"] for answer in answers}) == 1
    only(session, Card)


def test_a_form_corrected_after_a_refusal_still_registers_once(browse: Browse, session: Session) -> None:
    clerk = browse("staff")
    refused = fill(clerk, "/card/add", **{**CARD, "name": ""})
    corrected = {**form(refused.text), "name": "山田 太郎"}
    assert [post(clerk, "/card/add", corrected).status_code for _ in range(2)] == [303, 303]
    only(session, Card)


def test_what_is_written_once_has_no_way_to_change_it(browse: Browse, session: Session) -> None:
    keys = one_of_each(session, "sannomiya")
    manager = browse("manager")
    for name in ("card_note", "card_history", "operation_log", "slot", "document_page"):
        for way in ("edit", "delete"):
            assert {
                manager.get(f"/{name}/{way}/{keys[name]}").status_code,
                post(manager, f"/{name}/{way}/{keys[name]}").status_code,
            } <= {404, 405}
    for name in ("card_history", "operation_log", "slot", "reservation"):
        assert post(manager, f"/{name}/add").status_code == 404 and post(manager, f"/{name}/import").status_code == 404
    note = f"/card_note/show/{keys['card_note']}"
    assert "編集" not in manager.get(note).text.split("<main")[1] and post(manager, "/card_note/delete", id="1").status_code in (
        404,
        405,
    )


def test_a_note_is_added_and_stays(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    clerk = browse("staff")
    answer = fill(clerk, f"/card_note/add?card={card.id}", comment="電話で連絡済み\r\n折り返し待ち")
    assert answer.status_code == 303 and "電話で連絡済み" in clerk.get(f"/card/show/{card.id}").text
    note = only(session, CardNote)
    assert (note.card_id, note.comment) == (card.id, "電話で連絡済み\n折り返し待ち") and note.updated_at
    assert session.scalar(select(func.count()).select_from(CardHistory)) == 1, "a note is no change of the card"


def test_a_shipment_is_deleted_by_whoever_saw_its_last_version(browse: Browse, session: Session) -> None:
    card = samples.card(session)
    seen, changed, third = (samples.shipment(session, card).id for _ in range(3))
    clerk = browse("staff")
    stale = form(clerk.get(f"/shipment/show/{changed}").text, "destroy")
    ticked = [f"{third}.1", f"{changed}.1"]
    session.commit()
    session.get_one(Shipment, changed).memo = "返送の連絡あり"
    assert "ほかの人が先に変更しました" in clerk.get(post(clerk, f"/shipment/delete/{changed}", stale).headers["Location"]).text
    post(clerk, "/shipment/delete", id=ticked)
    assert "何も削除していません" in clerk.get("/shipment/list/").text
    assert "選んでください" in clerk.get(post(clerk, "/shipment/delete").headers["Location"]).text
    assert (
        "を削除しました"
        in clerk.get(
            post(clerk, f"/shipment/delete/{seen}", form(clerk.get(f"/shipment/show/{seen}").text, "destroy")).headers["Location"]
        ).text
    )
    session.expire_all()
    assert {row.id for row in session.scalars(select(Shipment))} == {changed, third}
    assert clerk.get(f"/shipment/show/{seen}").status_code == 404
