"""Rows of cards: each step of a life sets its columns, leaves one history row and one log row, and may post or file papers."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from random import Random
from typing import Any

from app.demo import days
from app.demo.actors import CONTRACTOR_OF, STAFF_OF, USERS
from app.demo.days import ISO, shown
from app.demo.diary import Diary, Row
from app.demo.lives import Case, Step
from app.demo.papers import Papers, Posting
from app.demo.people import Person
from app.schema import spec_of
from models import Card, CardState

CARD_COLUMNS = (
    "id", "application_no", "notice_no", "state", "name", "name_kana", "birth_date", "birth_date_text", "sex", "postal_code", "address",
    "application_date", "application_channel", "visit_type", "issue_kind", "registration_reason", "handwritten_check", "reissue_requested",
    "proxy_posted_date", "shelf", "issuing_municipality", "manufacturing_no", "card_status", "braille_cert_code", "card_expiry",
    "auth_cert_expiry", "sign_cert_expiry", "auth_cert_serial", "managed_from", "preset_done", "preset_date", "substitute_char_used",
    "notice_sent_date", "reminder_sent_date", "issued_date", "issue_done", "agent_issue", "issue_cancelled", "revocation_done",
    "collected_date", "disposed_date", "disposal_reason", "disposal_done", "fee_flag", "fee_amount", "fee_status", "fee_collected_date",
    "memo", "application_site_id", "issue_site_id", "storage_site_id", "transit_to_id", "row_stamp", "search_key")
_row: Callable[[dict[str, Any]], Row] = itemgetter(*CARD_COLUMNS)

_STATE = {state.value: state.label for state in CardState}
_LABEL = {key: part.label for key, part in spec_of(Card).parts.items()}  # type: ignore[union-attr]

# step: (its name in the history, the state it leads to or "" when it leaves the state, who does it)
STEPS: dict[str, tuple[str, str, dict[str, str]]] = {
    "register": ("登録", "applied", CONTRACTOR_OF), "arrive": ("到着", "arrived", CONTRACTOR_OF),
    "preset": ("交付前設定", "preset", STAFF_OF), "notify": ("交付通知", "notified", CONTRACTOR_OF),
    "mail": ("郵送", "mailed", CONTRACTOR_OF), "return": ("返戻", "returned", CONTRACTOR_OF),
    "remind": ("督促", "reminded", STAFF_OF), "issue": ("交付", "issued", STAFF_OF), "cancel": ("交付取りやめ", "cancelled", STAFF_OF),
    "revoke": ("失効処理", "revoked", STAFF_OF), "collect": ("回収", "collected", STAFF_OF), "dispose": ("廃棄", "disposed", STAFF_OF),
    "send": ("移送", "", STAFF_OF), "reissue": ("再発行依頼", "", STAFF_OF),
}
# Steps done for many cards at once: one act, one row of the log.
BATCHED = {"arrive": ("card", "import"), "notify": ("shipment", "print"), "mail": ("shipment", "print"), "remind": ("shipment", "print")}
_NEW: dict[str, Any] = {
    **dict.fromkeys(CARD_COLUMNS), "birth_date_text": "", "handwritten_check": 0, "reissue_requested": 0, "shelf": "",
    "issuing_municipality": "281000", "card_status": "", "preset_done": 0, "substitute_char_used": 0, "issue_done": 0, "agent_issue": "self",
    "issue_cancelled": 0, "revocation_done": 0, "disposal_done": 0, "fee_flag": "free", "fee_amount": 0, "fee_status": "exempt", "memo": "",
    "row_stamp": 1, "state": "",
}


def _changes(*keys: str, flags: tuple[str, ...] = ()) -> str:
    """A pattern for the columns that a step fills: {label: [before, after]} without its braces."""
    filled = [f'"{_LABEL[key]}": ["", "%s"]' for key in keys]
    return ", ".join([*filled, *(f'"{_LABEL[key]}": ["いいえ", "はい"]' for key in flags)])


_REGISTERED = _changes("application_no", "name", "address", "birth_date", "application_date", "issue_kind", "registration_reason")
_ARRIVED = _changes("managed_from", "manufacturing_no", "card_expiry", "auth_cert_expiry", "sign_cert_expiry", "auth_cert_serial",
                    "braille_cert_code", "storage_site", "shelf")
_PRESET = _changes("preset_date", flags=("preset_done",))
_NOTIFIED = _changes("notice_sent_date", "notice_no")
_REMINDED = _changes("reminder_sent_date")
_ISSUED = _changes("issued_date", flags=("issue_done",))
_CANCELLED = _changes(flags=("issue_cancelled",))
_REVOKED = _changes(flags=("revocation_done",))
_COLLECTED = _changes("collected_date")
_DISPOSED = _changes("disposed_date", "disposal_reason", flags=("disposal_done",))
_REISSUED = _changes(flags=("reissue_requested",))
_SENT = _changes("transit_to")

_FEES = {"lost": 1000, "damaged": 1000}
_WAIVED = ("burnt", "defective")
_MAJORITY = days.number(days.date(2022, 4, 1))
_NOTICE_SPACE = 24**3 * 1_000_000
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_CANCEL_NOTES = {"cancelled": "本人から取りやめの申し出。", "moved_out": "市外へ転出したため、申請は無効。", "death": "死亡の届出あり。",
                 "unclaimed": "督促後3か月を過ぎても受け取りがないため、取りやめとする。"}
_NOTES = ("電話で来庁日を案内した。", "本人から住所の部屋番号の訂正の申し出。", "受け取りは家族と一緒に来庁予定。", "旧姓併記の希望あり。住民票を確認済み。",
          "点字の氏名表記を確認した。", "暗証番号の設定方法を説明した。", "通知の届く時期について問い合わせあり。月末頃と回答。", "代理人による受け取りの相談。必要書類を案内した。")
_MEMOS = ("要通訳（英語）", "車いす", "平日昼間は連絡不可", "旧氏併記", "写真の撮り直しあり", "手話通訳を手配", "同居の家族とまとめて交付")
_TEXT_DATES = ("昭和20年頃", "不詳", "明治45年以前", "1951年（月日不明）")


def serial(rng: Random) -> str:
    """A certificate serial in hex, with a letter after every seven digits at most (no run looks like a 個人番号)."""
    n = rng.getrandbits(60)
    return f"{n & 0xFFFFFFF:07X}A{n >> 28 & 0xFFFFFFF:07X}{'BCDEF'[n % 5]}"


def notice_no(n: int) -> str:
    """交付通知書番号: three letters and six digits, never the same for two cards."""
    letters, digits = divmod(n * 4_567_890_131 % _NOTICE_SPACE, 1_000_000)
    return f"{_LETTERS[letters // 576]}{_LETTERS[letters // 24 % 24]}{_LETTERS[letters % 24]}{digits:06d}"


def expiries(person: Person, applied: int, made: int, *, renewal: bool, stay: int) -> tuple[int, int, int | None]:
    """Card, 利用者証明用 and 署名用 expiry [domain §2, rules A and B]; `stay` is a foreign resident's last day, or 0."""
    birth, made_on = days.day_of(person.birth), days.day_of(made)
    adult = days.birthday(birth.month, birth.day, birth.year + (18 if applied >= _MAJORITY else 20))
    is_minor = applied < days.number(adult)
    card = days.number(days.birthday_after(birth, made_on, (5 if is_minor else 10) + renewal))
    if stay:
        card = min(card, stay)
    certificate = min(days.number(days.birthday_after(birth, made_on, 5 + renewal)), card)
    under_15 = made < days.number(days.birthday(birth.month, birth.day, birth.year + 15))
    return card, certificate, None if under_15 else certificate


class _Heads(dict[tuple[str, str, str], tuple[str, str, str]]):
    """(step, state before, user) → the beginning of its history event, the change of state in words, the state after."""

    def __missing__(self, key: tuple[str, str, str]) -> tuple[str, str, str]:
        what, before, by = key
        action, to, _who = STEPS[what]
        was, after = f'"{before}"' if before else "null", to or before
        moved = f'"{_LABEL["state"]}": ["{_STATE.get(before, "")}", "{_STATE[after]}"]' if after != before else ""
        head = (f'{{"action": "{action}", "from": {was}, "to": "{after}", "by": "{by}", "by_name": "{USERS[by].name}", "changes": {{')
        made = self[key] = (head, moved, after)
        return made


class Cards:
    """Writes the cards of a case: one row each, its history, its log and its papers."""

    def __init__(self, rng: Random, diary: Diary, cut: int, sites: dict[str, tuple[int, str]]) -> None:
        self._rng, self._random, self._diary, self._cut, self._sites = rng, rng.random, diary, cut, sites
        self._codes = list(sites)
        self._papers = Papers(rng.random, diary, cut)
        self._heads = _Heads()
        self.made = 0
        self.rows: list[Row] = []
        self._apply = {"arrive": self._arrive, "preset": self._preset, "notify": self._notify, "mail": self._mail, "return": self._return,
                       "remind": self._remind, "issue": self._issue, "cancel": self._cancel, "revoke": self._revoke,
                       "collect": self._collect, "dispose": self._dispose, "send": self._send, "reissue": self._reissue,
                       "register": self._register}

    def write(self, case: Case) -> None:
        case.steps.sort(key=itemgetter(0))
        for n, person in enumerate(case.members):
            self._write_one(case, person, n * 90)

    def _write_one(self, case: Case, person: Person, later: int) -> None:
        self.made += 1
        card = {**_NEW, "id": self.made, "search_key": person.key, "name": person.name, "name_kana": person.kana,
                "birth_date": ISO[person.birth], "sex": person.sex}
        self._case, self._person, self._postings = case, person, list[Posting]()
        last = (0, 0)
        for day, second, what, more in case.steps:
            if day >= self._cut:
                break
            second = max(second + later, last[1] + 60) if day == last[0] else second + later
            self._step(card, (day, second, what, more))
            last = (day, second)
        self._spoil(card)
        self._papers.send(self._postings, case, person, self.made)
        self.rows.append(_row(card))

    def _step(self, card: dict[str, Any], step: Step) -> None:
        """Applies one step and records it."""
        day, second, what, more = step
        before, by = card["state"], STEPS[what][2][self._case.site]
        head, moved, to = self._heads[what, before, by]
        changes = self._apply[what](card, day, second, more)
        card["state"] = to
        changes = f"{moved}, {changes}" if moved and changes else moved or changes
        self._diary.history(day, (second, f"{head}{changes}}}}}", self.made))
        if what in BATCHED:
            self._diary.batch(day, by, *BATCHED[what])
        elif what == "register":
            self._log(day, second, by, "add", "追加", self._masked)
        else:
            self._log(day, second, by, "edit", "変更", changes)

    def _log(self, day: int, second: int, by: str, verb: str, kind: str, changes: str) -> None:
        n = self.made
        if verb == "edit" and self._random() < 0.6:
            self._diary.log(day, second - 100, by, "card", "show", f'{{"番号": {n}}}', n)
        self._diary.log(day, second, by, "card", verb, f'{{"番号": {n}, "変更": [{{"対象": "カード", "番号": {n}, "種別": "{kind}", '
                                                        f'"項目": {{{changes}}}}}], "変更件数": 1}}', n)

    def _note(self, day: int, second: int, words: str) -> None:
        self._diary.note(day, (second + 30, words, self.made))
        self._diary.log(day, second + 30, STAFF_OF[self._case.site], "card_note", "add", '{"変更件数": 1}', self.made)

    # What each step sets.

    def _register(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        case, person, r, n = self._case, self._person, self._random, self.made
        handwritten = case.oddity == "handwritten" or r() < 0.004
        site = self._sites[case.site][0]
        card.update(application_no=None if handwritten else f"2810{ISO[day].replace('-', '')}{n * 7_368_787_171 % 10**11:011d}",
                    postal_code=case.home.postal_code, address=case.home.full, application_date=ISO[day],
                    application_channel=case.channel, visit_type=case.visit_type, issue_kind=case.kind, registration_reason=case.reason,
                    handwritten_check=int(handwritten), application_site_id=site, issue_site_id=site,
                    proxy_posted_date=ISO[day] if case.channel == "proxy_post" else None)
        self._set_fee(card)
        if r() < 0.03:
            card["memo"] = _MEMOS[int(r() * len(_MEMOS))]
        if r() < 0.004:
            card["sex"] = (None, "unknown", "not_applicable")[n % 3]
        if case.is_walk_in or case.channel == "proxy_post":
            kinds = ("application", "identity") if case.is_walk_in else ("application",)
            self._papers.file(kinds, "issue" if case.kind == "new" else "reissue", day, second, case, person, n)
        if r() < 0.05:
            self._note(day, second, _NOTES[int(r() * len(_NOTES))])
        number, iso = card["application_no"] or "", shown(day)
        self._masked = _REGISTERED % (number, "＊＊＊", "＊＊＊", "＊＊＊", iso, case.kind, case.reason)
        return _REGISTERED % (number, person.name, card["address"], shown(person.birth), iso, case.kind, case.reason)

    def _set_fee(self, card: dict[str, Any]) -> None:
        case = self._case
        amount = 2000 if case.kind == "express" else _FEES.get(case.reason, 0) if case.kind == "reissue" else 0
        if amount:
            without_certificates = 200 if self._random() < 0.06 else 0
            card.update(fee_flag="paid", fee_amount=amount - without_certificates, fee_status="due")
        elif case.kind == "reissue" and case.reason in _WAIVED:
            card["fee_status"] = "waived"

    def _arrive(self, card: dict[str, Any], day: int, _second: int, _more: Any) -> str:
        case, person, rng = self._case, self._person, self._rng
        expiry, auth, sign = expiries(person, case.applied, day - 6, renewal=case.kind == "renewal", stay=self._stay(day))
        bits = rng.getrandbits(64)
        card.update(
            manufacturing_no=f"{_LETTERS[bits % 24]}{_LETTERS[bits >> 5 & 15]}{(bits >> 9) % 10**8:08d}K{(bits >> 36) % 10**5:05d}",
            card_status="issued_stock", card_expiry=ISO[expiry], auth_cert_expiry=ISO[auth], sign_cert_expiry=ISO[sign] if sign else None,
            auth_cert_serial=serial(rng), braille_cert_code=(4 if sign is None else 6) + (bits >> 54 < 3), managed_from=ISO[day],
            storage_site_id=self._sites[case.site][0], shelf=f"{_LETTERS[bits >> 50 & 7]}-{1 + bits % 40:02d}-{1 + bits % 9}")
        return _ARRIVED % (shown(day), card["manufacturing_no"], shown(expiry), shown(auth), shown(sign) if sign else "",
                           card["auth_cert_serial"], card["braille_cert_code"], self._sites[case.site][1], card["shelf"])

    def _stay(self, day: int) -> int:
        """The end of a foreign resident's stay; that of an odd case lies just before the cut."""
        if not self._person.foreign:
            return 0
        if self._case.oddity == "expires_first":
            return max(day + 3, self._cut - int(20 * self._random()))
        return day + 300 + int(1500 * self._random()) if self._random() < 0.7 else 0

    def _preset(self, card: dict[str, Any], day: int, _second: int, _more: Any) -> str:
        card.update(preset_done=1, preset_date=ISO[day], substitute_char_used=int(self._person.substitute))
        return _PRESET % shown(day)

    def _notify(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        card.update(notice_sent_date=ISO[day], notice_no=notice_no(self.made))
        self._keep(card)
        self._papers.post(self._postings, "notice", day, second)
        return _NOTIFIED % (shown(day), card["notice_no"])

    def _mail(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        kind = "card_honnin" if self._random() < 0.7 else "card_kani"
        self._papers.post(self._postings, self._postings[-1].kind if self._postings else kind, day, second)
        self._leave(card)
        return ""

    def _return(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        self._papers.came_back(self._postings[-1], day)
        self._keep(card)
        if self._random() < 0.6:
            self._note(day, second, "返戻。住所を確認し、再発送または窓口交付を案内する。")
        return ""

    def _remind(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        card["reminder_sent_date"] = ISO[day]
        self._papers.post(self._postings, "reminder", day, second)
        return _REMINDED % shown(day)

    def _issue(self, card: dict[str, Any], day: int, second: int, more: Any) -> str:
        case, person = self._case, self._person
        if more != "delivered":
            card["agent_issue"] = "legal" if day - person.birth < 15 * 365 else "voluntary" if self._random() < 0.02 else "self"
        card.update(issued_date=ISO[day], issue_done=1, card_status="active", notice_no=None)
        if card["fee_flag"] == "paid":
            card.update(fee_collected_date=ISO[day], fee_status="refunded" if self._random() < 0.01 else "collected")
        self._leave(card)
        agency = () if card["agent_issue"] == "self" else ("agency",)
        kinds = ("other",) if more == "delivered" and not case.is_walk_in else ("answer", "identity", *agency) if more != "delivered" else ()
        self._papers.file(kinds, "issue", day, second, case, person, self.made)
        return _ISSUED % shown(day)

    def _cancel(self, card: dict[str, Any], day: int, second: int, more: Any) -> str:
        card.update(issue_cancelled=1, notice_no=None)
        self._note(day, second, _CANCEL_NOTES[more])
        return _CANCELLED

    def _revoke(self, card: dict[str, Any], day: int, second: int, more: Any) -> str:
        card.update(revocation_done=1, card_status="revoked")
        if more == "lost":
            self._note(day, second, "紛失の届出。一時停止を確認し、失効処理。")
        return _REVOKED

    def _collect(self, card: dict[str, Any], day: int, _second: int, _more: Any) -> str:
        card["collected_date"] = ISO[day]
        self._keep(card)
        return _COLLECTED % shown(day)

    def _dispose(self, card: dict[str, Any], day: int, _second: int, more: Any) -> str:
        card.update(disposed_date=ISO[day], disposal_reason=more, disposal_done=1)
        self._leave(card)
        return _DISPOSED % (shown(day), more)

    def _send(self, card: dict[str, Any], day: int, second: int, _more: Any) -> str:
        """Leaves for another satellite, where it is to be handed over."""
        site, name = self._elsewhere()
        self._leave(card)
        card.update(transit_to_id=site, issue_site_id=site)
        self._note(day, second, f"本人の希望により{name}へ移送。")
        return _SENT % name

    def _reissue(self, card: dict[str, Any], _day: int, _second: int, _more: Any) -> str:
        card["reissue_requested"] = 1
        return _REISSUED

    def _elsewhere(self) -> tuple[int, str]:
        return self._sites[self._codes[(self._codes.index(self._case.site) + 1) % len(self._codes)]]

    def _keep(self, card: dict[str, Any]) -> None:
        if card["storage_site_id"] is None:
            card.update(storage_site_id=self._sites[self._case.site][0], shelf=f"R-{1 + self.made % 20:02d}")

    def _leave(self, card: dict[str, Any]) -> None:
        card.update(storage_site_id=None, shelf="")

    def _spoil(self, card: dict[str, Any]) -> None:
        """What a clerk forgot or mistyped."""
        match self._case.oddity:
            case "destroyed_without_date":
                card.update(disposed_date=None, disposal_reason=None)
            case "destroyed_without_check":
                card["disposal_done"] = 0
            case "issued_without_check":
                card["issue_done"] = 0
            case "checked_without_date":
                card["issued_date"] = None
            case "fee_not_collected":
                card.update(fee_collected_date=None, fee_status="due")
            case "stored_elsewhere":
                card["storage_site_id"] = self._elsewhere()[0]
            case "no_birth_date":
                card.update(birth_date=None, birth_date_text=_TEXT_DATES[self.made % len(_TEXT_DATES)])
