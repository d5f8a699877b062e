"""窓口 and 窓口枠 in the masters' room: beneath the master, the ladder of a day that follows from it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.context import context
from app.extensions import db
from app.rules.ladder import Ladder, ladders
from app.schema import specs
from models import Counter, DeskPool, Slot
from views.fields import EARLIEST, LATEST
from views.masters import MasterView


class LadderView(MasterView):
    show_template = "masters/ladder.html"

    def page(self, template: str, **values: Any) -> str:
        return super().page(template, now=context(db.session()).local(), one=timedelta(days=1), **values)

    def day(self) -> date:
        """The day that was asked for; tomorrow when none was, or none that can be."""
        try:
            wish = date.fromisoformat(request.args.get("day", ""))
        except ValueError:
            wish = date.min
        return wish if EARLIEST < wish < LATEST else context(db.session()).local().date() + timedelta(days=1)

    def words(self, day: date) -> str:
        return specs()[Slot].parts["slot_date"].shown(day)

    def ladders(self, row: Counter | DeskPool) -> list[Ladder]:
        mine = DeskPool.id == row.id if isinstance(row, DeskPool) else DeskPool.counter_id == row.id
        pools = select(DeskPool).where(mine).order_by(DeskPool.id).options(selectinload(DeskPool.categories))
        session = db.session()
        return ladders(session, session.scalars(pools).all(), self.day())
