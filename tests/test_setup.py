"""`flask setup`: from nothing to a product that can be worked with, and nothing changes the second time."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from flask_appbuilder.security.sqla.models import PermissionView, Role
from sqlalchemy import create_engine, delete, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from app import create_app, passwords, text
from app.context import TOKYO, acting, system
from app.demo_accounts import ACCOUNTS
from app.extensions import db
from app.installing import install
from app.rules import accounts
from config import ROOT, Settings
from models import Card, CodeItem, Counter, Employer, FeeRule, Installed, OperationLog, RetentionRule, Slot, Staff
from tests import samples
from tests.conftest import House
from tests.databases import PASSWORD, Database, Postgres, Sqlite, kinds


def role(session: Session, name: str) -> set[tuple[str, str]]:
    found = session.scalars(select(Role).where(Role.name == name)).one()
    return {(p.permission.name, p.view_menu.name) for p in found.permissions}


@pytest.mark.parametrize("name", list(accounts.ROLES))
def test_each_role_has_the_rights_of_the_table(session: Session, name: str) -> None:
    assert role(session, name) == set(accounts.rights_of(name))


def test_nobody_is_all_powerful_and_the_public_has_no_rights(session: Session) -> None:
    assert set(session.scalars(select(Role.name))) == set(accounts.ROLES)
    everything = set().union(*(accounts.rights_of(name) for name in accounts.ROLES))
    assert all(set(accounts.rights_of(name)) < everything for name in accounts.ROLES)


def test_there_is_one_demo_account_a_role_with_its_counters(session: Session) -> None:
    users = {user.username: user for user in session.scalars(select(Staff))}
    assert set(users) == {"admin", "manager", "staff", "staff2", "contractor", "operator", "auditor", "maintainer"}
    assert {name: [c.code for c in user.counters] for name, user in users.items() if user.counters} == {
        "staff": ["sannomiya"],
        "contractor": ["sannomiya"],
        "staff2": ["shin-nagata"],
    }
    assert users["contractor"].employer is Employer.CONTRACTOR
    assert all(passwords.matches(user.password, PASSWORD) for user in users.values())
    assert all(user.department and user.full_name for user in users.values())


def test_code_lists_fees_and_retention_are_there(session: Session) -> None:
    lists = set(session.scalars(select(CodeItem.list_name)))
    assert lists == {"issue_kind", "registration_reason", "card_status", "business_class", "document_class", "visit_reason"}
    express = session.scalars(select(FeeRule).where(FeeRule.issue_kind == "express")).one()
    assert (f"{express.valid_from}", express.amount) == ("2024-12-02", 2000)
    application = session.scalars(select(RetentionRule).where(RetentionRule.document_class == "application")).one()
    assert (application.years, application.basis.label) == (15, "受理日から")


def test_doing_it_again_changes_nothing(database: House, resident_app: Flask, session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(OperationLog))
    session.rollback()
    assert install(resident_app).added == 0
    assert session.scalar(select(func.count()).select_from(OperationLog)) == before


def test_an_administrators_changes_stay(resident_app: Flask, session: Session) -> None:
    clerk = session.scalars(select(Role).where(Role.name == "staff")).one()
    taken = next(p for p in clerk.permissions if (p.permission.name, p.view_menu.name) == ("can_delete", "Shipment"))
    clerk.permissions.remove(taken)
    session.delete(session.scalars(select(Role).where(Role.name == "operator")).one())
    session.scalars(select(CodeItem).where(CodeItem.value == "express")).one().name = "特急発行"
    session.delete(session.scalars(select(CodeItem).where(CodeItem.value == "suspended")).one())
    session.delete(session.scalars(select(FeeRule).where(FeeRule.registration_reason == "other")).one())
    session.commit()
    install(resident_app)
    assert ("can_delete", "Shipment") not in role(session, "staff")
    assert session.scalars(select(Role).where(Role.name == "operator")).all() == []
    assert session.scalars(select(CodeItem.name).where(CodeItem.value == "express")).one() == "特急発行"
    assert session.scalars(select(CodeItem).where(CodeItem.value == "suspended")).all() == []
    assert session.scalars(select(FeeRule).where(FeeRule.registration_reason == "other")).all() == []


def test_rights_that_a_new_version_brings_reach_the_roles(resident_app: Flask, session: Session) -> None:
    """As before the version that brought shipments: neither their rights nor the memory of them."""
    gone = [p for p in session.scalars(select(PermissionView)) if p.view_menu.name == "Shipment"]
    for permission in gone:
        permission.role.clear()
    clerk = session.scalars(select(Role).where(Role.name == "staff")).one()
    clerk.permissions = [p for p in clerk.permissions if (p.permission.name, p.view_menu.name) != ("can_edit", "Card")]
    session.flush()
    for permission in gone:
        session.delete(permission)
    session.execute(delete(Installed).where(Installed.name.like("right:% Shipment")).execution_options(by_rule="test"))
    session.commit()
    install(resident_app)
    assert {pair for pair in role(session, "staff") if pair[1] == "Shipment"} == {
        p for p in accounts.rights_of("staff") if p[1] == "Shipment"
    }
    assert ("can_edit", "Card") not in role(session, "staff")  # what the administrator took away stays away


def test_rows_are_found_by_columns_that_a_new_version_searches(resident_app: Flask, session: Session) -> None:
    """As after a migration that brought the search key: older rows have none."""
    card: Any = samples.card(session, name="山田 太郎")
    session.commit()
    stamp = card.row_stamp
    session.execute(sql("UPDATE card SET search_key = ''"))
    session.execute(delete(Installed).where(Installed.name.like("search:card:%")).execution_options(by_rule="test"))
    session.commit()
    install(resident_app)
    session.expire_all()
    place = text.place(card.issue_site_id)
    assert (card.search_key, card.row_stamp) == (f"山田 田太 太郎 | ヤマ マダ ダタ タロ ロウ | {place}", stamp)


def test_without_demo_there_are_no_accounts_and_no_counters(tmp_path: Path) -> None:
    app = create_app("resident", Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/a.db", secret_key="test " * 10))
    assert install(app).demo_password == ""
    with app.app_context(), acting(db.session(), system("テスト")):
        assert [db.session.scalar(select(func.count()).select_from(model)) for model in (Staff, Counter, Slot)] == [0, 0, 0]
        assert db.session.scalar(select(func.count()).select_from(Role))
        db.engine.dispose()


@pytest.fixture(params=kinds())
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    place: Database = Sqlite(tmp_path) if request.param == "sqlite" else Postgres()
    place.make()
    yield place
    place.drop()


def run(url: str, *words: str, **values: Any) -> Result:
    """A command, in this process."""
    app = create_app("resident", Settings(_env_file=None, database_url=url, secret_key="test " * 10, **values))
    try:
        return app.test_cli_runner().invoke(args=words)
    finally:
        with app.app_context():
            db.engine.dispose()


def flask(*words: str, **environment: str) -> subprocess.Popen[str]:
    """A command as people type it."""
    return subprocess.Popen(
        [Path(sys.executable).parent / "flask", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": "test " * 10, "PYTHONWARNINGS": "ignore", **environment},
    )


def ends(url: str) -> tuple[date | None, date | None]:
    """The last day on which anything has happened, and the last one with places."""
    engine = create_engine(url)
    with Session(engine) as session:
        last = session.scalar(select(func.max(Card.application_date))), session.scalar(select(func.max(Slot.slot_date)))
    engine.dispose()
    return last


def test_from_an_empty_database_to_a_working_day(empty: Database) -> None:
    """The commands of an administrator, in order."""
    made = run(empty.url, "setup", demo=True, demo_password=PASSWORD)
    assert (made.exit_code, f"デモアカウントのパスワード: {PASSWORD}" in made.output) == (0, True)
    again = run(empty.url, "setup", demo=True)
    assert "変更はありません" in again.output
    assert "デモアカウントのパスワード" not in again.output  # this one does not know it
    opened = run(empty.url, "slots", "open", "--days", "7")
    assert int(re.sub(r"\D", "", opened.output)) > 100
    assert "予約枠を 0 件" in run(empty.url, "slots", "open", "--days", "7").output
    with time_machine.travel(datetime(2026, 5, 12, 0, 30, tzinfo=TOKYO)):  # in UTC it is still the 11th
        loaded = run(empty.url, "demo", "load", "--volume", "small")
    assert ends(empty.url) == (date(2026, 5, 11), date(2026, 7, 11)), "until today, and sixty days of places"
    assert (loaded.exit_code, bool(re.search(r"操作ログ  \d{1,3},\d{3} 件", loaded.output))) == (0, True)
    twice = run(empty.url, "demo", "load")
    assert (twice.exit_code, "空のデータベースにだけ" in twice.output, "Traceback" in twice.output) == (1, True, False)


def test_demo_accounts_without_a_password_get_one_that_is_made_up_and_kept(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.VAR", tmp_path / "var")
    made = run(empty.url, "setup", demo=True).output
    told = re.search(r"デモアカウントのパスワード: (\S{16,})", made)
    assert told
    kept = tmp_path / "var" / "demo_password"
    assert (kept.read_text().strip(), _mode(kept), _mode(kept.parent)) == (told.group(1), 0o600, 0o700)
    assert run(empty.url, "setup", demo=True).output.count(told.group(1)) == 1, "the same one the next time"


def test_what_a_trial_keeps_is_its_owners_from_the_moment_it_is_made(tmp_path: Path) -> None:
    """Whatever the umask, and by no later change of mode."""
    script = (
        "import os, sys; os.umask(0); os.chmod = os.fchmod = None\n"
        "from sqlalchemy import text; from app import create_app, private; from app.extensions import db; from pathlib import Path\n"
        "from config import Settings; var = Path(sys.argv[1]); private.secret(var / 'secret_key', 48)\n"
        "app = create_app('staff', Settings(_env_file=None, database_url=f'sqlite:///{var}/app.db', secret_key='x' * 40))\n"
        "with app.app_context(), db.engine.begin() as connection:\n"
        "    connection.execute(text('CREATE TABLE x (y)'))\n"
        "    for path in (var, *sorted(var.iterdir())): print(path.name, oct(path.stat().st_mode & 0o777))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "var")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert done.stdout.split() == [
        "var",
        "0o700",
        "app.db",
        "0o600",
        "app.db-shm",
        "0o600",
        "app.db-wal",
        "0o600",
        "secret_key",
        "0o600",
    ]


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("mode", [[], ["--once"]])
def test_the_worker_does_its_work_and_ends_when_told(mode: list[str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    assert run(url, "setup", demo=True, demo_password=PASSWORD).exit_code == 0
    worker = flask("jobs", "worker", *mode, DATABASE_URL=url)
    if not mode:
        assert worker.stdout and "定時の仕事を始めました" in worker.stdout.readline()
        worker.terminate()
    said, wrong = worker.communicate(timeout=100)
    assert (worker.returncode, "Traceback" in said + wrong) == (0, False)
    if mode:
        with closing(sqlite3.connect(tmp_path / "app.db")) as look:
            assert look.execute("SELECT count(*) FROM slot").fetchone()[0] > 1000


def test_a_worker_whose_work_fails_says_which(tmp_path: Path) -> None:
    worker = flask("jobs", "worker", "--once", DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    _, wrong = worker.communicate(timeout=100)
    assert (worker.returncode, "失敗した仕事があります" in wrong) == (1, True)


def test_two_deploys_at_once(empty: Database) -> None:
    """They wait for each other; only the first finds anything to do."""
    together = [flask("setup", DATABASE_URL=empty.url, DEMO="1", DEMO_PASSWORD=PASSWORD) for _ in range(2)]
    said = [process.communicate(timeout=100) for process in together]
    assert [process.returncode for process in together] == [0, 0], said
    assert sorted("変更はありません" in words for words, _ in said) == [False, True]


@pytest.mark.parametrize("words", [("setup",), ("slots", "open"), ("demo", "load")])
def test_a_command_without_its_database_says_so_in_a_sentence(words: tuple[str, ...]) -> None:
    done = run("postgresql://nobody@127.0.0.1:1/none", *words)
    assert (done.exit_code, done.output.startswith("Error: データベースを使えません")) == (1, True)


@pytest.mark.parametrize("words", [("setup",), ("slots", "open"), ("demo", "load"), ("schema", "check"), ("schema", "docs")])
def test_every_command_explains_itself_in_japanese(resident_app: Flask, words: tuple[str, ...]) -> None:
    said = resident_app.test_cli_runner().invoke(args=[*words, "--help"])
    assert said.exit_code == 0
    assert re.search("[ぁ-ん]", said.output.split("Options:")[0])


def test_schema_check_passes_and_reports(resident_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    run = resident_app.test_cli_runner().invoke
    assert run(args=["schema", "check"]).exit_code == 0
    monkeypatch.setattr("app.soundness.check", lambda: ["S001 models.x.X: __label__ and __group__ must be set"])
    failed = run(args=["schema", "check"])
    assert (failed.exit_code, "S001 models.x.X" in failed.output) == (1, True)


def test_accounts_are_told_by_their_roles() -> None:
    assert [account.role_label for account in ACCOUNTS][:2] == ["システム管理者", "本庁担当"]
