"""Adding, changing and deleting one row, the same way in both panels: nothing is lost silently, nothing is half saved."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from flask import request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app import audit
from app.constraints import explain
from app.context import Context, context
from app.errors import AppError, NotFound
from app.listing import whole
from app.schema import Part, Spec
from views.forms import SpecForm, raw


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


def load(session: Session, spec: Spec, key: str) -> Any:
    """The row with this key, if it exists and lies in the person's scope."""
    row = get(session, spec.model, key)
    if row is None:
        raise NotFound
    return row


def get(session: Session, model: Any, key: str) -> Any:
    """As `load`, with None for a row that is not there."""
    number = whole(key, model.__table__.c.id.type)
    return session.get(model, number) if number is not None else None


def add(session: Session, spec: Spec, form_type: type[SpecForm]) -> Outcome:
    form = form_type(request.form).bind(session)  # type: ignore[arg-type]
    audit.declare(session, spec.name, "add", spec.label)
    if not _valid(session, form):
        return Outcome(form)
    row = spec.model()
    form.fill(row)
    session.add(row)
    return Outcome(form, row, saved=_flushed(session, form))


def edit(session: Session, spec: Spec, row: Any, form_type: type[SpecForm]) -> Outcome:
    """Saves a changed row, unless somebody saved it since this form was opened: then both versions are laid side by side."""
    form = form_type(request.form, obj=row).bind(session)  # type: ignore[arg-type]
    audit.declare(session, spec.name, "edit", spec.label, 番号=row.id).application_id = audit.card_of(row)
    if not _valid(session, form):
        return Outcome(form, row)
    if spec.has_version and request.form.get("row_stamp") != str(row.row_stamp):
        return Outcome(form, row, clashes=_clashes(form, row))
    keep_theirs = {name.removeprefix("choice-") for name, word in request.form.items() if name.startswith("choice-") and word == "theirs"}
    for name in keep_theirs & set(form._fields):
        del form[name]
    key = row.id
    try:
        form.fill(row)
        return Outcome(form, row, saved=_flushed(session, form))
    except StaleDataError:
        session.rollback()
        row = load(session, spec, str(key))
        return Outcome(form, row, clashes=_clashes(form, row))


def delete(session: Session, spec: Spec, row: Any) -> str:
    """Deletes a row; returns why not, if not."""
    audit.declare(session, spec.name, "delete", spec.label, 番号=row.id).application_id = audit.card_of(row)
    if spec.has_version and request.form.get("row_stamp") not in (None, "", str(row.row_stamp)):
        return "ほかの人が先に変更しました。内容を確かめてから、もう一度削除してください。"
    session.delete(row)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        return explain(error)
    return ""


def _valid(session: Session, form: SpecForm) -> bool:
    current: Context = context(session)
    good = form.validate()
    if not good and current.act:
        current.act.detail["入力エラー"] = [f.part.label for f in form if f.errors]
        current.act.personal_number = form.has_personal_number
    return good


def _flushed(session: Session, form: SpecForm) -> bool:
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


def base_of(form: SpecForm, row: Any) -> str:
    """元の値: what the form was opened with; it travels in the form so that a clash can show all three versions."""
    return json.dumps({p.key: raw(p, getattr(row, p.key)) for p in form.parts}, ensure_ascii=False)


def _clashes(form: SpecForm, row: Any) -> list[Clash]:
    try:
        base: dict[str, str] = json.loads(request.form.get("base", "{}"))
    except ValueError:
        base = {}
    found = []
    for part in form.parts:
        mine, theirs, before = raw(part, _mine(form, part)), raw(part, getattr(row, part.key)), str(base.get(part.key, ""))
        if mine != theirs:
            found.append(Clash(part, _words(form, part, before), part.shown(getattr(row, part.key)), part.shown(_mine(form, part)), mine, before,
                               both=mine != before and theirs != before))
    return found


def _mine(form: SpecForm, part: Part) -> Any:
    field_ = form[part.key]
    return [field_.rows[k] for k in field_.data or () if k in field_.rows] if part.is_many else field_.data


def _words(form: SpecForm, part: Part, value: str) -> str:
    """A raw value in words, as far as the form knows them."""
    if part.shape == "flag":
        return part.shown(value == "1")
    choices = dict(getattr(form[part.key], "choices", None) or ())
    return str(choices.get(value, value))
