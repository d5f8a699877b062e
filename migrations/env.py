"""How migrations run: one transaction for the whole way, on both databases, and one deploy at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import click
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, TypeDecorator, text

from app import append_only, code_checks, search_index  # noqa: F401 - imported, code_checks has Alembic compare the values of codes
from models import metadata

LOCK = 0x6B6F6265  # "kobe": the advisory lock of migrations


def number(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Revisions are numbered; one that would change nothing is not written."""
    script = directives[0]
    if script.upgrade_ops.is_empty() and getattr(context.config.cmd_opts, "autogenerate", False):
        directives[:] = []
        click.echo("表の定義に変更はありません。")
    elif len(script.rev_id) != 4:
        known = [r.revision for r in ScriptDirectory.from_config(context.config).walk_revisions()]
        script.rev_id = f"{max((int(r) for r in known if r.isdigit()), default=0) + 1:04d}"


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our own column types are written as what the database stores, so that no revision depends on today's code."""
    return f"sa.{item.impl_instance!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def say(ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]) -> None:
    revision: Any = step.up_revision
    click.echo(f"{'+' if step.is_upgrade else '-'} {revision.revision} {revision.doc}")


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """A second deploy waits for the first. SQLite's transaction is that lock already; its foreign keys must rest, because
    a column is changed there by dropping and renaming the table, which would take the rows that refer to it along."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '120s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        yield
        return
    append_only.watch(connection)
    yield
    search_index.mend(connection)
    append_only.mend(connection)
    if broken := connection.execute(text("PRAGMA foreign_key_check")).fetchall():
        raise RuntimeError(f"foreign keys are broken in {sorted({row[0] for row in broken})}")


def set_foreign_keys(connection: Connection, word: str) -> None:
    if connection.dialect.name == "sqlite":  # outside any transaction: inside one it does nothing
        connection.connection.cursor().execute(f"PRAGMA foreign_keys = {word}")


def run() -> None:
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        set_foreign_keys(connection, "OFF")
        try:
            context.configure(
                connection=connection,
                target_metadata=metadata,
                compare_type=True,
                render_as_batch=True,
                transactional_ddl=True,
                include_name=search_index.is_compared,
                render_item=plain_type,
                process_revision_directives=number,
                on_version_apply=say,
                autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
            )
            with context.begin_transaction(), one_at_a_time(connection):
                context.run_migrations()
        finally:
            set_foreign_keys(connection, "ON")


if context.is_offline_mode():
    raise SystemExit("SQL だけの出力（--sql）には対応していません。")
run()
