"""送信メール and メール定型文: what was told to residents, sent once more where it did not arrive; and the words of it, to be seen before they are saved."""

from __future__ import annotations

from typing import Any

from flask import flash, request
from flask_admin import expose as admin_expose
from flask_appbuilder import expose

from app import audit
from app.context import context
from app.errors import AppError
from app.extensions import db
from app.letters import places
from app.letters.mail import Sender, compose
from app.letters.sample import preview
from app.rules import outbox
from app.text import has_personal_number
from models import Language, MailState, MailTemplate, Outbox
from views import records
from views.access import allowed, must_have
from views.address import page_of
from views.masters import MasterView
from views.panel import PanelView

RESEND = "can_resend"


class MailView(PanelView):
    """One mail of the outbox, with its text as it would be sent now."""

    show_template = "panel/mail.html"

    def may_resend(self, row: Outbox) -> bool:
        return self.may("resend") and row.state is not MailState.WAITING

    def text_of(self, row: Outbox) -> str:
        """The text as it would be sent now; empty when the mail is true no more."""
        message = compose(db.session(), row, Sender(address="noreply@localhost"), context(db.session()).now())
        body = message.get_body(("plain",)) if message else None
        return f"件名: {message['Subject']}\n\n{body.get_content()}" if message and body else ""

    @expose("/resend/<pk>", methods=["POST"])
    @allowed("show")
    def resend(self, pk: str) -> Any:
        must_have(RESEND, self.spec.permission)
        session = db.session()
        row = records.load(session, self.spec, pk)
        audit.declare(session, self.spec.name, "resend", self.spec.label, 番号=row.id)
        try:
            outbox.resend(session, row, context(session).now())
        except AppError as error:
            flash(error.message, "danger")
            return self.to(page_of(row))
        flash("もう一度送ります。", "success")
        return self.to(page_of(row))


class MailTemplateView(MasterView):
    """The words of a mail, seen as a resident reads them, before and after they are saved."""

    form_template, show_template = "masters/mail_form.html", "masters/mail_template.html"

    def done_at(self, row: Any) -> str:
        return page_of(row)

    def sample_of(self, row: MailTemplate) -> Any:
        return preview(row.subject, row.body, row.language)

    known = places.KNOWN

    @admin_expose("/preview/<pk>", methods=["POST"])
    def preview(self, pk: str) -> Any:
        """What is in the form now, filled in; nothing is saved."""
        session = db.session()
        row = records.load(session, self.spec, pk)
        subject, body = request.form.get("subject", ""), request.form.get("body", "")
        if has_personal_number(subject + body):
            raise AppError("個人番号（マイナンバー）は入力できません。")
        audit.declare(session, self.spec.name, "show", self.spec.label, 番号=row.id, 画面="プレビュー")
        wrong = [f"{{{word}}}" if word not in "{}" else word for word in dict.fromkeys(places.unknown(subject + "\n" + body))]
        sample = preview(subject, body, Language(row.language))
        return self.page("masters/mail_preview.html", row=row, sample=sample, wrong=wrong, subject=subject, body=body)


__all__ = ["MailTemplateView", "MailView"]
