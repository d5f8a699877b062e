"""The postman: takes mails out of the outbox, hands them to the mail server (or keeps them, in a trial), and notes what became of each."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from app import faults
from app.letters.mail import Sender, compose
from app.rules import sending
from models import Outbox

Post = Callable[[EmailMessage], None]
Opener = Callable[[str], AbstractContextManager[Session]]
NAME = "メールの送信"
TIMEOUT = 20  # seconds for each answer of the mail server
KEPT_MAILS = 200  # of a trial

log = logging.getLogger(__name__)


def deliver(opener: Opener, post: Post, sender: Sender, now: Callable[[], datetime]) -> int:
    """Sends what is due, each mail in a transaction of its own; says how many went."""
    with opener(NAME) as session:
        numbers = sending.lease(session, now())
    faults.reach("mail.leased")
    return sum(_deliver_one(opener, post, sender, number, now) for number in numbers)


def _deliver_one(opener: Opener, post: Post, sender: Sender, number: int, now: Callable[[], datetime]) -> bool:
    with opener(NAME) as session:
        row = session.get_one(Outbox, number)
        attempts, message = row.attempts, compose(session, row, sender, now())
    # No transaction is open while the mail server answers: it may take its time, and on SQLite everybody would wait.
    why = _posted(post, message) if message else ""
    faults.reach("mail.posted")
    with opener(NAME) as session:
        if message is None:
            sending.dropped(session, number)
        elif why:
            sending.failed(session, number, attempts, why, now())
        else:
            sending.sent(session, number, now())
    return bool(message and not why)


def _posted(post: Post, message: EmailMessage) -> str:
    """Why the mail could not be sent; empty when it was. The address, which servers like to repeat, is left out."""
    try:
        post(message)
    except smtplib.SMTPResponseException as error:
        return f"SMTP {error.smtp_code}"
    except smtplib.SMTPRecipientsRefused as error:
        return f"SMTP {next(iter(error.recipients.values()))[0]}（宛先）"
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        log.warning("a mail could not be sent: %s", type(error).__name__)
        return type(error).__name__
    return ""


def by_smtp(url: str) -> Post:
    """Hands mails to a server: `smtp://`, `smtps://` or `smtp+starttls://`, with name and password where the address has them."""
    at = urlsplit(url)
    host = at.hostname or "localhost"

    def post(message: EmailMessage) -> None:
        with _connected(at.scheme, host, at.port) as server:
            if at.username:
                server.login(unquote(at.username), unquote(at.password or ""))
            server.send_message(message)

    return post


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    safe = ssl.create_default_context()
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT, context=safe)
    server = smtplib.SMTP(host, port or 25, timeout=TIMEOUT)
    if scheme == "smtp+starttls":
        server.starttls(context=safe)
    return server


def into_folder(folder: Path) -> Post:
    """Keeps mails as files instead of sending them: how a trial shows what residents would get. The oldest make room."""

    def post(message: EmailMessage) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        (folder / f"{name}.eml").write_bytes(bytes(message))
        for old in sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime)[:-KEPT_MAILS]:
            old.unlink(missing_ok=True)

    return post
