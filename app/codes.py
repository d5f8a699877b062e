"""区分コード: the code lists that the office keeps itself, as names for screens and choices for forms."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import context
from app.schema import code_lists, specs
from models import CodeItem

Lists = dict[str, dict[str, str]]


def names(session: Session) -> Lists:
    """list → value → name of every code, retired ones too."""
    return _read(session)[0]


def choices(session: Session, list_name: str, *, keep: str | None = None) -> list[tuple[str, str]]:
    """Values that may be chosen today, and the one a row already has even if it was retired since."""
    lists, active = _read(session)
    return [(value, name) for value, name in lists.get(list_name, {}).items() if (list_name, value) in active or value == keep]


def _read(session: Session) -> tuple[Lists, set[tuple[str, str]]]:
    """Every name, and what is in use; read once a request."""
    cache = context(session).cache
    if "codes" not in cache:
        columns = (CodeItem.list_name, CodeItem.value, CodeItem.name, CodeItem.is_active)
        items = session.execute(select(*columns).order_by(CodeItem.sort_order, CodeItem.id)).all()
        found: Lists = {}
        for item in items:
            found.setdefault(item.list_name, {})[item.value] = item.name
        active = {(item.list_name, item.value) for item in items if item.is_active}
        found["code_list"] = code_lists()
        cache["codes"] = found, active | {("code_list", name) for name in found["code_list"]}
    read: tuple[Lists, set[tuple[str, str]]] = cache["codes"]
    return read


def is_used(session: Session, item: CodeItem) -> bool:
    """Whether a row anywhere holds this code; the database cannot tell, because codes are referred to by their word."""
    for spec in specs().values():
        for part in spec.parts.values():
            if part.field.codes == item.list_name:
                holds = select(spec.model.id).where(getattr(spec.model, part.key) == item.value).limit(1)
                if session.scalar(holds.execution_options(unscoped=True)) is not None:
                    return True
    return False
