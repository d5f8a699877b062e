"""Before a master is saved that concerns people who have booked: who they are, what could be done, and one button for each choice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from flask import flash, request
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from app import audit
from app.context import context
from app.extensions import db
from app.rules import accounts, deciding
from app.rules.deciding import Choice, Decision, Done, Foreseen
from app.rules.effects import Visit
from app.rules.elsewhere import Proposal
from app.rules.standing import Change
from app.rules.visits import BOOK
from app.schema import specs
from models import Channel, Reservation, Slot
from views.access import may, must_have
from views.address import home_of, query
from views.records import Sheet

MOST_SHOWN = 200
CHOICE, SEEN = "effect", "effect_seen"
"""Fields of the page, beside those of the form that it carries on."""
DOING = {"create_view": "登録", "edit_view": "保存", "delete_view": "削除"}
BEGUN = "一覧で入力した値（{}）を入れてあります。まだ保存していません。"


class Line(NamedTuple):
    """Somebody on the list: the visit, the reservation if this person may see it, where it could move, and whether a mail arrives."""

    visit: Visit
    row: Reservation | None
    proposal: Proposal | None
    has_mail: bool


def saved(view: Any, change: Change, title: str, sentence: str, address: str) -> Any:
    """The answer to a form whose master is flushed: done, or first the page that asks."""
    found = _settled(change, _decision())
    if isinstance(found, Foreseen):
        return _asked(view, found, title)
    told = _told(found)
    audit.note(db.session(), 影響した予約=told)
    flash(sentence + told, "success")
    if words := warning(change):
        flash(words, "warning")
    return view.to(address)


def concerned(change: Change) -> int:
    """How many people a flushed change concerns, when nothing can be decided here."""
    found = _settled(change, None)
    return len(found.effect.visits) if isinstance(found, Foreseen) else 0


def _settled(change: Change, decision: Decision | None) -> Done | Foreseen:
    session = db.session()
    return deciding.settle(session, change, decision, _channels(), context(session).now())


def _decision() -> Decision | None:
    """What was chosen on the page."""
    choice = request.form.get(CHOICE, "")
    if choice not in list(Choice):
        return None
    if choice != Choice.KEEP:
        must_have(BOOK, specs()[Reservation].permission)
    return Decision(Choice(choice), request.form.get(SEEN, ""))


def _channels() -> Sequence[Channel]:
    """Whose places this person may take for others; none for who may not change reservations."""
    if not may(BOOK, specs()[Reservation].permission):
        return ()
    return accounts.channels([role.name for role in current_user.roles])


def _asked(view: Any, found: Foreseen, title: str) -> str:
    """The page. What was tried is rolled back first."""
    db.session.rollback()
    is_again = bool(request.form.get(CHOICE))
    lines = _lines(found)
    audit.note(
        db.session(),
        結果="予約への影響を示しました",
        影響する予約=len(found.effect.visits),
        **audit.keys_of(line.row for line in lines if line.row),
    )
    page: str = view.page(
        "masters/effects.html",
        title=title,
        doing=DOING[(request.endpoint or "").rpartition(".")[2]],
        found=found,
        lines=lines,
        most=deciding.MOST,
        movable=len(found.proposals),
        may_decide=bool(_channels()),
        is_again=is_again,
        carried=[pair for pair in request.form.items(multi=True) if pair[0] not in ("csrf_token", CHOICE, SEEN)],
        visit_spec=specs()[Reservation],
    )
    return page


def _lines(found: Foreseen) -> list[Line]:
    visits = found.effect.visits[:MOST_SHOWN]
    rows: dict[int, Reservation] = {}
    if may("can_list", specs()[Reservation].permission):
        mine = select(Reservation).where(Reservation.id.in_([visit.number for visit in visits]))
        rows = {row.id: row for row in db.session.scalars(mine)}
    mailed = {row.group_id or row.id for row in rows.values() if row.email}  # one mail tells a household
    return [
        Line(visit, rows.get(visit.number), found.proposals.get(visit.number), (visit.group_id or visit.number) in mailed)
        for visit in visits
    ]


def _told(done: Done) -> str:
    """What became of those concerned."""
    parts = {
        "日時を移した予約": done.moved,
        "キャンセルした予約": done.cancelled,
        "終わらせた仮押え": done.ended,
        "そのまま残した予約": done.kept,
    }
    words = "、".join(f"{what}{count}件" for what, count in parts.items() if count)
    return f"{words}。" if words else ""


def warning(change: Change) -> Markup:
    """Where more is booked than the masters want, be it from earlier changes: what to look after."""
    session, today = db.session(), context(db.session()).local().date()
    at = change.counters
    crowded = select(func.count(), func.min(Slot.slot_date), func.max(Slot.slot_date)).where(
        Slot.slot_date >= today, Slot.used > Slot.wanted, *([Slot.counter_id.in_(at)] if at is not None else [])
    )
    times, first, last = session.execute(crowded).one()
    return _linked(times, first, last) if times else Markup()


def _linked(times: int, first: date, last: date) -> Markup:
    asked = query({"booking_date_from": str(first), "booking_date_to": str(last), "state": "booked"})
    return Markup('受付を減らした時間帯のうち、{}枠にはすでに予約があります。<a href="{}">予約を確かめる</a>').format(
        times, f"{home_of(specs()[Reservation])}/list/{asked}"
    )


def begin(view: Any, sheet: Sheet) -> None:
    """Puts a value into a form that a cell of the list could not save."""
    if request.method != "GET":
        return
    begun = [key for key in request.args if key in view.column_editable_list and key in sheet.form]
    for key in begun:
        sheet.form[key].process(MultiDict({key: request.args[key]}))
    if begun:
        flash(BEGUN.format("、".join(sheet.form[key].part.label for key in begun)), "warning")
