"""Export with its purpose, and import with its preview, for every table."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from flask import Response, flash, g, request
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app import audit, codes, edge, tabular
from app.constraints import explain
from app.context import context
from app.errors import AppError, BadFile, NotFound, PersonalNumberFound
from app.listing import matching
from app.rules.accounts import PERSONAL
from app.schema import Part, Spec
from app.text import has_personal_number, tidy
from models import ImportDraft
from views import address
from views.access import may

if TYPE_CHECKING:
    from views.panel import PanelView

SHOWN_ERRORS = 100
FLAGS = {"1": ("はい", "1", "○", "true"), "": ("いいえ", "0", "×", "—", "false")}


def export(view: PanelView, session: Session) -> Any:
    """Asks for the purpose, then hands over the list as it is narrowed in the address."""
    spec, want = view.spec, address.question(view.spec, request.args)
    personal = may(*PERSONAL)
    if address.is_lost(spec, request.args):  # without its question the file would hold everything
        flash("検索した言葉は、もう残っていません。一覧で絞り込んでから、もう一度出力してください。", "danger")
        return view.to("/list/")
    if request.method == "GET":
        audit.declare(session, spec.name, "show", spec.label, 画面="出力")
        return view.page("panel/export.html", personal=personal, want=address.in_words(session, spec, want), error="")
    purpose, format_ = tidy(request.form.get("purpose", "")), request.form.get("format", "csv")
    act = audit.declare(session, spec.name, "export", spec.label, 条件=address.in_words(session, spec, want))
    act.personal_number = has_personal_number(purpose)
    if act.personal_number or not purpose or len(purpose) > 200 or format_ not in tabular.MIME:
        audit.note(session, 入力エラー="出力の目的")
        error = (
            PersonalNumberFound(label="出力の目的").message
            if act.personal_number
            else "出力の目的を200文字以内で入力してください。"
        )
        return view.page("panel/export.html", personal=personal, want=address.in_words(session, spec, want), error=error), 422
    return _file(
        session, spec, want, cast(tabular.Format, format_), purpose, personal=personal and request.form.get("personal") == "1"
    )


def _file(session: Session, spec: Spec, want: Any, format_: tabular.Format, purpose: str, *, personal: bool) -> Response:
    out = tempfile.SpooledTemporaryFile(max_size=2_000_000)  # noqa: SIM115 - closed when it has been poured out
    rows = session.scalars(matching(session, spec, want).execution_options(yield_per=1000).options(*_relations(spec)))
    try:
        count = tabular.write(cast(Any, out), format_, spec, rows, names=codes.names(session), personal=personal)
    except BaseException:
        out.close()
        raise
    audit.note(session, 件数=count, 目的=purpose, 形式=format_, 個人情報="あり" if personal else "伏せ字")
    name = quote(f"{spec.label}_{context(session).local():%Y%m%d_%H%M}.{format_}")
    return Response(
        _poured(cast(Any, out)),
        mimetype=tabular.MIME[format_],
        headers={"Content-Disposition": f"attachment; filename=export.{format_}; filename*=UTF-8''{name}"},
    )


def _poured(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        out.seek(0)
        while piece := out.read(65536):
            yield piece


def _relations(spec: Spec) -> list[Any]:
    from sqlalchemy.orm import selectinload

    return [selectinload(getattr(spec.model, p.key)) for p in tabular.columns(spec) if p.is_relation]


@dataclass(frozen=True)
class Line:
    """A line of the file: what a row of it would hold, and what is wrong with it, by label."""

    number: int
    values: dict[str, Any]
    errors: list[tuple[str, str]]


def import_(view: PanelView, session: Session) -> Any:
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
    lines = tabular.read(view.spec, upload.read())
    checked = _checked(view, session, lines)
    if not any(line.errors for line in checked):
        _try(view.spec, session, checked)
    broken = [line for line in checked if line.errors]
    audit.note(session, 行数=len(lines), 誤り=len(broken), 段階="確認")
    if any("個人番号" in words for line in broken for _, words in line.errors) and g.context.act:
        g.context.act.personal_number = True
    shown = [p for p in view.spec.typed(adding=True) if any(p.key in words for _, words in lines)]
    names, draft = codes.names(session), None if broken else _keep(session, view.spec, upload.filename, lines)
    return view.page(
        "panel/import.html",
        stage="preview",
        error="",
        lines=checked[:20],
        broken=broken[:SHOWN_ERRORS],
        total=len(lines),
        broken_total=len(broken),
        draft=draft,
        shown=shown,
        cell=lambda part, line: part.shown(line.values.get(part.key), names),
    ), 422 if broken else 200


def _try(spec: Spec, session: Session, checked: list[Line]) -> None:
    """Saves the lines, hears what the database and the scope say, and takes them back; each objection goes to its line."""
    if _refusal(spec, session, checked):
        for line in checked:
            if why := _refusal(spec, session, [line], keep=True):
                line.errors.append(("", why))
        session.rollback()


def _refusal(spec: Spec, session: Session, lines: list[Line], *, keep: bool = False) -> str:
    """Why these lines cannot be saved together, or nothing. `keep` leaves good ones for the next line to be compared with."""
    attempt = session.begin_nested()
    try:
        _add(spec, session, lines)
        session.flush()
    except IntegrityError as error:
        attempt.rollback()
        return explain(error)
    except AppError as error:
        attempt.rollback()
        return error.message
    attempt.commit() if keep else attempt.rollback()
    return ""


def _add(spec: Spec, session: Session, lines: list[Line]) -> None:
    session.add_all(spec.model(**line.values) for line in lines)


def _keep(session: Session, spec: Spec, name: str, lines: list[tabular.Line]) -> str:
    now = context(session).now()
    draft = ImportDraft(
        id=secrets.token_urlsafe(24),
        user_id=current_user.id,
        table_name=spec.name,
        file_name=name[-255:],
        lines=lines,
        created_at=now,
    )
    session.add(draft)
    edge.log_with_changes()
    return draft.id


def _commit(view: PanelView, session: Session, key: str) -> Any:
    draft = session.get(ImportDraft, key[:43], with_for_update=True)  # the second of two at once waits, and finds it used
    if draft is None or draft.user_id != current_user.id or draft.table_name != view.spec.name:
        raise NotFound("この取り込みは、すでに済んだか期限が切れました。ファイルを選び直してください。")
    checked = _checked(view, session, draft.lines)
    if any(line.errors for line in checked):
        raise BadFile("確認のあとで状況が変わり、取り込めない行ができました。もう一度ファイルを選んでください。")
    _add(view.spec, session, checked)
    session.delete(draft)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise BadFile(f"{explain(error)} 何も取り込んでいません。") from error
    except AppError as error:
        session.rollback()
        raise BadFile(f"{error.message} 何も取り込んでいません。") from error
    audit.note(session, 件数=len(checked), ファイル=draft.file_name, 段階="取り込み")
    flash(f"{len(checked)}件を取り込みました。", "success")
    return view.to("/list/")


def _checked(view: PanelView, session: Session, lines: list[tabular.Line]) -> list[Line]:
    """Each line through the form that a person would fill in; the one form serves them all, since making it costs most."""
    found, form = [], view.add_form_type().bind(session)
    for number, words in lines:
        form.process(MultiDict(_posted(view.spec, session, words)))
        masked = [view.spec.parts[k].label for k, w in words.items() if w == tabular.MASK]
        errors = [(label, "伏せ字のままでは取り込めません。") for label in masked]
        if not form.validate():
            errors += [(f.part.label, str(e)) for f in form for e in f.errors]
        found.append(Line(number, form.values(), errors))
    return found


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
        return words.split(" ")[0].replace("/", "-")
    return words
