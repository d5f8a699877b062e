"""A mail, put together at the moment when it is sent: address, words and dates are those that the tables hold then."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import codes, text
from app.callcenter import CALLCENTERS
from app.context import TOKYO
from app.letters import dates, invitation
from app.letters.phrases import PEOPLE, REASONS, SENDERS, beside, item
from app.letters.places import fill
from app.rules import glossary, outbox
from models import Language, MailKind, MailTemplate, Outbox, Reservation, WaitingEntry, WaitingState


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who writes: the address of the office, and where the residents' site is."""

    address: str
    site: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def compose(session: Session, row: Outbox, sender: Sender, now: datetime) -> EmailMessage | None:
    """The mail of an outbox row; None when it is true no more, or when there is no address to send it to."""
    if row.waiting is not None:
        return _offer(session, row, row.waiting, sender)
    assert row.reservation is not None
    visits = _visits(session, row, row.reservation)
    to = outbox.address_of(session, row.reservation)
    if not to or row.reservation.state not in outbox.CONCERNS[row.kind]:
        return None
    first = visits[0]
    called = glossary.words_in(session, first.language)
    message = _message(session, row, sender, to, first.language, _values(session, row, visits, called, sender))
    message.add_attachment(
        invitation.calendar_of(visits, now, first.language, called),
        maintype="text",
        subtype="calendar",
        filename="yoyaku.ics",
        params={"charset": "utf-8"},
    )
    return message


def _offer(session: Session, row: Outbox, entry: WaitingEntry, sender: Sender) -> EmailMessage | None:
    """The mail to somebody for whom a place is held; nothing when the offer is over."""
    if entry.state is not WaitingState.OFFERED or not entry.email:
        return None
    language, called = entry.language, glossary.words_in(session, entry.language)
    place, what = (called.get(words, words) for words in (entry.counter.name, entry.category.name))
    people = PEOPLE[language].format(entry.people) if entry.people > 1 else ""
    values = {
        "氏名": _line(entry.name),
        "予約番号": str(entry),
        "予約": f"{dates.full(entry.wish_date, language)}\n{place}\n{what} {people}".rstrip(),
        "期限": _moment(entry.offered_until, language) if entry.offered_until else "－",
        "確認ページ": f"{sender.site}/waiting" if sender.site else "－",
        "問い合わせ先": contact(language),
    }
    return _message(session, row, sender, entry.email, language, values)


def _message(session: Session, row: Outbox, sender: Sender, to: str, language: Language, values: dict[str, str]) -> EmailMessage:
    """The mail itself, with the words of its kind and language."""
    template = _template(session, row.kind, language)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(SENDERS[language], addr_spec=sender.address)
    message["To"] = to
    message["Subject"] = " ".join(fill(template.subject, values).split())
    message["Date"] = row.created_at
    message["Message-ID"] = message_id(row, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "ja" if language is Language.EASY else language.value
    message.set_content(fill(template.body, values), charset="utf-8", cte="base64")
    return message


def message_id(row: Outbox, sender: Sender) -> str:
    """The same for every try of one mail, so that a receiver who gets it twice (the worker died between sending and writing that
    down) can tell; another for a mail that a person sends again."""
    mark = f"{row.dedupe_key} {row.detail.get('resent', 0)}"
    return f"<{hashlib.sha256(mark.encode()).hexdigest()[:40]}@{sender.domain}>"


def _visits(session: Session, row: Outbox, first: Reservation) -> Sequence[Reservation]:
    """The reservations that a mail tells of, in their order."""
    together = row.detail.get("reservations", [])
    if row.kind is MailKind.REMINDER and first.group_id:
        of_household = (Reservation.group_id == first.group_id) & (Reservation.booking_date == first.booking_date)
        wanted = select(Reservation).where(of_household, Reservation.state == first.state)
    elif together:
        wanted = select(Reservation).where(Reservation.id.in_(together))
    else:
        return [first]
    return session.scalars(wanted.order_by(Reservation.id)).all()


def _template(session: Session, kind: MailKind, language: Language) -> MailTemplate:
    """The words of a mail in the resident's language."""
    return session.scalars(select(MailTemplate).where(MailTemplate.kind == kind, MailTemplate.language == language)).one()


def _values(
    session: Session, row: Outbox, visits: Sequence[Reservation], called: Mapping[str, str], sender: Sender
) -> dict[str, str]:
    first, language = visits[0], visits[0].language
    before: dict[str, Any] = row.detail.get("before", {})
    return {
        "氏名": _line(first.name),
        "予約番号": str(first),
        "予約": "\n\n".join(_visit(visit, called) for visit in visits),
        "変更前": _slot(before, language, called) if before else "－",
        "持ち物": "\n".join(item(called.get(one, one), language) for one in text.lines(first.category.required_items)) or "－",
        "理由": _reason(session, first, language),
        "期限": _moment(first.held_until, language) if first.held_until else "－",
        "確認ページ": f"{sender.site}/lookup" if sender.site else "－",
        "問い合わせ先": contact(language),
    }


def contact(language: Language) -> str:
    center = CALLCENTERS[language]
    return f"{center.name} {text.phone(center.phone)}{center.note}"


def _visit(row: Reservation, called: Mapping[str, str]) -> str:
    """A visit in the resident's language. Where counter and address have other names in it, the Japanese ones, which stand on the
    signs, follow."""
    counter, when = row.counter, f"{dates.clock(row.start_time)}–{dates.clock(row.end_time)}"
    name, address = (called.get(words, words) for words in (counter.name, counter.address))
    place = beside(name, address, row.language)
    if counter.name in called and row.language is not Language.EASY:
        place += f"\n{counter.name}（{counter.address}）"
    procedure = called.get(row.procedure_name, row.procedure_name)
    return f"{dates.full(row.booking_date, row.language)} {when}\n{place}\n{procedure}\n{_line(row.name)}　{row}"


def _slot(before: dict[str, Any], language: Language, called: Mapping[str, str]) -> str:
    """An earlier time, as `visits.move` wrote it down: day, start, counter."""
    day, start = date.fromisoformat(before["day"]), time.fromisoformat(before["start"])
    return f"{dates.full(day, language)} {dates.clock(start)} {called.get(before['counter'], before['counter'])}"


def _moment(at: datetime, language: Language) -> str:
    local = at.astimezone(TOKYO)
    return f"{dates.full(local.date(), language)} {dates.clock(local.time())}"


def _reason(session: Session, row: Reservation, language: Language) -> str:
    own = REASONS.get(row.state_reason, {}).get(language)
    return own or codes.names(session).get("visit_reason", {}).get(row.state_reason, row.state_reason) or "－"


def _line(words: str) -> str:
    """A text that somebody typed, in one line: nothing typed can begin a new part of the mail."""
    return " ".join(words.split())


__all__ = ["Sender", "compose", "contact"]
