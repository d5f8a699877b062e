"""役割と権限: what each role may do with each table, changed by an administrator and counted at the next request."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose

from app import audit, edge, roles
from app.errors import AppError
from app.extensions import db
from app.rules import accounts
from app.text import has_personal_number, tidy
from views.access import allowed

HOME = "/role/list/"


class RolesView(BaseView):
    route_base, default_view, class_permission_name = "/role", "list", "Role"

    @expose("/list/")
    @allowed("list")
    def list(self) -> Any:
        audit.declare(db.session(), "role", "list", "役割")
        return self._listed("")

    def _listed(self, error: str) -> str:
        return render_template("panel/roles.html", roles=roles.holders(db.session()), reach=accounts.reach, error=error)

    @expose("/add", methods=["POST"])
    @allowed("edit")
    def add(self) -> Any:
        session, name = db.session(), tidy(request.form.get("name", ""))
        audit.declare(session, "role", "add", "役割")
        try:
            if has_personal_number(name):
                raise AppError("役割の名前に個人番号（マイナンバー）は使えません。", field="name")
            made = roles.make(session, name)
        except AppError as error:
            return self._listed(error.message), 422
        audit.note(session, 番号=made.id, 名前=name)
        edge.log_with_changes()
        flash(f"役割「{name}」を作りました。できることを選んで保存してください。", "success")
        return redirect(f"/role/edit/{made.id}", 303)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @allowed("edit")
    def edit(self, pk: str) -> Any:
        session = db.session()
        found = roles.role(session, pk)
        if request.method == "GET":
            audit.declare(session, "role", "show", "役割", 番号=found.id)
            return self._page(found, roles.rights_of(found), "")
        wanted = {right for right in roles.every() if " ".join(right) in request.form.getlist("right")}
        audit.declare(session, "role", "edit", "役割", 番号=found.id, 役割=str(found))
        try:
            given, taken = roles.change(session, found, request.form.get("seen", ""), wanted)
        except AppError as error:
            return self._page(found, wanted, error.message), error.status if error.status == 409 else 422
        audit.note(session, 付けた権限=roles.words(given), 外した権限=roles.words(taken))
        edge.log_with_changes()
        flash(f"「{found}」の権限を保存しました。次の操作から有効です。", "success")
        return redirect(HOME, 303)

    def _page(self, found: Any, chosen: set[roles.Right], error: str) -> str:
        seen = roles.stamp(roles.rights_of(found) & roles.every())
        return render_template(
            "panel/role.html", role=found, lines=roles.lines(), verbs=roles.VERBS, chosen=chosen, seen=seen, error=error
        )
