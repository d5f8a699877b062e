"""The one field that is always there: a scanned or typed number opens its record, a name opens the list of cards."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, flash, redirect, request
from sqlalchemy import or_, select

from app import audit
from app.errors import AppError
from app.extensions import db
from app.schema import Spec, specs
from app.searching import LONGEST
from app.text import alnum, has_personal_number
from models import Card, Reservation, Shipment
from views import address
from views.access import may
from views.address import list_of

blueprint = Blueprint("jump", __name__)
SEARCHED = (Card, Reservation, Shipment)


def register(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.post("/jump")
def jump() -> Any:
    typed = request.form.get("q", "").strip()[: LONGEST + 1]
    act = audit.declare(db.session(), "panel", "list", "全体検索", 検索語=f"{len(typed)}文字")
    if has_personal_number(typed):
        act.personal_number = True
        flash("個人番号（マイナンバー）では検索できません。申請書IDや氏名で検索してください。", "danger")
        return redirect("/", 303)
    mine = [specs()[model] for model in SEARCHED if may("can_show", specs()[model].permission)]
    for spec in mine:
        if (key := _only(spec, alnum(typed))) is not None:
            return redirect(f"/{spec.name}/show/{key}", 303)
    if not typed or not mine:
        flash("見つかる情報がありません。" if typed else "番号か氏名を入力してください。", "danger")
        return redirect("/", 303)
    try:
        kept = address.remember(mine[0], {"q": typed})
    except AppError as error:
        flash(error.message, "danger")
        return redirect("/", 303)
    return redirect(list_of(mine[0]) + address.query(kept), 303)


def _only(spec: Spec, number: str) -> int | None:
    """The key of the one row that has this number, within the person's scope."""
    if not number:
        return None
    columns = [getattr(spec.model, p.key) for p in spec.exact_searched]
    keys = list(db.session.scalars(select(spec.model.id).where(or_(*(c == number for c in columns))).limit(2)))
    return keys[0] if len(keys) == 1 else None
