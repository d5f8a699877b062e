"""What stands beside a table in the database and SQLAlchemy does not know: an index of its own kind, triggers.

Alembic makes and undoes each by a pair of operations on a table, `op.create_search_index("card")` and `op.drop_search_index("card")`;
`flask db migrate` writes them by itself, and `flask db check` misses one that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority
from sqlalchemy import Connection, MetaData

Act = Callable[[Connection, str], None]
"""What an operation does to a table."""


class TableOperation(MigrateOperation):
    """One half of a pair: what makes, or what undoes."""

    difference: str
    undone_by: type[TableOperation]

    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def perform(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))

    def reverse(self) -> MigrateOperation:
        return self.undone_by(self.table)

    def to_diff_tuple(self) -> tuple[str, str]:
        return self.difference, self.table


def pair(
    what: str,
    making: tuple[str, Act],
    undoing: tuple[str, Act],
    *,
    existing: Callable[[Connection], set[str]],
    wanted: Callable[[MetaData], set[str]],
) -> None:
    """Teaches Alembic two operations by their names, and which tables have and which should have what they make."""
    make, undo = _operation(f"add_{what}", *making), _operation(f"remove_{what}", *undoing)
    make.undone_by, undo.undone_by = undo, make

    @comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
    def compare(context: AutogenContext, upgrade: UpgradeOps, _schemas: set[str | None]) -> None:
        """What is made comes after its table; what is undone before it, so that the way back is in order too."""
        assert context.connection is not None
        assert isinstance(context.metadata, MetaData)
        there, needed = existing(context.connection), wanted(context.metadata)
        upgrade.ops.extend(make(table) for table in sorted(needed - there))
        upgrade.ops[:0] = [undo(table) for table in sorted(there - needed)]


def _operation(difference: str, name: str, act: Act) -> type[TableOperation]:
    kind: type[TableOperation] = type(name, (TableOperation,), {"difference": difference})
    Operations.register_operation(name, "perform")(kind)

    @Operations.implementation_for(kind)
    def do(operations: Operations, operation: TableOperation) -> None:
        connection: Any = operations.get_bind()
        act(connection, operation.table)

    @renderers.dispatch_for(kind)
    def render(_context: AutogenContext, operation: TableOperation) -> str:
        return f"op.{name}({operation.table!r})"

    return kind
