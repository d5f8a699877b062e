"""Adding, changing and deleting one row, the same way in both panels: nothing is lost silently, nothing is half saved."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import MultiDict

from app import audit
from app.constraints import flushed
from app.context import context
from app.criteria import whole
from app.errors import NotFound
from app.parts import Part
from app.plans import PREPARED
from app.schema import Spec
from app.text import has_personal_number
from views import clashes, inline, sent
from views.forms import SpecForm, form_class

CHANGED = "ほかの人が先に変更しました。内容を確かめてから、もう一度削除してください。"


@dataclass
class Sheet:
    """What a person fills in: the form of a row, and the lines of its child rows."""

    form: SpecForm
    below: list[inline.Lines]

    @property
    def fields(self) -> list[Any]:
        """Every field that counts, those of empty and removed lines left out."""
        return [*self.form, *(field for lines in self.below for line in lines.kept for field in line.form)]

    @property
    def wrong(self) -> list[Any]:
        return [field for field in self.fields if field.errors]

    @property
    def complaints(self) -> list[tuple[str, str]]:
        """(name of the field, sentence) of everything to be corrected, each sentence once."""
        found = {str(error): f.name for f in reversed(self.wrong) for error in f.errors[:1]}
        return [(name, sentence) for sentence, name in reversed(found.items())]

    def is_valid(self) -> bool:
        """Checks everything, so that every error shows at once."""
        wrong = [form for form in (self.form, *(line.form for lines in self.below for line in lines.kept)) if not form.validate()]
        return not wrong

    def is_stale(self, row: Any, spec: Spec) -> bool:
        own = spec.has_version and request.form.get("row_stamp") != str(row.row_stamp)
        return own or any(lines.is_stale for lines in self.below)

    def leave(self, names: set[str]) -> None:
        """What a form does not hold it leaves alone."""
        for form in (self.form, *(line.form for lines in self.below for line in lines.lines)):
            for key in [key for key, field in form._fields.items() if field.name in names]:
                del form[key]

    def save(self, session: Session, row: Any, *, is_new: bool = False) -> bool:
        """Writes parent and child rows, all or nothing; a refusal stands beside the field of the very line that it is about."""
        with session.no_autoflush:
            dropped = [lines for lines in self.below if lines.drop(row)]
            if dropped and not self._is_flushed(session, self.form):
                return False
            self.form.fill(row)
            if is_new:
                session.add(row)
            if not self._is_flushed(session, self.form):
                return False
            for lines in self.below:
                for line in lines.kept:
                    lines.put(line, row)
                    if not self._is_flushed(session, line.form):
                        return False
        return True

    def _is_flushed(self, session: Session, form: SpecForm) -> bool:
        refusal = flushed(session)
        if refusal is None:
            return True
        guilty = [form[key] for key in refusal.keys if key in form._fields]
        for field in guilty:
            field.errors = [*field.errors, refusal.sentence]
        if not guilty:
            self.form.general_error = refusal.sentence
        return False


@dataclass
class Outcome:
    """What became of a sheet: the saved row, or why not yet."""

    sheet: Sheet
    row: Any = None
    saved: bool = False
    clashes: list[clashes.Clash] | None = None


@dataclass(frozen=True)
class Opened:
    """What a sheet was opened with: the version of the row and 元の値. Both travel in it, unchanged by its refusals, so that a clash
    is noticed however often the sheet is sent, and can show all three versions. A new row's sheet has a name that is used once."""

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
    return session.get(model, number, execution_options=PREPARED) if number is not None else None


def blank(session: Session, spec: Spec, form_type: type[SpecForm], begins: dict[str, Any]) -> Sheet:
    """The sheet of a row that is not there yet."""
    return Sheet(form_type(data=begins).bind(session), _below(session, spec, None))


def stored(session: Session, spec: Spec, row: Any, form_type: type[SpecForm]) -> Sheet:
    """The sheet of a row as it is."""
    return Sheet(form_type(obj=row).bind(session), _below(session, spec, row))


def _posted(session: Session, spec: Spec, row: Any, form_type: type[SpecForm]) -> Sheet:
    return Sheet(form_type(request.form, obj=row).bind(session), _below(session, spec, row))


def _below(session: Session, spec: Spec, row: Any) -> list[inline.Lines]:
    return [inline.read(session, child, row) for child in inline.children(spec)]


def opened(sheet: Sheet, row: Any) -> Opened:
    """What a sheet on a stored row is opened with."""
    return Opened(stamp=str(getattr(row, "row_stamp", "")), base=clashes.base_of(sheet.fields))


def opened_new() -> Opened:
    return Opened(once=secrets.token_urlsafe(9))


def still_open() -> Opened:
    """What the sheet that was just sent had been opened with."""
    return Opened(stamp=request.form.get("row_stamp", ""), base=request.form.get("base", ""), once=request.form.get("once", ""))


def add(session: Session, spec: Spec, form_type: type[SpecForm]) -> Outcome:
    """Makes a row with its child rows, all or nothing."""
    sheet = _posted(session, spec, None, form_type)
    audit.declare(session, spec.name, "add", spec.label)
    if not sheet.is_valid():
        return _noted(session, Outcome(sheet))
    row = spec.model()
    saved = sheet.save(session, row, is_new=True)
    if saved:
        sent.remember(session, spec, row)
    return _noted(session, Outcome(sheet, row, saved=saved))


def edit(session: Session, spec: Spec, row: Any, form_type: type[SpecForm]) -> Outcome:
    """Saves a changed row, unless somebody saved it since this sheet was opened: then both versions are laid side by side."""
    sheet = _posted(session, spec, row, form_type)
    audit.declare(session, spec.name, "edit", spec.label, 番号=row.id).application_id = audit.card_of(row)
    sheet.leave(clashes.left_to_them())
    if not sheet.is_valid():
        return _noted(session, Outcome(sheet, row))
    if sheet.is_stale(row, spec):
        return _clashed(session, sheet, row)
    key = row.id
    try:
        return _noted(session, Outcome(sheet, row, saved=sheet.save(session, row)))
    except StaleDataError:
        session.rollback()
        again = load(session, spec, str(key))
        return _clashed(session, _posted(session, spec, again, form_type), again)


def edit_cell(session: Session, spec: Spec, row: Any, part: Part) -> Outcome:
    """Saves one column of a row, as posted by a list that shows this version of it."""
    audit.declare(session, spec.name, "edit", spec.label, 番号=row.id, 画面="一覧")
    entry = MultiDict({part.key: request.form.get("value", "")})
    sheet, key = Sheet(form_class(spec, [part])(entry, obj=row).bind(session), []), row.id
    if sheet.is_stale(row, spec):
        return Outcome(sheet, row, clashes=[])
    if not sheet.is_valid():
        return _noted(session, Outcome(sheet, row))
    try:
        return _noted(session, Outcome(sheet, row, saved=sheet.save(session, row)))
    except StaleDataError:
        session.rollback()
        return Outcome(sheet, load(session, spec, str(key)), clashes=[])


def _clashed(session: Session, sheet: Sheet, row: Any) -> Outcome:
    """Both versions side by side; nothing to decide where both people entered the same."""
    found = clashes.between(session, sheet.fields)
    lost = sum(lines.lost for lines in sheet.below)
    return Outcome(sheet, row, saved=not found and not lost, clashes=found)


def delete(session: Session, spec: Spec, row: Any, stamp: str) -> str:
    """Deletes a row; returns why not, if not. `stamp` is the version of it that the person saw."""
    act = audit.declare(session, spec.name, "delete", spec.label, 番号=row.id)
    act.application_id = audit.card_of(row)
    problem = CHANGED if spec.has_version and stamp != str(row.row_stamp) else _deleted(session, row)
    if problem:
        act.detail["結果"] = problem
    return problem


def _deleted(session: Session, row: Any) -> str:
    session.delete(row)
    try:
        refusal = flushed(session)
    except StaleDataError:
        session.rollback()
        return CHANGED
    return refusal.sentence if refusal else ""


def _noted(session: Session, outcome: Outcome) -> Outcome:
    """Tells the log which fields were refused (never what was in them), and whether it was for a 個人番号."""
    act, sheet = context(session).act, outcome.sheet
    if act and not outcome.saved:
        act.detail["入力エラー"] = [f.part.label for f in sheet.wrong] or sheet.form.general_error
        act.personal_number = any(f.held_personal_number for f in sheet.wrong)
    return outcome
