"""The commands: `flask setup`, `flask staff …`, `flask slots …`, `flask jobs …`, `flask demo …`, `flask schema …`, and Flask-Migrate's `flask db …`.

What only a command needs is imported by it, because every serving process imports this file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, FlaskGroup, with_appcontext
from flask_migrate import Migrate
from sqlalchemy.exc import DBAPIError

from app import schema, soundness
from app.context import TOKYO, acting, system
from app.errors import AppError
from app.extensions import db
from app.rules.opening import days_ahead, open_slots
from config import ROOT, described
from models import Base

if TYPE_CHECKING:
    from app.demo.volumes import VolumeName


def init(app: Flask) -> None:
    """Puts the commands on an application."""
    Migrate(app, db, directory=str(ROOT / "migrations"))
    for command in (setup, staff_group, slots, jobs_group, demo_group, schema_group, invariants):
        app.cli.add_command(command)
    _without_fab()


def _without_fab() -> None:
    """FAB's own commands make accounts, passwords and rights past our rules and the log. Flask finds them by itself, before the
    application, so they are stopped where they need one, and left out of the list."""
    here = click.get_current_context(silent=True)
    while here:
        if here.info_name == "fab":
            raise click.UsageError("flask fab は使えません。利用者は flask staff、役割と権限は画面で管理してください。")
        if isinstance(here.command, FlaskGroup):
            here.command.commands.pop("fab", None)
        here = here.parent


def in_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that fails says so in a sentence and leaves with 1; a traceback is for defects only."""

    @wraps(command)
    def spoken(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(error.message) from error
        except DBAPIError as error:
            raise click.ClickException(f"データベースを使えません: {str(error.orig).splitlines()[0]}") from error

    return spoken


@click.command(
    help="データベースを最新の形にし、役割・区分コード・手数料・保存年限を用意します（DEMO=1 ではデモの窓口とアカウントも）。"
)
@with_appcontext
@in_words
def setup() -> None:
    from app.installing import install

    outcome = install(current_app._get_current_object())  # type: ignore[attr-defined]
    click.echo(
        f"準備ができました（新しく入れたもの {outcome.added} 件）。"
        if outcome.added
        else "準備はできています。変更はありません。"
    )
    if outcome.demo_password:
        click.echo(f"デモアカウントのパスワード: {outcome.demo_password}")


staff_group = AppGroup("staff", help="利用者（職員サイトのアカウント）")
LINK = "次のリンクを本人に渡してください。24時間以内に一度だけ、パスワードを設定できます。"


def _site(command: Any) -> Any:
    return click.option("--site", default="", help="リンクの先頭に付ける、職員サイトのアドレス（省略すると設定 STAFF_SITE）")(
        command
    )


def _staff_site() -> str:
    return current_app.config["STAFF_SITE"] or "http://127.0.0.1:8001"


@staff_group.command(
    "create", help="利用者を登録し、パスワードを設定するリンクを表示します。画面と同じ規則で調べ、操作ログに残します。"
)
@click.argument("username")
@click.option("--last-name", required=True, help="姓")
@click.option("--first-name", required=True, help="名")
@click.option("--email", required=True, help="メールアドレス")
@click.option("--role", "roles", multiple=True, required=True, help="役割（admin、manager など。複数指定できます）")
@click.option("--counter", "counters", multiple=True, help="担当窓口のコード（複数指定できます）")
@click.option("--department", default="", help="部課名")
@click.option("--employer", type=click.Choice(["city", "contractor"]), default="city", show_default=True, help="職員か事業者か")
@click.option("--expires-on", default="", help="有効期限（2027-03-31 の形）")
@_site
@in_words
def create_account(roles: tuple[str, ...], counters: tuple[str, ...], site: str, **entry: str) -> None:
    from app import staff_commands

    made = staff_commands.create(
        db.session(), {**entry, "active": "1"}, roles=roles, counters=counters, site=site or _staff_site()
    )
    click.echo(f"利用者 {entry['username']} を登録しました。{LINK}\n{made}")


@staff_group.command("link", help="利用者のいまのパスワードを無効にし、新しく設定するリンクを表示します。")
@click.argument("username")
@_site
@in_words
def link(username: str, site: str) -> None:
    from app import staff_commands

    click.echo(f"{LINK}\n{staff_commands.link(db.session(), username, site=site or _staff_site())}")


slots = AppGroup("slots", help="予約枠")


@slots.command("open", help="マスタ（開設時間・休業日・窓口枠）から、今日以降の予約枠を作り、または合わせます。")
@click.option("--days", type=click.IntRange(0, 400), help="何日先まで開くか（省略すると、予約できる最も先の日より少し先まで）")
@in_words
def open_(days: int | None) -> None:
    session = db.session()
    with acting(session, system("予約枠の開放")):
        written = open_slots(session, today=today(), days=days_ahead(session) if days is None else days)
        session.commit()
    click.echo(f"予約枠を {written:,} 件、作成または変更しました。")


jobs_group = AppGroup("jobs", help="定時の仕事")


@jobs_group.command(
    "worker", help="メールの送信、仮押えの期限切れ、予約枠の開放などの仕事を、止めるまで続けます（数秒・1分・1時間ごと）。"
)
@click.option("--once", is_flag=True, help="一度だけ行って終わります。失敗した仕事があれば 1 で終わります（cron 向け）。")
@in_words
def worker(once: bool) -> None:
    from app import serving

    app, stop = current_app._get_current_object(), threading.Event()  # type: ignore[attr-defined]
    if not once:
        serving.listen_for_stop(stop)
        click.echo("定時の仕事を始めました。止めるには Ctrl+C を押してください。")
        thread = serving.start_work(app, stop)
        while thread.is_alive():
            thread.join(1)
    elif failed := serving.work_once(app):
        raise click.ClickException(f"失敗した仕事があります: {'、'.join(failed)}")


demo_group = AppGroup("demo", help="デモデータ")


@demo_group.command("load", help="空のデータベースに、つくりものの業務データを入れます。同じ種からは同じデータができます。")
@click.option("--years", default=1, show_default=True, help="何年分か")
@click.option(
    "--volume", type=click.Choice(["small", "kobe"]), default="small", show_default=True, help="small は少量、kobe は実際の規模"
)
@click.option("--seed", default=1, show_default=True, help="乱数の種")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="データの終わりの日（省略すると今日）")
@in_words
def load_command(years: int, volume: VolumeName, seed: int, until: datetime | None) -> None:
    load_demo(years=years, volume=volume, seed=seed, until=until.date() if until else today())


def load_demo(*, years: int, volume: VolumeName, seed: int, until: date) -> None:
    """Loads demo data and shows how far it has come."""
    from tqdm import tqdm

    from app import demo

    with tqdm(bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}", disable=None) as bar:

        def show(what: str, done: int, total: int) -> None:
            bar.desc, bar.n, bar.total = what, done, total
            bar.refresh()

        counts = demo.load(
            db.engine,
            demo.Plan(years=years, volume=volume, seed=seed, until=until),
            current_app.extensions["keys"],
            progress=show,
        )
    for table, count in counts.items():
        click.echo(f"{_label_of(table)}  {count:,} 件")


def _label_of(table: str) -> str:
    label: str = next(mapper.class_.__label__ for mapper in Base.registry.mappers if mapper.class_.__tablename__ == table)
    return label


@click.command("invariants", help="予約と予約枠の間でいつも成り立つはずのことを数え直し、破れがあれば 1 で終わります。")
@with_appcontext
@in_words
def invariants() -> None:
    from app.rules import invariants as rules

    with acting(db.session(), system("整合性の確認")):
        found = rules.check(db.session(), datetime.now(UTC))
    for finding in found:
        click.echo(f"{'×' if finding.broken else '○'} {finding.rule}{f'（破れ {finding.broken:,}件）' if finding.broken else ''}")
    if any(finding.broken for finding in found):
        raise click.ClickException("破れがあります。システム担当に伝えてください。")


schema_group = AppGroup("schema", help="表の定義")


@schema_group.command("check", help="表の宣言（ラベル・範囲・検索など）に矛盾がないかを調べます。")
@in_words
def check() -> None:
    if faults := soundness.check():
        raise click.ClickException("\n".join(faults))
    click.echo(f"{len(schema.specs())} 表の宣言に矛盾はありません。")


@schema_group.command("docs", help="定義から、データ辞書と設定の一覧（docs/data-dictionary.md と settings.md）を書き出します。")
@in_words
def docs() -> None:
    from app import dictionary

    pages = {"data-dictionary.md": dictionary.page(), "settings.md": dictionary.settings_page(described())}
    for name, words in pages.items():
        (ROOT / "docs" / name).write_text(words, encoding="utf-8")
        click.echo(f"docs/{name} を書き出しました。")


def today() -> date:
    return datetime.now(TOKYO).date()
