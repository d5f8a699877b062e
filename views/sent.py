"""A form for a new row makes one row, however often and however closely together it is sent."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import request
from flask_login import current_user
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.context import context
from app.dialects import insert_new
from app.errors import Conflict
from app.schema import Spec
from models import SentForm
from models.base import table_of

SENT = table_of(SentForm)
OTHER = (
    "この画面からは、すでに1件登録しています。戻って書き直した内容は登録していません。"
    "新しく登録するときは「新規登録」から、直すときは登録した情報の「編集」から行ってください。"
)


def before(session: Session, spec: Spec) -> Any:
    """The row that this very form has already made. Of two sent at the same moment the second waits here for the first; a form
    that is refused afterwards is rolled back, its mark here too, and may be sent again. Other words under the same name (somebody
    went back and wrote something else) are refused, not swallowed."""
    if not (name := _name(spec)):
        return None
    values = {"name": name, "digest": _digest(), "sent_at": context(session).now()}
    if session.scalar(insert_new(session, SENT).values(values).returning(SENT.c.name)) is not None:
        return None
    made = session.execute(select(SENT.c.row_id, SENT.c.digest).where(SENT.c.name == name)).one()
    row = session.get(spec.model, made.row_id) if made.row_id is not None else None
    if row is not None and made.digest != values["digest"]:
        raise Conflict(OTHER)
    return row


def remember(session: Session, spec: Spec, row: Any) -> None:
    session.execute(update(SENT).where(SENT.c.name == _name(spec)).values(row_id=row.id))


def _name(spec: Spec) -> str:
    """Whose form of which table; nothing for a form without a name of its own."""
    once = request.form.get("once", "")[:20]
    return f"{current_user.id} {spec.name} {once}" if once else ""


def _digest() -> str:
    entry = sorted((key, value) for key, value in request.form.items(multi=True) if key != "csrf_token")
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()
