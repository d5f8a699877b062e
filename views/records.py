"""Adding, changing and deleting one row, the same way in both panels: nothing is lost silently, nothing is half saved."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any, cast

from flask import request
from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import audit, codes
from app.constraints import explain
from app.context import context
from app.dialects import insert_new
from app.errors import AppError, NotFound
from app.listing import whole
from app.schema import Part, Spec
from app.text import has_personal_number
from models import CodeItem, SentForm
from views.forms import SpecForm, raw

SENT = cast(Table, SentForm.__table__)
CHANGED = "ほかの人が先に変更しました。内容を確かめてから、もう一度削除してください。"
IN_USE = "ほかのデータから使われているため、削除できません。これから使わないときは「使用中」を外してください。"


@dataclass
class Clash:
    """One field of two people's versions of a row."""

    part: Part
    base: str
    theirs: str
    mine: str
    mine_raw: str
    base_raw: str
    both: bool


@dataclass
class Outcome:
    """What became of a form: the saved row, or why not yet."""

    form: SpecForm
    row: Any = None
    saved: bool = False
    clashes: list[Clash] = field(default_factory=list)


@dataclass(frozen=True)
class Opened:
    """What a form was opened with: the version of the row and 元の値. Both travel in it, unchanged by its refusals, so that a clash
    is noticed however often the form is sent, and can show all three versions. A new row's form has a name that is used once."""

    stamp: str = ""
    base: str = ""
    once: str = ""


def load(session: Session, spec: Spec, key: str) -> Any:
    """The row with this key, if it exists and lies in the person's scope. Asking for another is a refusal, and logged as one."""
    row = get(session, spec.model, key)
    if row is None:
        is_key = whole(key, spec.model.__table__.c.id.type) is not None and not has_personal_number(key)
        audit.declare(session, spec.name, "refused", spec.label, 番号=key if is_key else "番号でない文字")
        raise NotFound
    return row


def get(session: Session, model: Any, key: str) -> Any:
    """As `load`, with None for a row that is not there."""
    number = whole(key, model.__table__.c.id.type)
    return session.get(model, number) if number is not None else None


def opened(form: SpecForm, row: Any) -> Opened:
    """What a form on a stored row is opened with."""
    base = json.dumps({p.key: raw(p, getattr(row, p.key)) for p in form.parts}, ensure_ascii=False)
    return Opened(stamp=str(getattr(row, "row_stamp", "")), base=base)


def opened_new() -> Opened:
    return Opened(once=secrets.token_urlsafe(9))


def still_open() -> Opened:
    """What the form that was just sent had been opened with."""
    return Opened(stamp=request.form.get("row_stamp", ""), base=request.form.get("base", ""), once=request.form.get("once", ""))


def sent_before(session: Session, spec: Spec) -> Any:
    """The row that this very form has already made. Of two sent at the same moment the second waits here for the first; a form
    that is refused afterwards is rolled back, its mark here too, and may be sent again."""
    if not (name := _sent_as(spec)):
        return None
    mark = insert_new(session, SENT).values(name=name, sent_at=context(session).now()).returning(SENT.c.name)
    if session.scalar(mark) is not None:
        return None
    key = session.scalar(select(SENT.c.row_id).where(SENT.c.name == name))
    return session.get(spec.model, key) if key is not None else None


def remember_sent(session: Session, spec: Spec, row: Any) -> None:
    session.execute(update(SENT).where(SENT.c.name == _sent_as(spec)).values(row_id=row.id))


def _sent_as(spec: Spec) -> str:
    once = request.form.get("once", "")[:20]
    return f"{spec.name} {once}" if once else ""


def add(session: Session, spec: Spec, form_type: type[SpecForm]) -> Outcome:
    form = form_type(request.form).bind(session)
    audit.declare(session, spec.name, "add", spec.label)
    if not is_valid(session, form):
        return Outcome(form)
    row = spec.model()
    form.fill(row)
    session.add(row)
    saved = is_flushed(session, form)
    if saved:
        remember_sent(session, spec, row)
    return Outcome(form, row, saved=saved)


def edit(session: Session, spec: Spec, row: Any, form_type: type[SpecForm]) -> Outcome:
    """Saves a changed row, unless somebody saved it since this form was opened: then both versions are laid side by side."""
    form = form_type(request.form, obj=row).bind(session)
    audit.declare(session, spec.name, "edit", spec.label, 番号=row.id).application_id = audit.card_of(row)
    keep_theirs = {
        name.removeprefix("choice-") for name, word in request.form.items() if name.startswith("choice-") and word == "theirs"
    }
    for name in keep_theirs & set(form._fields):
        del form[name]  # what a form does not hold it leaves alone
    if not is_valid(session, form):
        return Outcome(form, row)
    if spec.has_version and request.form.get("row_stamp") != str(row.row_stamp):
        return _clashed(session, form, row)
    key = row.id
    try:
        form.fill(row)
        return Outcome(form, row, saved=is_flushed(session, form))
    except StaleDataError:
        session.rollback()
        return _clashed(session, form, load(session, spec, str(key)))


def _clashed(session: Session, form: SpecForm, row: Any) -> Outcome:
    """Both versions side by side; nothing to decide where both people entered the same."""
    found = _clashes(session, form, row)
    return Outcome(form, row, saved=not found, clashes=found)


def delete(session: Session, spec: Spec, row: Any, stamp: str) -> str:
    """Deletes a row; returns why not, if not. `stamp` is the version of it that the person saw."""
    act = audit.declare(session, spec.name, "delete", spec.label, 番号=row.id)
    act.application_id = audit.card_of(row)
    problem = CHANGED if spec.has_version and stamp != str(row.row_stamp) else _deleted(session, row)
    if problem:
        act.detail["結果"] = problem
    return problem


def _deleted(session: Session, row: Any) -> str:
    if isinstance(row, CodeItem) and codes.is_used(session, row):
        return IN_USE
    session.delete(row)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        return explain(error)
    except StaleDataError:
        session.rollback()
        return CHANGED
    return ""


def is_valid(session: Session, form: SpecForm) -> bool:
    good = bool(form.validate())
    if not good:
        note_errors(session, [f for f in form if f.errors])
    return good


def note_errors(session: Session, boxes: list[Any]) -> None:
    """Tells the log which fields were refused (never what was in them), and whether it was for a 個人番号."""
    if act := context(session).act:
        act.detail["入力エラー"] = [f.part.label for f in boxes]
        act.personal_number = any("個人番号" in str(e) for f in boxes for e in f.errors)


def is_flushed(session: Session, form: SpecForm) -> bool:
    """Writes to the database; what it refuses becomes a sentence over the form, with everything typed still there."""
    act = context(session).act
    try:
        session.flush()
        return True
    except IntegrityError as error:
        session.rollback()
        form.general_error = explain(error)
    except AppError as error:
        session.rollback()
        form.general_error = error.message
    if act:
        act.detail["入力エラー"] = form.general_error
    return False


def _clashes(session: Session, form: SpecForm, row: Any) -> list[Clash]:
    base, found = _base(), []
    for box in form:
        part = box.part
        mine, theirs, before = raw(part, _mine(box)), raw(part, getattr(row, part.key)), str(base.get(part.key, ""))
        if mine != theirs:
            shown = [_words(session, box, value) for value in (before, theirs, mine)]
            found.append(Clash(part, shown[0], shown[1], shown[2], mine, before, both=mine != before and theirs != before))
    return found


def _base() -> dict[str, Any]:
    try:
        found = json.loads(request.form.get("base", ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _mine(box: Any) -> Any:
    return [box.rows[k] for k in box.data or () if k in box.rows] if box.part.is_many else box.data


def _words(session: Session, box: Any, value: str) -> str:
    """A raw value as people read it."""
    part, choices = box.part, dict(getattr(box, "choices", None) or ())
    if part.shape == "flag":
        return str(part.shown(value == "1"))
    if part.shape == "many":
        return "、".join(str(choices.get(key, key)) for key in value.split(",") if key)
    if part.shape == "codes":
        return codes.names(session).get(part.field.codes, {}).get(value, value)
    if part.shape == "relation" and value not in choices and (row := get(session, part.target, value)) is not None:
        return str(row)
    return str(choices.get(value, value))
