"""利用者: staff accounts. Like any table, but without files, and with a one-time link where others set passwords for people."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, request
from flask_appbuilder import expose
from flask_login import current_user

from app import audit, sessions
from app.extensions import db
from app.reset_link import reset_link
from app.rules import accounts
from views import records
from views.access import allowed
from views.address import page_of
from views.panel import PanelView


class StaffView(PanelView):
    """Accounts are never deleted or exchanged as files: the log refers to them by name."""

    show_template = "panel/staff.html"

    def changed(self, row: Any) -> str:
        if accounts.reach([role.name for role in row.roles]) == "own" and not row.counters:
            return "担当窓口がないため、この利用者には予約もカードも表示されません。担当窓口を選んで保存し直してください。"
        return ""

    @expose("/link/<pk>", methods=["POST"])
    @allowed("edit")
    def sign_in_link(self, pk: str) -> Any:
        """Takes the password away and shows, once, the link with which the owner sets a new one."""
        session = db.session()
        person = records.load(session, self.spec, pk)
        if person.id == current_user.id:
            flash("自分のパスワードは、右上の「パスワードを変える」で変えてください。", "danger")
            return self.to(page_of(person))
        audit.declare(session, self.spec.name, "password", self.spec.label, 番号=person.id, 内容="設定用リンクの発行")
        site = current_app.config["STAFF_SITE"] or request.host_url
        return self.page("panel/staff_link.html", row=person, link=reset_link(session, person, site=site))

    @expose("/sessions/<pk>", methods=["POST"])
    @allowed("edit")
    def end_sessions(self, pk: str) -> Any:
        """Signs an account out everywhere, at once."""
        session = db.session()
        person = records.load(session, self.spec, pk)
        ended = sessions.end_all(session, person.id)
        audit.declare(session, self.spec.name, "sign_out", self.spec.label, 番号=person.id, 件数=ended)
        flash(f"{person} のサインインを{ended}件終了しました。", "success")
        return self.to(page_of(person))
