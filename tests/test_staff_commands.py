"""`flask staff …`: the first account of a production, by the same rules as the screen; and FAB's own commands do nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import ROOT
from models import OperationLog, Staff
from tests.conftest import csrf_token, sign_in

WORDS = {"last_name": "初代", "first_name": "一郎", "email": "first@example.invalid"}
NEW = "gozen rokuji ni okiru"


def run(app: Flask, *args: str) -> Result:
    with (
        app.app_context()
    ):  # a command keeps to the application that is at work, and the test's session is at work on the other site
        return app.test_cli_runner().invoke(args=["staff", *args])


def create(app: Flask, username: str = "first", *more: str, **typed: str) -> Result:
    options = [f"--{key.replace('_', '-')}={word}" for key, word in {**WORDS, **typed}.items()]
    return run(app, "create", username, *options, *(more or ("--role=admin",)))


def found(session: Session, username: str) -> Staff | None:
    session.rollback()
    return session.scalar(select(Staff).where(Staff.username == username))


def told(session: Session, code: str) -> list[OperationLog]:
    return list(session.scalars(select(OperationLog).where(OperationLog.action_code == code).order_by(OperationLog.id)))


def test_the_first_account_signs_in_through_its_link(staff_app: Flask, session: Session) -> None:
    done = create(staff_app, "first", "--role=admin", "--counter=tanigami", "--site=https://staff.example.jp")
    assert done.exit_code == 0, done.output
    path = re.search(r"https://staff\.example\.jp(/reset/\S+)", done.output)
    assert path
    person = found(session, "first")
    assert person and [c.code for c in person.counters] == ["tanigami"] and person.must_change_password
    [row] = [row for row in told(session, "staff.add") if row.detail.get("画面") == "コマンド"]
    assert (row.user_id, row.detail["内容"]) == ("system", "設定用リンクの発行")
    client = staff_app.test_client()
    token = csrf_token(client.get(path.group(1)).text)
    assert client.post(path.group(1), data={"csrf_token": token, "new": NEW, "again": NEW}).status_code == 302
    sign_in(staff_app.test_client(), "first", NEW)


@pytest.mark.parametrize(
    ("username", "typed", "more", "sentence"),
    [
        ("admin", {}, (), "すでに登録されています"),
        ("first", {"email": "nowhere"}, (), "name@example.jp の形"),
        ("first", {"last_name": "姓" * 65}, (), "64文字以内"),
        ("first", {"expires_on": "tomorrow"}, (), "有効期限"),
        ("first", {"department": "課123456789018"}, (), "個人番号"),
        ("first", {}, ("--role=emperor",), "「emperor」という役割はありません"),
        ("first", {}, ("--role=staff", "--counter=atlantis"), "「atlantis」という窓口はありません"),
    ],
)
def test_what_the_screen_refuses_the_command_refuses(
    username: str, typed: dict[str, str], more: tuple[str, ...], sentence: str, staff_app: Flask, session: Session
) -> None:
    done = create(staff_app, username, *more, **typed)
    assert done.exit_code == 1 and sentence in done.output and "Traceback" not in done.output
    assert found(session, "first") is None


def test_a_link_takes_the_old_password_away_and_is_logged(staff_app: Flask, session: Session) -> None:
    for _ in range(2):
        done = run(staff_app, "link", "STAFF")
        assert done.exit_code == 0 and "http://127.0.0.1:8001/reset/" in done.output
    assert len(told(session, "staff.password")) == 2
    person = found(session, "staff")
    assert person and person.password.startswith("!")
    assert (run(staff_app, "link", "nobody").exit_code, run(staff_app, "link").exit_code) == (1, 2)


def test_the_commands_explain_themselves(staff_app: Flask) -> None:
    assert "--role" in run(staff_app, "create", "--help").output and "--site" in run(staff_app, "link", "--help").output


@pytest.mark.parametrize(
    "args",
    [
        ["create-admin", "--username=x", "--firstname=x", "--lastname=x", "--email=x@example.invalid", "--password=x"],
        ["create-user", "--role=admin", "--username=x", "--firstname=x", "--lastname=x", "--email=x@y.invalid", "--password=x"],
        ["reset-password", "--username=admin", "--password=x"],
        ["list-users"],
        ["create-permissions"],
        ["security-cleanup"],
    ],
)
def test_the_commands_of_fab_do_nothing(args: list[str], tmp_path: Path) -> None:
    done = _flask(tmp_path, "fab", *args)
    assert done.returncode == 2 and "flask staff" in done.stderr, done.stderr


def test_the_commands_of_fab_are_not_listed(tmp_path: Path) -> None:
    listed = _flask(tmp_path, "--help").stdout
    assert re.search(r"^  staff ", listed, re.MULTILINE) and not re.search(r"^  fab ", listed, re.MULTILINE)


def _flask(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    settings = {"DATABASE_URL": f"sqlite:///{folder / 'x.db'}", "SECRET_KEY": "x" * 40, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "flask", *args], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=100, check=False
    )
