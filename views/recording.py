"""Adding, changing and deleting rows, the same way on both panels: each panel says only where its pages are and whom it lets in."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from sqlalchemy.orm import Session

from app import audit
from app.extensions import db
from app.schema import Spec, spec_of
from views import clashes, inline, lists, records, sent
from views.access import may
from views.address import home_of, list_of, page_of
from views.beginning import beginnings, begun_below
from views.forms import SpecForm, form_class


class Recording:
    """What a view of a table does with one row. `spec` comes from the generator."""

    spec: Spec
    form_template, show_template = "panel/form.html", "panel/show.html"
    add_form_type: type[SpecForm]
    edit_form_type: type[SpecForm]

    def make_forms(self) -> None:
        self.add_form_type = form_class(self.spec, self.spec.typed(adding=True))
        self.edit_form_type = form_class(self.spec, self.spec.typed(adding=False))

    def page(self, template: str, **values: Any) -> str:
        return render_template(template, spec=self.spec, view=self, home=home_of(self.spec), **values)

    def may(self, verb: str) -> bool:
        return may(f"can_{verb}", self.spec.permission)

    def to(self, address: str) -> Any:
        return redirect(address, 303)

    def done_at(self, row: Any) -> str:
        """Where a person is after saving a row: at what it was added below, or at the row itself."""
        return begun_below(self.spec, row) or page_of(row) or list_of(self.spec)

    def changed(self, row: Any) -> str:
        """What follows from a saved or deleted row, in this transaction; the sentence for the person, if there is one to say."""
        return ""

    def stand(self, row: Any) -> Any:
        """What of a row, None for one that is not there yet, has to be known when it is saved: how it was before."""

    def _done(self, row: Any, sentence: str, address: str, was: Any) -> Any:
        """Says that it is saved; `was`: how the row stood before."""
        flash(sentence, "success")
        if warning := self.changed(row):
            flash(warning, "warning")
        return self.to(address)

    def showing(self, pk: str) -> Any:
        session = db.session()
        row = records.load(session, self.spec, pk)
        audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id).application_id = audit.card_of(row)
        related = lists.related(session, self.spec, row)
        return self.page(self.show_template, row=row, related=related, below=inline.stored(self.spec, row))

    def adding(self) -> Any:
        session = db.session()
        if request.method == "GET":
            begun = beginnings(session, self.spec)
            self._log_beginning(session, begun)
            return self._form(records.blank(session, self.spec, self.add_form_type, begun), None, records.opened_new())
        if (earlier := sent.before(session, self.spec)) is not None:
            flash(f"{self.spec.title(earlier)} は、すでに登録してあります。", "success")
            return self.to(self.done_at(earlier))
        outcome = records.add(session, self.spec, self.add_form_type)
        if outcome.saved:
            sentence = f"{self.spec.title(outcome.row)} を登録しました。"
            return self._done(outcome.row, sentence, self.done_at(outcome.row), self.stand(None))
        return self._form(outcome.sheet, None, records.still_open()), 422

    def _log_beginning(self, session: Session, begun: dict[str, Any]) -> None:
        """A form that begins from another row shows what that row holds, so it has been read."""
        rows = [value for value in begun.values() if (spec := spec_of(type(value))) and not spec.is_master]
        if rows:
            act = audit.declare(
                session, self.spec.name, "show", self.spec.label, 画面="新規登録", もとの情報=[str(row) for row in rows]
            )
            act.application_id = next((card for row in rows if (card := audit.card_of(row))), None)

    def editing(self, pk: str) -> Any:
        session = db.session()
        row = records.load(session, self.spec, pk)
        form_type = self.add_form_type if self.spec.is_correctable(row) else self.edit_form_type
        if request.method == "GET":
            act = audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id, 画面="編集")
            act.application_id = audit.card_of(row)
            sheet = records.stored(session, self.spec, row, form_type)
            return self._form(sheet, row, records.opened(sheet, row))
        was = self.stand(row)
        return self._edited(records.edit(session, self.spec, row, form_type), was)

    def _edited(self, outcome: records.Outcome, was: Any) -> Any:
        row = outcome.row
        if outcome.saved:
            return self._done(row, f"{self.spec.title(row)} を保存しました。", self.done_at(row), was)
        if outcome.clashes is not None:
            opened = records.opened(outcome.sheet, row)
            told = clashes.saved_by(db.session(), self.spec, row)
            return self.page("panel/conflict.html", row=row, outcome=outcome, opened=opened, saved_by=told), 409
        return self._form(outcome.sheet, row, records.still_open()), 422

    def _form(self, sheet: records.Sheet, row: Any, opened: records.Opened) -> str:
        leave = begun_below(self.spec, None) or (page_of(row) if row is not None else "") or list_of(self.spec)
        return self.page(self.form_template, sheet=sheet, form=sheet.form, row=row, opened=opened, leave=leave)

    def deleting(self, pk: str) -> Any:
        session = db.session()
        row = records.load(session, self.spec, pk)
        title, here, was = self.spec.title(row), page_of(row), self.stand(row)
        if problem := records.delete(session, self.spec, row, request.form.get("row_stamp", "")):
            flash(problem, "danger")
            return self.to(here or list_of(self.spec))
        return self._done(row, f"{title} を削除しました。", list_of(self.spec), was)
