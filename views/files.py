"""A list as a file: asked with its purpose, handed over as it is narrowed in the address, and logged with what it held."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from flask import Response, flash, request
from sqlalchemy.orm import Session

from app import audit, codes, tabular
from app.context import context
from app.errors import PersonalNumberFound
from app.listing import matching
from app.rules.accounts import PERSONAL
from app.schema import Spec
from app.text import has_personal_number, tidy
from models import Card
from views import address
from views.access import may

if TYPE_CHECKING:
    from views.panel import PanelView

LISTED = 200  # keys that the log names; all of them together it knows by their digest


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
    leaving = _Leaving(spec)
    try:
        count = tabular.write(cast(Any, out), format_, spec, leaving.watch(rows), names=codes.names(session), personal=personal)
    except BaseException:
        out.close()
        raise
    told = {"件数": count, "目的": purpose, "形式": format_, "個人情報": "あり" if personal else "伏せ字"}
    audit.note(session, **told, **leaving.told())
    name = quote(f"{spec.label}_{context(session).local():%Y%m%d_%H%M}.{format_}")
    return Response(
        _poured(cast(Any, out)),
        mimetype=tabular.MIME[format_],
        headers={"Content-Disposition": f"attachment; filename=export.{format_}; filename*=UTF-8''{name}"},
    )


class _Leaving:
    """Notes which rows go into a file, as they pass: the cards they are about or, where they are about none, their own keys."""

    def __init__(self, spec: Spec) -> None:
        self.word = "申請書ID" if spec.model is Card or hasattr(spec.model, "card_id") else "番号"
        self.first: dict[int, None] = {}
        self.all = audit.Digest()

    def watch(self, rows: Iterable[Any]) -> Iterator[Any]:
        for row in rows:
            key = audit.card_of(row) if self.word == "申請書ID" else row.id
            self.all.add(key)
            if key is not None and len(self.first) < LISTED:
                self.first[key] = None
            yield row

    def told(self) -> dict[str, Any]:
        return {self.word: list(self.first), f"全{self.word}の照合値": self.all.words()} if self.first else {}


def _poured(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        out.seek(0)
        while piece := out.read(65536):
            yield piece


def _relations(spec: Spec) -> list[Any]:
    from sqlalchemy.orm import selectinload

    return [selectinload(getattr(spec.model, p.key)) for p in tabular.columns(spec) if p.is_relation]
