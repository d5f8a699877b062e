"""マスタ: the masters' room on Flask-Admin — lists edited like a spreadsheet, child rows edited in their parent's form.

Same specs, rights, log and frame as the panel. Everything Flask-Admin leaves open by default (access, one right for all verbs,
export, look-ups, saving without asking) is closed or replaced here.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, flash, jsonify, redirect, render_template, request
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.contrib.sqla import ModelView
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import MultiDict

from app import audit, codes
from app.extensions import db
from app.schema import Spec
from views import inline, lists, records
from views.access import may, must_have
from views.forms import form_class, raw

VERBS = {
    "index_view": "can_list",
    "search": "can_list",
    "create_view": "can_add",
    "edit_view": "can_edit",
    "delete_view": "can_delete",
    "ajax_update": "can_edit",
}
CELLS = ("text", "number", "code", "codes", "flag", "date", "time")
"""Shapes that can be edited in a cell of the list."""


class MasterView(ModelView):
    """One master table. Flask-Admin gives it its address and its place; what it shows and does is ours."""

    spec: Spec
    details_view = action_view = export = ajax_lookup = None  # not offered, so not routed

    def _refresh_cache(self) -> None:
        """Flask-Admin would build lists and forms of its own; ours come from the Spec."""
        self.add_form_type = form_class(self.spec, self.spec.typed(adding=True))
        self.edit_form_type = form_class(self.spec, self.spec.typed(adding=False))
        self._list_columns: list[Any] = []
        self._filters = None
        self.column_labels = {p.key: p.label for p in self.spec.parts.values()}
        self.column_editable_list = [p.key for p in self.spec.typed(adding=False) if p.field.listed and p.shape in CELLS]

    can_create = property(lambda self: self.may("add"))
    can_edit = property(lambda self: self.may("edit"))
    can_delete = property(lambda self: self.may("delete") and self.spec.can_delete)

    def may(self, verb: str) -> bool:
        return may(f"can_{verb}", self.spec.permission)

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """Asks the right of the verb, not one for all; runs before every view method."""
        must_have(VERBS[name], self.spec.permission)

    def page(self, template: str, **values: Any) -> str:
        return render_template(template, spec=self.spec, view=self, home=f"/masters/{self.spec.name}", **values)

    def to_list(self) -> Any:
        return redirect(f"/masters/{self.spec.name}/", 303)

    @expose("/")
    def index_view(self) -> Any:
        screen = lists.read(db.session(), self.spec)
        cells = form_class(self.spec, [self.spec.parts[k] for k in self.column_editable_list])().bind(db.session())
        return self.page("masters/list.html", screen=screen, cells=cells, raw=raw)

    @expose("/search", methods=["POST"])
    def search(self) -> Any:
        return redirect(f"/masters/{self.spec.name}/" + lists.asked(db.session(), self.spec), 303)

    @expose("/new/", methods=["GET", "POST"])
    def create_view(self) -> Any:
        session = db.session()
        below = [inline.read(session, child, None) for child in inline.children(self.spec)]
        if request.method == "GET":
            form = self.add_form_type().bind(session)
            return self.page("masters/form.html", form=form, row=None, opened=records.opened_new(), below=below)
        if (earlier := records.sent_before(session, self.spec)) is not None:
            flash(f"{self.spec.title(earlier)} は、すでに登録してあります。", "success")
            return self.to_list()
        form = self.add_form_type(request.form).bind(session)
        audit.declare(session, self.spec.name, "add", self.spec.label)
        row = self.spec.model()
        if self._saved(form, row, below, added=True):
            records.remember_sent(session, self.spec, row)
            flash(f"{self.spec.title(row)} を登録しました。", "success")
            return self.to_list()
        return self.page("masters/form.html", form=form, row=None, opened=records.still_open(), below=below), 422

    @expose("/edit/<pk>", methods=["GET", "POST"])
    def edit_view(self, pk: str) -> Any:
        session = db.session()
        row = records.load(session, self.spec, pk)
        below = [inline.read(session, child, row) for child in inline.children(self.spec)]
        if request.method == "GET":
            form = self.edit_form_type(obj=row).bind(session)
            audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id, 画面="編集")
            return self.page("masters/form.html", form=form, row=row, opened=records.opened(form, row), below=below)
        if not below:
            return self._edited(records.edit(session, self.spec, row, self.edit_form_type))
        form = self.edit_form_type(request.form, obj=row).bind(session)
        audit.declare(session, self.spec.name, "edit", self.spec.label, 番号=row.id)
        stale = request.form.get("row_stamp") != str(row.row_stamp) or any(lines.clash for lines in below)
        if stale:
            form.general_error = "ほかの人が先に保存しました。「やめる」で開き直し、内容を確かめてから変更してください。"
        if not stale and self._saved(form, row, below, added=False):
            flash(f"{self.spec.title(row)} を保存しました。", "success")
            return self.to_list()
        return self.page("masters/form.html", form=form, row=row, opened=records.still_open(), below=below), 409 if stale else 422

    def _edited(self, outcome: records.Outcome) -> Any:
        row = outcome.row
        if outcome.saved:
            flash(f"{self.spec.title(row)} を保存しました。", "success")
            return self.to_list()
        if outcome.clashes:
            opened = records.opened(outcome.form, row)
            return self.page("panel/conflict.html", row=row, clashes=outcome.clashes, opened=opened, form=outcome.form), 409
        return self.page("masters/form.html", form=outcome.form, row=row, opened=records.still_open(), below=[]), 422

    def _saved(self, form: Any, row: Any, below: list[inline.Lines], *, added: bool) -> bool:
        """Parent and child rows together, or nothing."""
        session = db.session()
        if not all([*(lines.validate() for lines in below), records.is_valid(session, form)]):
            if wrong := [field for lines in below for field in lines.wrong]:
                records.note_errors(session, [*(f for f in form if f.errors), *wrong])
            return False
        with session.no_autoflush:
            if not added:
                for lines in below:
                    lines.drop(session, row)
            form.fill(row)
            for lines in below:
                lines.apply(row)
        if added:
            session.add(row)
        return records.is_flushed(session, form)

    @expose("/delete/<pk>", methods=["POST"])
    def delete_view(self, pk: str) -> Any:
        row = records.load(db.session(), self.spec, pk)
        title = self.spec.title(row)
        problem = records.delete(db.session(), self.spec, row, request.form.get("row_stamp", ""))
        flash(problem or f"{title} を削除しました。", "danger" if problem else "success")
        return self.to_list()

    @expose("/ajax/update/", methods=["POST"])
    def ajax_update(self) -> Any:
        """Saves one cell: the right was asked, the version is compared, the change is logged like any other."""
        session = db.session()
        key = request.form.get("column", "")
        if key not in self.column_editable_list:
            return jsonify(message="この項目は一覧では変更できません。"), 404
        part = self.spec.parts[key]
        row = records.load(session, self.spec, request.form.get("pk", ""))
        audit.declare(session, self.spec.name, "edit", self.spec.label, 番号=row.id, 画面="一覧")
        if request.form.get("row_stamp") != str(row.row_stamp):
            return self._clashed(part, row)
        form = form_class(self.spec, [part])(MultiDict({key: request.form.get("value", "")}), obj=row).bind(session)
        if not records.is_valid(session, form):
            return jsonify(message="".join(form[key].errors)), 422
        form.fill(row)
        try:
            saved = records.is_flushed(session, form)
        except StaleDataError:
            session.rollback()
            return self._clashed(part, records.load(session, self.spec, request.form["pk"]))
        return jsonify(message="保存しました。", **self._cell(part, row)) if saved else (jsonify(message=form.general_error), 422)

    def _clashed(self, part: Any, row: Any) -> Any:
        return jsonify(message="ほかの人が先に変更しました。いまの値を表示しています。", **self._cell(part, row)), 409

    @staticmethod
    def _cell(part: Any, row: Any) -> dict[str, Any]:
        words = lists.cell(part, row, codes.names(db.session())).words
        return {"words": words, "raw": raw(part, getattr(row, part.key)), "row_stamp": row.row_stamp}


class Entrance(AdminIndexView):
    """The door of the masters' room: the list of what is in it."""

    @expose("/")
    def index(self) -> Any:
        audit.declare(db.session(), "masters", "list", "マスタ")
        return render_template("masters/index.html")


def register(app: Flask, masters: list[Spec]) -> None:
    admin = Admin(app, name="マスタ", url="/masters", index_view=Entrance(name="マスタ", url="/masters", endpoint="masters"))
    for spec in masters:
        if not spec.inline_of:
            admin.add_view(master_view(spec))


def master_view(spec: Spec, base: type[MasterView] = MasterView) -> MasterView:
    """The Flask-Admin view of a master table."""
    kind = type(f"{spec.model.__name__}Masters", (base,), {"spec": spec})
    view: MasterView = kind(
        spec.model, db, name=spec.label, category=spec.group, endpoint=f"masters_{spec.name}", url=f"/masters/{spec.name}"
    )
    return view
