"""区分コード: the code lists that the office keeps itself, as names for screens and choices for forms."""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.constraints import USED
from app.context import context
from app.errors import AppError
from app.plans import PREPARED
from app.schema import code_lists, specs
from models import CodeItem

FIXED = "ほかのデータから使われているため、コード種別と値は変更できません。名称を変えるか、使用中を外してください。"
Lists = dict[str, dict[str, str]]
_ITEMS = (
    select(CodeItem.list_name, CodeItem.value, CodeItem.name, CodeItem.is_active)
    .order_by(CodeItem.sort_order, CodeItem.id)
    .execution_options(unscoped=True, **PREPARED)  # a master has no scope
)


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
        items = session.execute(_ITEMS).all()
        found: Lists = {}
        for item in items:
            found.setdefault(item.list_name, {})[item.value] = item.name
        active = {(item.list_name, item.value) for item in items if item.is_active}
        found["code_list"] = code_lists()
        cache["codes"] = found, active | {("code_list", name) for name in found["code_list"]}
    read: tuple[Lists, set[tuple[str, str]]] = cache["codes"]
    return read


def refuse_if_used(session: Session, list_name: str, value: str, sentence: str) -> None:
    """Stops a code that rows hold from going; the database cannot tell, because codes are referred to by their word."""
    for spec in specs().values():
        for part in spec.parts.values():
            if part.field.codes == list_name:
                holds = select(spec.model.id).where(getattr(spec.model, part.key) == value).limit(1)
                if session.scalar(holds.execution_options(unscoped=True)) is not None:
                    raise AppError(sentence)


def keep_used(session: Session) -> None:
    """A code that rows hold is neither deleted nor given another list or value, whatever screen, file or job asks for it."""
    for row in session.deleted:
        if isinstance(row, CodeItem):
            refuse_if_used(session, row.list_name, row.value, USED)
    for row in session.dirty:
        if isinstance(row, CodeItem) and (before := _key_before(row)) != (row.list_name, row.value):
            refuse_if_used(session, *before, FIXED)


def _key_before(item: CodeItem) -> tuple[str, str]:
    """What the rows that hold a code know it by."""
    attributes = inspect(item).attrs
    old_list, old_value = ((attributes[key].history.deleted or [getattr(item, key)])[0] for key in ("list_name", "value"))
    return old_list, old_value
