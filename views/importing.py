"""Import of a file: upload, a preview with every error by line and column, one decision, all rows in one transaction or none.

A file is read and checked without SQLite's one writer, who is asked for only when there is something to keep (`edge.reads_first`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import flash, g, request
from flask_login import current_user
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app import audit, codes, edge, sheets, tabular, trial
from app.constraints import flushed
from app.context import context
from app.errors import BadFile, NotFound
from app.parts import Part
from app.schema import Spec
from models import ImportDraft

if TYPE_CHECKING:
    from views.panel import PanelView

SHOWN_ERRORS, SHOWN_LINES = 100, 20
WAITING = 5  # previews that one person can leave open
FLAGS = {"1": ("はい", "1", "○", "true"), "": ("いいえ", "0", "×", "—", "false")}
GONE = "この取り込みは、すでに済んだか期限が切れました。ファイルを選び直してください。"


@dataclass(frozen=True)
class Line:
    """A line of the file: what a row of it would hold, and what is wrong with it, by label."""

    number: int
    values: dict[str, Any]
    errors: list[tuple[str, str]]


def take_in(view: PanelView, session: Session) -> Any:
    """Upload → preview with every error by line and column → one decision → all rows in one transaction, or none."""
    if request.method == "GET":
        audit.declare(session, view.spec.name, "show", view.spec.label, 画面="取り込み")
        return view.page("panel/import.html", stage="upload", error="")
    audit.declare(session, view.spec.name, "import", view.spec.label)
    try:
        return _commit(view, session, request.form["draft"]) if "draft" in request.form else _preview(view, session)
    except BadFile as error:
        audit.note(session, 入力エラー=error.told)
        return view.page("panel/import.html", stage="upload", error=error.message), 422


def _preview(view: PanelView, session: Session) -> Any:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise BadFile("ファイルを選んでください。")
    content = upload.read()
    told = {"形式": "Excel" if sheets.is_excel(content) else "CSV", "照合値": audit.Digest(content).words()}
    audit.note(session, **told)
    lines = tabular.read(view.spec, content)
    checked = _checked(view, session, lines)
    errors = [(line.number, *error) for line in checked for error in line.errors]
    broken = sum(bool(line.errors) for line in checked)
    audit.note(session, 行数=len(lines), 誤り=broken, 段階="確認")
    if any("個人番号" in words for _, _, words in errors) and g.context.act:
        g.context.act.personal_number = True
    shown = [p for p in view.spec.typed(adding=True) if any(p.key in words for _, words in lines)]
    names, draft = codes.names(session), "" if broken else secrets.token_urlsafe(24)
    page = view.page(
        "panel/import.html",
        stage="preview",
        error="",
        lines=checked[:SHOWN_LINES],
        errors=errors[:SHOWN_ERRORS],
        errors_total=len(errors),
        total=len(lines),
        broken_total=broken,
        draft=draft,
        shown=shown,
        cell=lambda part, line: part.shown(line.values.get(part.key), names),
    )
    if broken:
        return page, 422
    _keep(session, view.spec, draft, told, lines)
    return page


def _keep(session: Session, spec: Spec, key: str, told: dict[str, str], lines: list[tabular.Line]) -> None:
    draft = ImportDraft(
        id=key,
        user_id=current_user.id,
        table_name=spec.name,
        told=told,
        lines=lines,
        created_at=context(session).now(),
    )
    edge.write_now()
    _make_room(session)
    session.add(draft)
    edge.log_with_changes()


def _make_room(session: Session) -> None:
    """One person's previews wait for a decision, but only the newest few: each may hold thousands of lines."""
    mine = select(ImportDraft.id).where(ImportDraft.user_id == current_user.id).order_by(ImportDraft.created_at.desc())
    for old in session.scalars(mine.offset(WAITING - 1)).all():
        _use_up(session, old)


def _commit(view: PanelView, session: Session, key: str) -> Any:
    """Checks again, since things may have changed, and only then takes the writer's place."""
    draft = session.get(ImportDraft, key[:43])
    if draft is None or draft.user_id != current_user.id or draft.table_name != view.spec.name:
        raise NotFound(GONE)
    told, checked = draft.told, _checked(view, session, draft.lines)
    audit.note(session, **told)
    if any(line.errors for line in checked):
        raise BadFile(
            "確認のあとで状況が変わり、取り込めない行ができました。何も取り込んでいません。もう一度ファイルを選んでください。"
        )
    rows = [view.spec.model(**line.values) for line in checked]
    edge.write_now()
    if not _use_up(session, draft.id):
        raise NotFound(GONE)
    session.add_all(rows)
    if refusal := flushed(session):
        raise BadFile(f"{refusal.sentence} 何も取り込んでいません。")
    audit.note(session, 件数=len(rows), 段階="取り込み")
    flash(f"{len(rows)}件を取り込みました。", "success")
    return view.to("/list/")


def _use_up(session: Session, key: str) -> bool:
    """Deletes a draft; False when somebody else just did: the second of two presses waits for the first, and finds nothing."""
    found = session.execute(
        delete(ImportDraft).where(ImportDraft.id == key),
        execution_options={"by_rule": "views.importing", "synchronize_session": False},
    )
    return bool(found.rowcount)  # type: ignore[attr-defined]


def _checked(view: PanelView, session: Session, lines: list[tabular.Line]) -> list[Line]:
    """Each line through the form that a person would fill in; the one form serves them all, since making it costs most."""
    found, form = [], view.add_form_type().bind(session)
    for number, words in lines:
        form.process(MultiDict(_posted(view.spec, session, words)))
        masked = [view.spec.parts[k].label for k, w in words.items() if w == tabular.MASK]
        errors = [(label, "伏せ字のままでは取り込めません。") for label in masked]
        if not form.validate():
            errors += [(f.part.label, str(e)) for f in form for e in f.errors if f.part.label not in masked]
        found.append(Line(number, form.values(), errors))
    _object(view.spec, session, found)
    return found


def _object(spec: Spec, session: Session, checked: list[Line]) -> None:
    """Adds what only the stored rows and the scope can say of lines that are right in themselves."""
    good = [line for line in checked if not line.errors]
    for place, refusal in trial.objections(session, spec, [spec.model(**line.values) for line in good]):
        label = spec.parts[refusal.keys[0]].label if refusal.keys else ""
        good[place].errors.append((label, refusal.sentence))


def _posted(spec: Spec, session: Session, words: dict[str, str]) -> dict[str, str]:
    """A line as a form would post it: labels of codes become their values, relations are named in words, an empty cell says nothing."""
    return {
        (f"{k}__words" if spec.parts[k].shape == "relation" else k): _value(spec.parts[k], w.strip(), session)
        for k, w in words.items()
        if w.strip()
    }


def _value(part: Part, words: str, session: Session) -> str:
    if part.enum:
        return next((m.value for m in part.enum if words in (m.label, m.number, m.value)), words)
    if part.shape == "codes":
        return next((v for v, n in codes.names(session).get(part.field.codes, {}).items() if words in (v, n)), words)
    if part.shape == "flag":
        return next((value for value, spellings in FLAGS.items() if words.lower() in spellings), words)
    if part.shape == "date":
        return words.split(" ")[0]
    return words
