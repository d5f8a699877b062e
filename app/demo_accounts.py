"""The accounts of a trial: one a role, with made-up names, all with one password; and the counters they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import passwords
from app.demo.masters import ensure_masters
from app.rules.accounts import ROLES
from models import Counter, Employer, Operator, Staff


@dataclass(frozen=True)
class Account:
    username: str
    family: str
    given: str
    department: str
    role: str
    counters: tuple[str, ...] = ()
    employer: Employer = Employer.CITY

    @property
    def role_label(self) -> str:
        return ROLES[self.role]


ACCOUNTS = (
    Account("admin", "神戸", "管理", "情報化戦略部", "admin"),
    Account("manager", "本庁", "花子", "本庁マイナンバーカード担当", "manager"),
    Account("staff", "三宮", "太郎", "三宮サテライト", "staff", ("sannomiya",)),
    Account("staff2", "長田", "次郎", "新長田サテライト", "staff", ("shin-nagata",)),
    Account("contractor", "委託", "三郎", "三宮サテライト受託事業者", "contractor", ("sannomiya",), Employer.CONTRACTOR),
    Account("operator", "電話", "桜", "マイナンバーコールセンター", "operator", (), Employer.CONTRACTOR),
    Account("auditor", "監査", "四郎", "監査事務局", "auditor"),
    Account("maintainer", "保守", "五月", "運用保守事業者", "maintainer", (), Employer.CONTRACTOR),
)


def install(session: Session, once: Callable[[str], bool], password: str, *, forced: bool) -> str:
    """Makes the accounts that are missing. A password that was asked for by name (`forced`) is set on all of them.

    Gives back the password, or nothing when an earlier set-up chose another one that this one left alone.
    """
    ensure_masters(session.connection())
    there = {user.username: user for user in session.scalars(select(Staff))}
    hashed = passwords.hashed(password)
    for account in ACCOUNTS:
        user = there.get(account.username)
        if user is None and once(f"account:{account.username}"):
            there[account.username] = user = _made(session, account)
            user.password = hashed
        elif user is not None and forced and not passwords.matches(user.password, password):
            user.password = hashed
    _operator(session, once, hashed, forced=forced)
    first = there.get(ACCOUNTS[0].username)
    return password if first is not None and passwords.matches(first.password, password) else ""


def _operator(session: Session, once: Callable[[str], bool], hashed: str, *, forced: bool) -> None:
    """The call centre's account at the residents' site (`/operator`)."""
    row = session.scalar(select(Operator).where(Operator.username == "operator"))
    if row is None and once("operator:operator"):
        row = Operator(username="operator", full_name="電話 桜", department="マイナンバーコールセンター", password=hashed)
        session.add(row)
    elif row is not None and forced:
        row.password = hashed


def _made(session: Session, account: Account) -> Staff:
    user = Staff(
        username=account.username,
        last_name=account.family,
        first_name=account.given,
        active=True,
        employer=account.employer,
        email=f"{account.username}@example.invalid",
        department=account.department,
        roles=list(session.scalars(select(Role).where(Role.name == account.role))),
        counters=list(session.scalars(select(Counter).where(Counter.code.in_(account.counters)))),
    )
    session.add(user)
    return user
