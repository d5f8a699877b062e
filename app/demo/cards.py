"""Rows of cards: runs the steps of a life, each with one history row and its share of the log, and what a clerk forgot."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from random import Random
from typing import Any

from app import text
from app.demo.actors import CONTRACTOR_OF, STAFF_OF, USERS
from app.demo.days import ISO
from app.demo.diary import Diary, Row
from app.demo.lives import Case, Step
from app.demo.papers import Papers
from app.demo.people import Person
from app.demo.pickups import waiting
from app.demo.steps import LABEL, STATE, Draft, Steps

CARD_COLUMNS = (
    "id",
    "application_no",
    "notice_no",
    "state",
    "name",
    "name_kana",
    "birth_date",
    "birth_date_text",
    "sex",
    "postal_code",
    "address",
    "application_date",
    "application_channel",
    "visit_type",
    "issue_kind",
    "registration_reason",
    "handwritten_check",
    "reissue_requested",
    "proxy_posted_date",
    "shelf",
    "issuing_municipality",
    "manufacturing_no",
    "card_status",
    "braille_cert_code",
    "card_expiry",
    "auth_cert_expiry",
    "sign_cert_expiry",
    "auth_cert_serial",
    "managed_from",
    "preset_done",
    "preset_date",
    "substitute_char_used",
    "notice_sent_date",
    "reminder_sent_date",
    "issued_date",
    "issue_done",
    "agent_issue",
    "issue_cancelled",
    "revocation_done",
    "collected_date",
    "disposed_date",
    "disposal_reason",
    "disposal_note",
    "disposal_done",
    "fee_flag",
    "fee_amount",
    "fee_status",
    "fee_collected_date",
    "memo",
    "application_site_id",
    "issue_site_id",
    "storage_site_id",
    "transit_to_id",
    "row_stamp",
    "search_key",
)
_row: Callable[[dict[str, Any]], Row] = itemgetter(*CARD_COLUMNS)
_SITES = ("issue_site_id", "storage_site_id", "transit_to_id")
_NEW: dict[str, Any] = {
    **dict.fromkeys(CARD_COLUMNS),
    "birth_date_text": "",
    "handwritten_check": 0,
    "reissue_requested": 0,
    "shelf": "",
    "issuing_municipality": "281000",
    "card_status": "",
    "preset_done": 0,
    "substitute_char_used": 0,
    "issue_done": 0,
    "agent_issue": "self",
    "issue_cancelled": 0,
    "revocation_done": 0,
    "disposal_done": 0,
    "fee_flag": "free",
    "fee_amount": 0,
    "fee_status": "exempt",
    "memo": "",
    "disposal_note": "",
    "row_stamp": 1,
    "state": "",
}

# step: (its name in the history, the state it leads to or "" when it leaves the state, who does it)
STEPS: dict[str, tuple[str, str, dict[str, str]]] = {
    "register": ("登録", "applied", CONTRACTOR_OF),
    "arrive": ("到着", "arrived", CONTRACTOR_OF),
    "preset": ("交付前設定", "preset", STAFF_OF),
    "notify": ("交付通知", "notified", CONTRACTOR_OF),
    "mail": ("郵送", "mailed", CONTRACTOR_OF),
    "return": ("返戻", "returned", CONTRACTOR_OF),
    "remind": ("督促", "reminded", STAFF_OF),
    "issue": ("交付", "issued", STAFF_OF),
    "cancel": ("交付取りやめ", "cancelled", STAFF_OF),
    "revoke": ("失効処理", "revoked", STAFF_OF),
    "collect": ("回収", "collected", STAFF_OF),
    "dispose": ("廃棄", "disposed", STAFF_OF),
    "send": ("移送", "", STAFF_OF),
    "reissue": ("再発行依頼", "", STAFF_OF),
}
# Steps done for many cards at once: one act, one row of the log.
BATCHED = {"arrive": ("card", "import"), **dict.fromkeys(("notify", "mail", "remind"), ("shipment", "print"))}
_TEXT_DATES = ("昭和20年頃", "不詳", "明治45年以前", "1951年（月日不明）")


class _Heads(dict[tuple[str, str, str], tuple[str, str, str]]):
    """(step, state before, user) → the beginning of its history event, the change of state in words, the state after."""

    def __missing__(self, key: tuple[str, str, str]) -> tuple[str, str, str]:
        what, before, by = key
        action, to, _who = STEPS[what]
        was, after = f'"{before}"' if before else "null", to or before
        moved = f'"{LABEL["state"]}": ["{STATE.get(before, "")}", "{STATE[after]}"]' if after != before else ""
        head = (
            f'{{"action": "{action}", "from": {was}, "to": "{after}", "by": "{by}", "by_name": "{USERS[by].name}", "changes": {{'
        )
        made = self[key] = (head, moved, after)
        return made


class Cards:
    """Writes the cards of a case. `made` is the number of the last one."""

    def __init__(
        self, rng: Random, diary: Diary, cut: int, sites: dict[str, tuple[int, str]], ref_of: Callable[[int], str]
    ) -> None:
        self._ref_of = ref_of
        self._random, self._diary, self._cut = rng.random, diary, cut
        self._papers = Papers(rng.random, diary, cut)
        self._steps = steps = Steps(rng, diary, self._papers, cut, sites)
        self._apply = {"return": steps.come_back} | {what: getattr(steps, what) for what in STEPS if what != "return"}
        self._heads = _Heads()
        self.made = 0
        self.rows: list[Row] = []
        self.waiting: list[Row] = []  # for the tickets, see `app.demo.pickups`

    def write(self, case: Case) -> None:
        case.steps.sort(key=itemgetter(0))
        for n, person in enumerate(case.members):
            self._write_one(case, person, n * 90)

    def _write_one(self, case: Case, person: Person, later: int) -> None:
        self.made += 1
        columns = {
            **_NEW,
            "id": self.made,
            "name": person.name,
            "name_kana": person.kana,
            "birth_date": ISO[person.birth],
            "sex": person.sex,
        }
        draft = Draft(self.made, case, person, columns)
        last_day = last_second = 0
        for day, second, what, more in case.steps:
            if day >= self._cut:
                break
            second = max(second + later, last_second + 60) if day == last_day else second + later
            self._step(draft, (day, second, what, more))
            last_day, last_second = day, second
        self._spoil(draft)
        columns["search_key"] = text.placed(person.key, (columns[site] for site in _SITES))
        self._papers.send(draft.postings, case, person, self.made)
        self.rows.append(_row(columns))
        if (row := waiting(columns, self._ref_of)) is not None:
            self.waiting.append(row)

    def _step(self, draft: Draft, step: Step) -> None:
        """Applies one step and records it."""
        day, second, what, more = step
        by = STEPS[what][2][draft.case.site]
        head, moved, to = self._heads[what, draft.columns["state"], by]
        changes = self._apply[what](draft, day, second, more)
        draft.columns["state"] = to
        changes = f"{moved}, {changes}" if moved and changes else moved or changes
        self._diary.history(day, (second, f"{head}{changes}}}}}", draft.id))
        if what in BATCHED:
            self._diary.batch(day, by, *BATCHED[what])
        elif what == "register":
            self._log(draft.id, day, second, by, "add", "追加", draft.masked)
        else:
            self._log(draft.id, day, second, by, "edit", "変更", changes)

    def _log(self, n: int, day: int, second: int, by: str, verb: str, kind: str, changes: str) -> None:
        if verb == "edit" and self._random() < 0.6:
            self._diary.log(day, second - 100, by, "card", "show", f'{{"番号": {n}}}', n)
        detail = f'{{"番号": {n}, "変更": [{{"対象": "カード", "番号": {n}, "種別": "{kind}", "項目": {{{changes}}}}}], "変更件数": 1}}'
        self._diary.log(day, second, by, "card", verb, detail, n)

    def _spoil(self, draft: Draft) -> None:
        """What a clerk forgot or mistyped."""
        columns = draft.columns
        match draft.case.oddity:
            case "destroyed_without_date":
                columns.update(disposed_date=None, disposal_reason=None)
            case "destroyed_without_check":
                columns["disposal_done"] = 0
            case "issued_without_check":
                columns["issue_done"] = 0
            case "checked_without_date":
                columns["issued_date"] = None
            case "fee_not_collected":
                columns.update(fee_collected_date=None, fee_status="due")
            case "stored_elsewhere":
                columns["storage_site_id"] = self._steps.elsewhere(draft.case)[0]
            case "no_birth_date":
                columns.update(birth_date=None, birth_date_text=_TEXT_DATES[draft.id % len(_TEXT_DATES)])
