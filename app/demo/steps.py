"""What each step of a card's life sets, posts and files; it says in words what changed, for the history and the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.demo import card_numbers as numbers
from app.demo.actors import STAFF_OF
from app.demo.days import ISO, shown
from app.demo.diary import Diary
from app.demo.lives import Case
from app.demo.papers import Papers, Posting
from app.demo.people import Person
from app.masters_seed import CODE_LISTS
from app.schema import spec_of
from models import Card, CardState
from models.cards import DisposalReason

LABEL = {key: part.label for key, part in spec_of(Card).parts.items()}  # type: ignore[union-attr]
STATE = {state.value: state.label for state in CardState}
_DISPOSAL = {reason.value: reason.label for reason in DisposalReason}
_KIND, _REASON = ({value: name for value, name, _ in CODE_LISTS[key]} for key in ("issue_kind", "registration_reason"))


def _changes(*keys: str, flags: tuple[str, ...] = ()) -> str:
    """A pattern for the columns that a step fills: {label: [before, after]} without its braces."""
    filled = [f'"{LABEL[key]}": ["", "%s"]' for key in keys]
    return ", ".join([*filled, *(f'"{LABEL[key]}": ["いいえ", "はい"]' for key in flags)])


_REGISTERED = _changes("application_no", "name", "address", "birth_date", "application_date", "issue_kind", "registration_reason")
_ARRIVED = _changes(
    "managed_from",
    "manufacturing_no",
    "card_expiry",
    "auth_cert_expiry",
    "sign_cert_expiry",
    "auth_cert_serial",
    "braille_cert_code",
    "storage_site",
    "shelf",
)
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
_CERTIFICATES = 200
_CANCEL_NOTES = {
    "cancelled": "本人から取りやめの申し出。",
    "moved_out": "市外へ転出したため、申請は無効。",
    "death": "死亡の届出あり。",
    "unclaimed": "督促後3か月を過ぎても受け取りがないため、取りやめとする。",
}
_NOTES = (
    "電話で来庁日を案内した。",
    "本人から住所の部屋番号の訂正の申し出。",
    "受け取りは家族と一緒に来庁予定。",
    "旧姓併記の希望あり。住民票を確認済み。",
    "点字の氏名表記を確認した。",
    "暗証番号の設定方法を説明した。",
    "通知の届く時期について問い合わせあり。月末頃と回答。",
    "代理人による受け取りの相談。必要書類を案内した。",
)
_MEMOS = (
    "要通訳（英語）",
    "車いす",
    "平日昼間は連絡不可",
    "旧氏併記",
    "写真の撮り直しあり",
    "手話通訳を手配",
    "同居の家族とまとめて交付",
)


@dataclass(slots=True)
class Draft:
    """A card in the making: its number, its columns so far, and the postings of its life."""

    id: int
    case: Case
    person: Person
    columns: dict[str, Any]
    masked: str = ""  # the registration in words, as the log may keep it
    postings: list[Posting] = field(default_factory=list)


class Steps:
    """One method per step; each takes the draft, the moment and what else the plan says, and returns the changes in words."""

    def __init__(self, rng: Random, diary: Diary, papers: Papers, cut: int, sites: dict[str, tuple[int, str]]) -> None:
        self._rng, self._random, self._diary, self._papers, self._cut, self._sites = rng, rng.random, diary, papers, cut, sites
        self._codes = list(sites)

    def note(self, draft: Draft, day: int, second: int, words: str) -> None:
        self._diary.note(day, (second + 30, words, draft.id))
        self._diary.log(day, second + 30, STAFF_OF[draft.case.site], "card_note", "add", '{"変更件数": 1}', draft.id)

    def elsewhere(self, case: Case) -> tuple[int, str]:
        """The next satellite after a case's own."""
        return self._sites[self._codes[(self._codes.index(case.site) + 1) % len(self._codes)]]

    def register(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        case, r = draft.case, self._random
        handwritten = case.oddity == "handwritten" or r() < 0.004
        site = self._sites[case.site][0]
        draft.columns.update(
            application_no=None if handwritten else numbers.application_no(draft.id, ISO[day]),
            handwritten_check=int(handwritten),
            postal_code=case.home.postal_code,
            address=case.home.full,
            application_date=ISO[day],
            application_channel=case.channel,
            visit_type=case.visit_type,
            issue_kind=case.kind,
            registration_reason=case.reason,
            application_site_id=site,
            issue_site_id=site,
            proxy_posted_date=ISO[day] if case.channel == "proxy_post" else None,
            **self._fee(case),
        )
        if r() < 0.03:
            draft.columns["memo"] = _MEMOS[int(r() * len(_MEMOS))]
        if r() < 0.004:
            draft.columns["sex"] = (None, "unknown", "not_applicable")[draft.id % 3]
        if r() < 0.05:
            self.note(draft, day, second, _NOTES[int(r() * len(_NOTES))])
        self._file_application(draft, day, second)
        return self._registered(draft, day)

    def _fee(self, case: Case) -> dict[str, Any]:
        amount = 2000 if case.kind == "express" else _FEES.get(case.reason, 0) if case.kind == "reissue" else 0
        if amount:
            without = _CERTIFICATES if self._random() < 0.06 else 0
            return {"fee_flag": "paid", "fee_amount": amount - without, "fee_status": "due"}
        return {"fee_status": "waived"} if case.kind == "reissue" and case.reason in _WAIVED else {}

    def _file_application(self, draft: Draft, day: int, second: int) -> None:
        case = draft.case
        if case.is_walk_in or case.channel == "proxy_post":
            kinds = ("application", "identity") if case.is_walk_in else ("application",)
            self._papers.file(kinds, "issue" if case.kind == "new" else "reissue", day, second, case, draft.person, draft.id)

    def _registered(self, draft: Draft, day: int) -> str:
        case, person = draft.case, draft.person
        number, end = draft.columns["application_no"] or "", (shown(day), _KIND[case.kind], _REASON[case.reason])
        draft.masked = _REGISTERED % (number, "＊＊＊", "＊＊＊", "＊＊＊", *end)
        return _REGISTERED % (number, person.name, draft.columns["address"], shown(person.birth), *end)

    def arrive(self, draft: Draft, day: int, _second: int, _more: Any) -> str:
        case, columns, bits = draft.case, draft.columns, self._rng.getrandbits(64)
        site, site_name = self._sites[case.site]
        card, auth, sign = numbers.expiries(
            draft.person, case.applied, day - 6, renewal=case.kind == "renewal", stay=self._stay(draft, day)
        )
        columns.update(
            manufacturing_no=numbers.manufacturing_no(bits),
            card_status="issued_stock",
            card_expiry=ISO[card],
            auth_cert_expiry=ISO[auth],
            sign_cert_expiry=ISO[sign] if sign else None,
            auth_cert_serial=numbers.serial(self._rng),
            managed_from=ISO[day],
            braille_cert_code=(4 if sign is None else 6) + ((bits >> 54 & 1023) < 3),
            storage_site_id=site,
            shelf=f"{numbers.LETTERS[bits >> 50 & 7]}-{1 + bits % 40:02d}-{1 + bits % 9}",
        )
        return _ARRIVED % (
            shown(day),
            columns["manufacturing_no"],
            shown(card),
            shown(auth),
            shown(sign) if sign else "",
            columns["auth_cert_serial"],
            columns["braille_cert_code"],
            site_name,
            columns["shelf"],
        )

    def _stay(self, draft: Draft, day: int) -> int:
        """The end of a foreign resident's stay; that of an odd case lies just before the cut."""
        if draft.case.oddity == "expires_first":
            return max(day + 3, self._cut - 1 - int(20 * self._random()))
        return day + 300 + int(1500 * self._random()) if draft.person.foreign and self._random() < 0.7 else 0

    def preset(self, draft: Draft, day: int, _second: int, _more: Any) -> str:
        draft.columns.update(preset_done=1, preset_date=ISO[day], substitute_char_used=int(draft.person.substitute))
        return _PRESET % shown(day)

    def notify(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        draft.columns.update(notice_sent_date=ISO[day], notice_no=numbers.notice_no(draft.id))
        self._papers.post(draft.postings, "notice", day, second)
        return _NOTIFIED % (shown(day), draft.columns["notice_no"])

    def mail(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        """本人限定受取 or 簡易書留; a second posting goes the same way."""
        kind = "card_honnin" if self._random() < 0.7 else "card_kani"
        self._papers.post(draft.postings, draft.postings[-1].kind if draft.postings else kind, day, second)
        _leave(draft)
        return ""

    def come_back(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        self._papers.came_back(draft.postings[-1], day)
        self._keep(draft)
        if self._random() < 0.6:
            self.note(draft, day, second, "返戻。住所を確認し、再発送または窓口交付を案内する。")
        return ""

    def remind(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        draft.columns["reminder_sent_date"] = ISO[day]
        self._papers.post(draft.postings, "reminder", day, second)
        return _REMINDED % shown(day)

    def issue(self, draft: Draft, day: int, second: int, more: Any) -> str:
        columns, delivered = draft.columns, more == "delivered"
        columns.update(issued_date=ISO[day], issue_done=1, card_status="active", notice_no=None)
        if columns["fee_flag"] == "paid":
            columns.update(fee_collected_date=ISO[day], fee_status="refunded" if self._random() < 0.01 else "collected")
        if not delivered:
            columns["agent_issue"] = self._agent(draft.person, day)
        _leave(draft)
        self._papers.file(_handed_over(draft, delivered=delivered), "issue", day, second, draft.case, draft.person, draft.id)
        return _ISSUED % shown(day)

    def _agent(self, person: Person, day: int) -> str:
        if day - person.birth < 15 * 365:
            return "legal"
        return "voluntary" if self._random() < 0.02 else "self"

    def cancel(self, draft: Draft, day: int, second: int, more: Any) -> str:
        draft.columns.update(issue_cancelled=1, notice_no=None)
        self.note(draft, day, second, _CANCEL_NOTES[more])
        if more == "moved_out":
            self._papers.post(draft.postings, "other", day, second)
        return _CANCELLED

    def revoke(self, draft: Draft, day: int, second: int, more: Any) -> str:
        draft.columns.update(revocation_done=1, card_status="revoked")
        if more == "lost":
            self.note(draft, day, second, "紛失の届出。一時停止を確認し、失効処理。")
        return _REVOKED

    def collect(self, draft: Draft, day: int, _second: int, _more: Any) -> str:
        draft.columns["collected_date"] = ISO[day]
        self._keep(draft)
        return _COLLECTED % shown(day)

    def dispose(self, draft: Draft, day: int, _second: int, more: Any) -> str:
        draft.columns.update(disposed_date=ISO[day], disposal_reason=more, disposal_done=1)
        _leave(draft)
        return _DISPOSED % (shown(day), _DISPOSAL[more])

    def send(self, draft: Draft, day: int, second: int, _more: Any) -> str:
        """Leaves for another satellite, where it is to be handed over."""
        site, name = self.elsewhere(draft.case)
        _leave(draft)
        draft.columns.update(transit_to_id=site, issue_site_id=site)
        self.note(draft, day, second, f"本人の希望により{name}へ移送。")
        return _SENT % name

    def reissue(self, draft: Draft, _day: int, _second: int, _more: Any) -> str:
        draft.columns["reissue_requested"] = 1
        return _REISSUED

    def _keep(self, draft: Draft) -> None:
        """Back on the shelf."""
        if draft.columns["storage_site_id"] is None:
            draft.columns.update(storage_site_id=self._sites[draft.case.site][0], shelf=f"R-{1 + draft.id % 20:02d}")


def _leave(draft: Draft) -> None:
    draft.columns.update(storage_site_id=None, shelf="")


def _handed_over(draft: Draft, *, delivered: bool) -> tuple[str, ...]:
    """Papers that are scanned after a card has reached its owner."""
    if delivered:
        return () if draft.case.is_walk_in else ("other",)
    return ("answer", "identity") if draft.columns["agent_issue"] == "self" else ("answer", "identity", "agency")
