"""送信メール: written with its act, sent once, tried again, given up visibly; nothing that somebody typed can change what a mail is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import acting, system
from app.errors import AppError
from app.extensions import db
from app.jobs import mail
from app.letters import places, texts
from app.letters.mail import Sender, compose
from app.letters.sample import preview
from app.rules import bookings, holds, outbox, sending, visits
from app.rules.visits import ACTS, Reason
from models import Channel, Language, MailKind, MailState, MailTemplate, Outbox, Reservation, ReservationState
from tests.booking_pages import free_slot
from tests.test_booking_rules import PERSON, RNG, category, request
from tests.test_catalogues import leftover
from tests.test_holds import SON

NOW = datetime.now(UTC)
SENDER = Sender(address="yoyaku@city.example", site="https://yoyaku.example")
Opener = Callable[[str], AbstractContextManager[Session]]


def person(email: str = "hanako@example.jp", **values: Any) -> bookings.Applicant:
    return bookings.Applicant(**{**vars(PERSON), "email": email, **values})


def booked(session: Session, **values: Any) -> Reservation:
    slot = free_slot(session, hour=10)
    wish = request(slot, **{"applicant": person(), **values})
    return session.get_one(Reservation, holds.confirm(session, wish, NOW, rng=RNG))


def waiting(session: Session) -> list[Outbox]:
    session.flush()
    session.expire_all()
    return list(session.scalars(select(Outbox).order_by(Outbox.id)))


def opener(session: Session) -> Opener:
    """A worker's transactions, in the session of the test."""

    @contextmanager
    def opened(_name: str) -> Iterator[Session]:
        session.commit()
        session.expire_all()
        yield session
        session.commit()

    return opened


class Postman:
    """Takes mails, or refuses them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken: list[EmailMessage] = []
        self.error = error

    def __call__(self, message: EmailMessage) -> None:
        if self.error:
            raise self.error
        self.taken.append(message_from_bytes(bytes(message), policy=default))


def deliver(session: Session, post: mail.Post, now: datetime = NOW) -> int:
    return mail.deliver(opener(session), post, SENDER, lambda: now)


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    return str(body.get_content())


# -- written with the act ---------------------------------------------------------------------------------------------


def test_a_booking_writes_its_mail_and_the_same_form_no_second_one(session: Session) -> None:
    slot = free_slot(session)
    wish = request(slot, applicant=person())
    for _ in range(2):
        holds.confirm(session, wish, NOW, rng=RNG)
    (row,) = waiting(session)
    assert (row.kind, row.state, row.dedupe_key) == (MailKind.CONFIRMED, MailState.WAITING, f"confirmed:{row.reservation_id}")


def test_who_left_no_address_gets_no_mail(session: Session) -> None:
    booked(session, applicant=PERSON)
    assert waiting(session) == []


def test_what_is_rolled_back_writes_no_mail(session: Session) -> None:
    session.commit()
    booked(session)
    session.rollback()
    assert waiting(session) == []


def test_changes_and_cancellation_each_tell_once(session: Session) -> None:
    row = booked(session)
    for hour in (11, 13):
        visits.move(session, row, free_slot(session, hour=hour).id, (Channel.WEB,), NOW)
    visits.perform(session, ACTS["cancel"], row, NOW, Reason("own"))
    assert [told.kind for told in waiting(session)] == [
        MailKind.CONFIRMED,
        MailKind.CHANGED,
        MailKind.CHANGED,
        MailKind.CANCELLED,
    ]


def test_a_closure_apologises(session: Session) -> None:
    visits.perform(session, ACTS["cancel"], booked(session), NOW, Reason("closure"))
    assert waiting(session)[-1].kind is MailKind.CLOSED


def test_a_household_gets_one_mail_that_names_everybody(session: Session) -> None:
    category(session).max_party = 2
    row = booked(session, others=(SON,))
    (told,) = waiting(session)
    message = compose(session, told, SENDER, NOW)
    assert message and message["To"] == "hanako@example.jp"
    assert all(str(member) in words(message) and member.name in words(message) for member in visits.household(session, row))


def test_reminders_are_written_once_from_nine_o_clock_for_those_who_booked_earlier(session: Session) -> None:
    row = booked(session)
    row.requested_date = row.booking_date - timedelta(days=3)
    session.flush()
    eve = datetime.combine(row.booking_date - timedelta(days=1), datetime.min.time(), UTC)
    early, nine = eve - timedelta(hours=1), eve + timedelta(minutes=5)  # in Kobe 8:00 and 9:05
    assert [outbox.remind(session, moment) for moment in (early, nine, nine)] == [0, 1, 0]
    row.requested_date = row.booking_date - timedelta(days=1)  # booked yesterday, the confirmation is fresh
    session.execute(Outbox.__table__.delete())  # type: ignore[attr-defined]
    session.flush()
    assert outbox.remind(session, nine) == 0


# -- sent -------------------------------------------------------------------------------------------------------------


def test_what_is_due_is_sent_and_marked(session: Session) -> None:
    booked(session)
    post = Postman()
    assert [deliver(session, post), deliver(session, post)] == [1, 0]
    (row,), (message,) = waiting(session), post.taken
    assert (row.state, row.sent_at, row.attempts) == (MailState.SENT, NOW, 1)
    assert (message["To"], message["From"].addresses[0].addr_spec) == ("hanako@example.jp", SENDER.address)
    assert str(row.reservation) in message["Subject"] and PERSON.name in words(message)
    assert "https://yoyaku.example/lookup" in words(message)


def test_the_calendar_beside_it_holds_the_visit(session: Session) -> None:
    row = booked(session)
    post = Postman()
    deliver(session, post)
    (part,) = post.taken[0].iter_attachments()
    event: Any
    (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert (part.get_content_type(), part.get_filename()) == ("text/calendar", "yoyaku.ics")
    assert (event["DTSTART"].dt.hour, event["DTSTART"].dt.utcoffset()) == (row.start_time.hour, timedelta(hours=9))
    assert row.counter.name in str(event["LOCATION"])


@pytest.mark.parametrize("tries", [1, 7, 8])
def test_a_server_that_is_away_is_tried_ever_more_seldom_and_given_up_visibly(session: Session, tries: int) -> None:
    booked(session)
    moment, pauses = NOW, []
    for _ in range(tries):
        deliver(session, Postman(ConnectionRefusedError()), moment)
        (row,) = waiting(session)
        pauses.append(int((row.due_at - moment).total_seconds() // 60))
        assert deliver(session, Postman(), moment) == 0  # not before it is due
        moment = row.due_at
    assert pauses == [2**n for n in range(tries)]
    assert (row.state, row.last_error, row.attempts) == (
        MailState.DEAD if tries == sending.MOST else MailState.WAITING,
        "ConnectionRefusedError",
        tries,
    )
    assert deliver(session, Postman(), moment) == (0 if tries == sending.MOST else 1)


def test_a_mail_that_was_overtaken_is_not_sent(session: Session) -> None:
    visits.perform(session, ACTS["cancel"], booked(session), NOW, Reason("own"))
    post = Postman()
    deliver(session, post)
    assert [row.state for row in waiting(session)] == [MailState.DROPPED, MailState.SENT]
    assert len(post.taken) == 1


def test_a_worker_that_dies_between_sending_and_noting_sends_the_same_mail_again(session: Session) -> None:
    booked(session)
    post = Postman()

    def die(message: EmailMessage) -> None:
        post(message)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(session, die)
    session.rollback()
    assert deliver(session, post) == 0  # it is still lent to the one that died
    assert deliver(session, post, NOW + sending.LEASE + timedelta(seconds=1)) == 1
    assert len({message["Message-ID"] for message in post.taken}) == 1


def test_what_a_person_sends_again_is_another_mail(session: Session) -> None:
    booked(session)
    post = Postman()
    deliver(session, post)
    outbox.resend(session, waiting(session)[0], NOW)
    deliver(session, post)
    assert len({message["Message-ID"] for message in post.taken}) == 2
    with pytest.raises(AppError):
        outbox.resend(session, booked_and_waiting(session), NOW)


def booked_and_waiting(session: Session) -> Outbox:
    slot = free_slot(session, hour=15)
    holds.confirm(session, request(slot, "b" * 43, applicant=person(phone="0781111111")), NOW, rng=RNG)
    return waiting(session)[-1]


class Mailbox:
    """A mail server that answers in its own way."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer, self.letters = answer, []  # type: ignore[var-annotated]

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - its own name
        if self.answer.startswith("250"):
            self.letters.append((envelope.rcpt_tos, envelope.content))
        return self.answer


@contextmanager
def mail_server(box: Mailbox) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        server.stop()


def test_a_real_mail_server_gets_it(session: Session) -> None:
    booked(session, applicant=person("a..b.@docomo.example"))
    box = Mailbox()
    with mail_server(box) as url:
        assert deliver(session, mail.by_smtp(url)) == 1
    ((to, letter),) = box.letters
    assert to[0].replace('"', "") == "a..b.@docomo.example"
    assert "予約を受け付けました" in message_from_bytes(letter, policy=default)["Subject"]


@pytest.mark.parametrize(("answer", "noted"), [("451 try later", "SMTP 451"), ("550 no such user hanako@example.jp", "SMTP 550")])
def test_what_a_server_refuses_is_noted_without_the_address(session: Session, answer: str, noted: str) -> None:
    booked(session)
    with mail_server(Mailbox(answer)) as url:
        assert deliver(session, mail.by_smtp(url)) == 0
    (row,) = waiting(session)
    assert (row.last_error, row.state) == (noted, MailState.WAITING)


def test_two_workers_send_each_mail_once(session: Session, resident_app: Flask) -> None:
    for n in range(6):
        slot = free_slot(session, hour=9 + n)
        holds.confirm(session, request(slot, f"{n:043}", applicant=person(phone=f"078123456{n}")), NOW, rng=RNG)
    session.commit()
    taken: list[int] = []

    def work() -> None:
        with resident_app.app_context(), acting(db.session(), system("送信")):
            taken.extend(sending.lease(db.session(), NOW))
            db.session.commit()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted({row.id for row in waiting(session)})


# -- words ------------------------------------------------------------------------------------------------------------


def test_every_kind_has_its_words_in_every_language(session: Session) -> None:
    there = {(row.kind, row.language) for row in session.scalars(select(MailTemplate))}
    assert there == {(kind, language) for kind in MailKind for language in Language}
    for _, row in texts.rows():
        assert places.unknown(row.subject + row.body) == []
        assert "{" not in preview(row.subject, row.body, row.language).body


@pytest.mark.parametrize("language", list(Language))
def test_a_mail_is_in_the_language_of_the_booking(session: Session, language: Language) -> None:
    booked(session, language=language)
    post = Postman()
    deliver(session, post)
    assert texts.WORDS[language].leads[MailKind.CONFIRMED][1] in words(post.taken[0])


@pytest.mark.parametrize("language", list(Language))
def test_nothing_in_a_mail_is_in_another_language(session: Session, language: Language) -> None:
    """But the name of the counter as it stands on its door, with its address."""
    row = booked(session, language=language, applicant=person(name="NGUYEN VAN AN"))
    visits.move(session, row, free_slot(session, hour=11).id, (Channel.WEB,), NOW)
    visits.perform(session, ACTS["cancel"], row, NOW, Reason("own"))
    session.commit()
    for mail_row in waiting(session):
        row.state = ReservationState.CANCELLED if mail_row.kind is MailKind.CANCELLED else ReservationState.BOOKED
        message = compose(session, mail_row, SENDER, NOW)
        assert message
        said = words(message).replace(f"{row.counter.name}（{row.counter.address}）", "")
        assert leftover(said + str(message["Subject"]) + str(message["From"]), language) == "", said
        for part in message.iter_attachments():
            (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
            assert leftover(str(event["SUMMARY"]) + str(event["DESCRIPTION"]), language) == ""


def test_only_known_words_may_be_saved(session: Session) -> None:
    row = session.scalars(select(MailTemplate)).first()
    assert row
    for wrong in ("{なまえ}", "{氏名", "氏名}", "{{氏名}}"):
        row.body = f"こんにちは {wrong}"
        with pytest.raises(AppError) as refused:
            session.flush()
        assert refused.value.field == "body"


HOSTILE = "神戸\r\nBcc: all@example.jp {予約番号}"


def test_nothing_typed_can_add_a_line_to_the_head_or_be_filled_in(session: Session) -> None:
    booked(session, applicant=person(name=HOSTILE))
    template = session.scalars(
        select(MailTemplate).where(MailTemplate.kind == MailKind.CONFIRMED, MailTemplate.language == Language.JA)
    ).one()
    template.subject = "{氏名} 様"
    post = Postman()
    assert deliver(session, post) == 1
    (message,) = post.taken
    assert message["Bcc"] is None
    assert message["Subject"] == "神戸 Bcc: all@example.jp {予約番号} 様"


def test_dates_carry_both_calendars(session: Session) -> None:
    from app.letters import dates

    day = date(2026, 12, 2)
    assert dates.full(day, Language.JA) == "2026年（令和8年）12月2日（水）"
    assert dates.full(day, Language.EN) == "Wednesday, 2 December 2026 (Reiwa 8)"
    assert all("2026" in dates.full(day, language) and "8" in dates.full(day, language) for language in Language)
