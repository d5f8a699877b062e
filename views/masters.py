"""マスタ: the masters' room on Flask-Admin — lists edited like a spreadsheet, child rows edited in their parent's form.

Same specs, rights, log and frame as the panel. Everything Flask-Admin leaves open by default (access, one right for all verbs,
export, look-ups, saving without asking) is closed or replaced here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, jsonify, render_template, request
from flask_admin import Admin, AdminIndexView, expose
from flask_admin.contrib.sqla import ModelView

from app import audit, codes
from app.extensions import db
from app.parts import Part
from app.rules.standing import Change, Stand, stand
from app.schema import Spec
from app.text import has_personal_number
from views import effects, lists, records
from views.access import must_have
from views.address import home_of, list_of, query
from views.forms import form_class, raw
from views.recording import Recording

KEPT_APART = "保存していません。先に別の保存がありました。"
VERBS = {
    "index_view": "can_list",
    "search": "can_list",
    "details_view": "can_show",
    "create_view": "can_add",
    "edit_view": "can_edit",
    "delete_view": "can_delete",
    "ajax_update": "can_edit",
    "preview": "can_edit",
}
CELLS = ("text", "number", "code", "codes", "flag", "date", "time")
"""Shapes that can be edited in a cell of the list."""


class MasterView(Recording, ModelView):
    """One master table. Flask-Admin gives it its address and its place; what it shows and does is ours."""

    action_view = export = ajax_lookup = None  # not offered, so not routed

    def _refresh_cache(self) -> None:
        """Flask-Admin would build lists and forms of its own; ours come from the Spec."""
        self.make_forms()
        self._list_columns: list[Any] = []
        self._filters = None
        self.column_editable_list = [p.key for p in self.spec.typed(adding=False) if p.field.listed and p.shape in CELLS]

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """Asks the right of the verb, not one for all; runs before every view method."""
        must_have(VERBS[name], self.spec.permission)

    def stand(self, row: Any) -> Stand | None:
        return stand(row)

    def _done(self, row: Any, sentence: str, address: str, was: Stand | None) -> Any:
        """Places follow their masters at once; whom that concerns, is decided before anything is saved."""
        change = Change(was, stand(row))
        if not change.is_felt:
            return super()._done(row, sentence, address, was)
        return effects.saved(self, change, self.spec.title(row), sentence, address)

    def _form(self, sheet: records.Sheet, row: Any, opened: records.Opened) -> str:
        effects.begin(self, sheet)
        return super()._form(sheet, row, opened)

    def done_at(self, row: Any) -> str:
        """Masters are worked through in their list."""
        return list_of(self.spec)

    @expose("/")
    def index_view(self) -> Any:
        screen = lists.read(db.session(), self.spec)
        keys = self.column_editable_list if self.may("edit") else []
        cells = form_class(self.spec, [self.spec.parts[k] for k in keys])().bind(db.session())
        return self.page("panel/list.html", screen=screen, cells=cells, raw=raw)

    @expose("/search", methods=["POST"])
    def search(self) -> Any:
        return self.to(list_of(self.spec) + lists.asked(db.session(), self.spec))

    @expose("/show/<pk>")
    def details_view(self, pk: str) -> Any:
        return self.showing(pk)

    @expose("/new/", methods=["GET", "POST"])
    def create_view(self) -> Any:
        return self.adding()

    @expose("/edit/<pk>", methods=["GET", "POST"])
    def edit_view(self, pk: str) -> Any:
        return self.editing(pk)

    @expose("/delete/<pk>", methods=["POST"])
    def delete_view(self, pk: str) -> Any:
        return self.deleting(pk)

    @expose("/ajax/update/", methods=["POST"])
    def ajax_update(self) -> Any:
        """Saves one cell: the right was asked, the version is compared, the change is logged like any other."""
        session = db.session()
        key = request.form.get("column", "")
        if key not in self.column_editable_list:
            return jsonify(message="この項目は一覧では変更できません。"), 404
        part = self.spec.parts[key]
        row = records.load(session, self.spec, request.form.get("pk", ""))
        was = stand(row)
        outcome = records.edit_cell(session, self.spec, row, part)
        if outcome.clashes is not None:
            typed, now = request.form.get("value", ""), part.shown(getattr(outcome.row, part.key), codes.names(session)) or "空"
            again = "" if has_personal_number(typed) else f"入力した値：{typed[:100]}"
            return self._cell(part, outcome.row, f"{KEPT_APART}いまの値は「{now}」です。{again}"), 409
        if outcome.saved:
            return self._cell_saved(part, row, Change(was, stand(row)))
        form = outcome.sheet.form
        return jsonify(message="".join(map(str, form[key].errors)) or form.general_error), 422

    def _cell_saved(self, part: Part, row: Any, change: Change) -> Any:
        """A cell has no room for a decision: what would concern people who have booked is not saved here."""
        key, told = row.id, f"{row} の「{part.label}」を保存しました。"
        concerned = effects.concerned(change) if change.is_felt else 0
        if not concerned:
            return self._cell(part, row, f"{told}{effects.warning(change).striptags()}")
        db.session.rollback()
        row = records.load(db.session(), self.spec, str(key))
        href = f"{home_of(self.spec)}/edit/{key}{query({part.key: request.form.get('value', '')})}"
        link = {"href": href, "words": "編集画面で影響を確かめて保存する"}
        return self._cell(part, row, f"保存していません。この変更は、予約{concerned}件に影響します。", link), 409

    @staticmethod
    def _cell(part: Part, row: Any, message: str, link: dict[str, str] | None = None) -> Any:
        words = lists.cell(lists.Column(part), row, codes.names(db.session())).words
        said = {"message": message, "words": words, "raw": raw(part, getattr(row, part.key)), "row_stamp": row.row_stamp}
        return jsonify(said | ({"link": link} if link else {}))


class Entrance(AdminIndexView):
    """The door of the masters' room: the list of what is in it."""

    @expose("/")
    def index(self) -> Any:
        audit.declare(db.session(), "masters", "list", "マスタ")
        return render_template("masters/index.html")


def register(app: Flask, masters: list[Spec], bases: Mapping[type, type[MasterView]]) -> None:
    admin = Admin(app, name="マスタ", url="/masters", index_view=Entrance(name="マスタ", url="/masters", endpoint="masters"))
    for spec in masters:
        if not spec.inline_of:
            admin.add_view(master_view(spec, bases.get(spec.model, MasterView)))


def master_view(spec: Spec, base: type[MasterView] = MasterView) -> MasterView:
    """The Flask-Admin view of a master table."""
    kind = type(f"{spec.model.__name__}Masters", (base,), {"spec": spec})
    view: MasterView = kind(
        spec.model, db, name=spec.label, category=spec.group, endpoint=f"masters_{spec.name}", url=home_of(spec)
    )
    return view
