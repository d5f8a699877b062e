"""The one field that is always there: a number opens its record, a name the list that has it, or what several lists have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request
from sqlalchemy import select

from app import audit, searching
from app.criteria import Criteria
from app.errors import AppError
from app.extensions import db
from app.listing import Page, capped_count, fetch
from app.schema import Spec, specs
from app.searching import LONGEST
from app.text import alnum, has_personal_number
from models import Card, Reservation, Shipment
from views import address, lists
from views.access import may
from views.address import list_of

blueprint = Blueprint("jump", __name__)
SEARCHED = (Card, Reservation, Shipment)
FIRST = 5  # rows of each table on the page of several


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
    numbered = [(spec, key) for spec in mine if (key := _only(spec, alnum(typed))) is not None]
    if len(numbered) == 1:
        spec, key = numbered[0]
        return redirect(f"/{spec.name}/show/{key}", 303)
    if not typed or not mine:
        flash("見つかる情報がありません。" if typed else "番号か氏名を入力してください。", "danger")
        return redirect("/", 303)
    try:
        counts = {spec: capped_count(db.session(), spec, Criteria(search=typed)) for spec in mine}
        having = [spec for spec, count in counts.items() if count]
        act.detail.update({spec.label: f"{count}件" for spec, count in counts.items()})
        if len(having) == 1:
            return redirect(list_of(having[0]) + address.query(address.remember(having[0], {"q": typed})), 303)
    except AppError as error:
        flash(error.message, "danger")
        return redirect("/", 303)
    if having:
        return redirect("/jump" + address.query({"s": address.keep("jump", {"q": typed})}), 303)
    flash(
        f"当てはまるものがありません。{'・'.join(spec.label for spec in mine)}を探しました。別の書き方や番号で探してください。",
        "danger",
    )
    return redirect("/", 303)


@dataclass(frozen=True)
class Found:
    """What one table has: its first rows, and where all of them are listed."""

    spec: Spec
    page: Page
    rows: lists.Rows
    all_of_them: str


@blueprint.get("/jump")
def found() -> Any:
    """What several tables have, table by table."""
    typed = address.recalled("jump", request.args.get("s", "")).get("q", "")
    if not typed:
        flash(lists.LOST, "danger")
        return redirect("/", 303)
    act = audit.declare(db.session(), "panel", "list", "全体検索", 検索語=f"{len(typed)}文字")
    mine = [specs()[model] for model in SEARCHED if may("can_show", specs()[model].permission)]
    groups = [group for spec in mine if (group := _group(spec, typed)).rows]
    act.detail.update({group.spec.label: group.page.count_words for group in groups})
    act.detail.update(audit.keys_of(row for group in groups for row, _ in group.rows))
    return render_template("panel/found.html", groups=groups, typed=typed)


def _group(spec: Spec, typed: str) -> Found:
    session = db.session()
    page = fetch(session, spec, Criteria(search=typed), size=FIRST)
    return Found(
        spec, page, lists.rows_of(session, spec, page.rows), list_of(spec) + address.query(address.remember(spec, {"q": typed}))
    )


def _only(spec: Spec, number: str) -> int | None:
    """The key of the one row that has this number, within the person's scope."""
    if not number:
        return None
    session = db.session()
    keys = list(session.scalars(select(spec.model.id).where(searching.numbered(session, spec, number)).limit(2)))
    return keys[0] if len(keys) == 1 else None
