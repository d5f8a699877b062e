"""予約代行者: accounts of the residents' site, kept here; their passwords nobody here ever learns."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, request
from flask_appbuilder import expose

from app import audit, edge, operators
from app.context import context
from app.extensions import db
from models import Operator
from views import records
from views.access import allowed, must_have
from views.address import page_of
from views.panel import PanelView

LINK = "can_link"


class OperatorView(PanelView):
    """Accounts are never deleted or exchanged as files: the log refers to them by name."""

    show_template = "panel/operator.html"

    @expose("/link/<pk>", methods=["POST"])
    @allowed("show")
    def link(self, pk: str) -> Any:
        """Takes the password away and shows, once, the link with which the owner sets a new one at the residents' site."""
        must_have(LINK, self.spec.permission)
        session = db.session()
        row: Operator = records.load(session, self.spec, pk)
        audit.declare(session, self.spec.name, "password", self.spec.label, 番号=row.id, 内容="設定用リンクの発行")
        word = operators.new_link(session, row, context(session).now())
        edge.log_with_changes()  # what changed has no words: it is nobody's to read
        site = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
        return self.page("panel/staff_link.html", row=row, link=f"{site}/operator/password/{word}")

    @expose("/sessions/<pk>", methods=["POST"])
    @allowed("edit")
    def end_sessions(self, pk: str) -> Any:
        session = db.session()
        row: Operator = records.load(session, self.spec, pk)
        ended = operators.end_sessions(session, row)
        audit.declare(session, self.spec.name, "sign_out", self.spec.label, 番号=row.id, 件数=ended)
        edge.log_with_changes()
        flash(f"{row} のサインインを{ended}件終了しました。", "success")
        return self.to(page_of(row))
