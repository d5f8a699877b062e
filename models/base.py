"""What a model class says about itself: the one place where a table's words are declared.

A class below `Base` names its table, its Japanese label, its menu group and its scope; `column()` and
`relation()` put the words of each column beside the column. Everything generated (screens, forms, files,
rights, log, documentation) reads them from here through `app.schema.Spec`. What the class is given for them
(keys, indexes, RowStamp, search key) is made by `models.making`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from flask_appbuilder import Model
from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase, Mapped

from models import making
from models.words import (
    CAPITALS,
    DIGITS,
    PERSONAL_NUMBER_EXEMPT,
    BigId,
    Code,
    Field,
    UtcDateTime,
    code_type,
    coded,
    column,
    index_of,
    only,
    relation,
    rule,
)

metadata = Model.metadata
# FAB leaves its own tables unnamed; ours need names, because SQLite can only alter what has one.
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table of ours.

    `__label__` the table's name · `__group__` its menu · `__scope__` the relation(s) or path that decide who sees a row
    (None: everybody with the right) · `__area__` its row in the table of rights · `__master__` kept in the masters' room
    · `__append_only__` rows are written once · `__history__` name of the table that receives one row per change
    · `__ahead__` rows lie in days to come: the list opens at today and runs forward
    · `__writable__` False: rows come from rules, no form adds or changes them · `__addable__`, `__deletable__` False: rows begin
    or end by a rule of their own · `__inline_of__` the relation whose page edits
    these rows inline · `__periods__` the columns from when and until when a row holds, and those in which rows are of the same kind:
    two of a kind do not hold at once · `__acts__` rights of its own beside seeing and editing, with their words
    · `__files__` False: neither exported nor imported · `__internal__` no screen at all.
    """

    metadata = metadata
    __label__: ClassVar[str] = ""
    __group__: ClassVar[str] = ""
    __scope__: ClassVar[str | tuple[str, ...] | None] = None
    __area__: ClassVar[str] = "counter_work"
    __master__: ClassVar[bool] = False
    __append_only__: ClassVar[bool] = False
    __history__: ClassVar[str | None] = None
    __internal__: ClassVar[bool] = False
    __ahead__: ClassVar[bool] = False
    __order__: ClassVar[tuple[str, str]] = ("id", "desc")
    __writable__: ClassVar[bool] = True
    __addable__: ClassVar[bool] = True
    __deletable__: ClassVar[bool] = True
    __inline_of__: ClassVar[str] = ""
    __files__: ClassVar[bool] = True
    __acts__: ClassVar[dict[str, str]] = {}
    __periods__: ClassVar[tuple[str, ...]] = ()
    __indexed__: ClassVar[tuple[tuple[str, ...], ...]] = ()

    is_correctable: ClassVar[bool] = False
    """A row that says so may have its `edit="add"` columns put right."""

    if TYPE_CHECKING:  # given to the classes that need them, see below
        row_stamp: Mapped[int]
        search_key: Mapped[str]

    def __init_subclass__(cls, **kw: Any) -> None:
        if not cls.__dict__.get("__abstract__"):
            making.make(cls)
        super().__init_subclass__(**kw)


def table_of(model: Any) -> Table:
    """The table of a model, for statements that name columns rather than rows."""
    return cast(Table, model.__table__)


__all__ = [
    "CAPITALS",
    "DIGITS",
    "PERSONAL_NUMBER_EXEMPT",
    "Base",
    "BigId",
    "Code",
    "Field",
    "UtcDateTime",
    "code_type",
    "coded",
    "column",
    "index_of",
    "metadata",
    "only",
    "relation",
    "rule",
    "table_of",
]
