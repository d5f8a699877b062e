"""届いたメール: in a trial without a mail server, what residents would have got by now, on a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask, current_app, render_template

from app import audit
from app.context import TOKYO
from app.errors import NotFound
from app.extensions import db
from app.serving import MAILS
from views.access import must_have

HOME = "/mails/"
_NAME = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Mail:
    """One mail as a mail program shows it."""

    name: str
    to: str
    subject: str
    date: str
    body: str
    attachments: list[str]


def is_kept() -> bool:
    """Whether mails are kept here instead of being sent."""
    return bool(current_app.config["DEMO"] and not current_app.config["MAIL_URL"])


def register(app: Flask) -> None:
    pages = Blueprint("mails", __name__)
    pages.add_url_rule(HOME, "mails", mails)
    pages.add_url_rule(f"{HOME}<name>", "mail", mail)
    app.register_blueprint(pages)


def mails() -> str:
    _admit()
    audit.declare(db.session(), "mails", "list", "届いたメール（デモ）")
    files = sorted(_folder().glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
    return render_template("panel/mails.html", mails=[_read(file) for file in files])


def mail(name: str) -> str:
    _admit()
    audit.declare(db.session(), "mails", "show", "届いたメール（デモ）")
    file = _folder() / f"{name}.eml"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise NotFound
    return render_template("panel/mails_one.html", mail=_read(file))


def _admit() -> None:
    must_have("can_list", "Outbox")
    if not is_kept():
        raise NotFound


def _folder() -> Path:
    return cast(Path, current_app.config["VAR"]) / MAILS


def _read(file: Path) -> Mail:
    found: Any = message_from_bytes(file.read_bytes(), policy=default)
    message: EmailMessage = found
    body: Any = message.get_body(("plain",))
    names = [str(part.get_filename()) for part in message.iter_attachments()]
    at: datetime = message["Date"].datetime
    when = f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
    return Mail(file.stem, str(message["To"]), str(message["Subject"]), when, body.get_content(), names)
