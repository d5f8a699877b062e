"""Declarations and migrations, checked on throw-away databases: SQLite, and PostgreSQL when there is one."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import alembic.command

from app import create_app, soundness
from app.installing import migrate
from config import Settings
from tests.databases import Database, Postgres, Sqlite, kinds


def main() -> None:
    faults = soundness.check()
    for fault in faults:
        print(fault, file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds():
            check(Sqlite(Path(folder)) if kind == "sqlite" else Postgres())
            print(f"{kind}: 表の定義とマイグレーションは一致しています。")
    sys.exit(1 if faults else 0)


def check(place: Database) -> None:
    place.make()
    app = create_app("resident", Settings(_env_file=None, database_url=place.url, secret_key="x" * 40))
    try:
        with app.app_context():
            migrate(app)
            alembic.command.check(app.extensions["migrate"].migrate.get_config())
    except alembic.util.CommandError as error:
        sys.exit(str(error))
    finally:
        place.drop()


if __name__ == "__main__":
    main()
