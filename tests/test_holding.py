"""Who may hold what: nobody widens or ends their own account, an administrator always remains, roles do not lend each other reach."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import holding
from app.errors import AppError
from app.rules.accounts import reach
from models import Staff
from models.base import table_of
from tests import rows
from tests.conftest import House
from tests.pages import fill, form, post, words

ROLES, STAFF = table_of(Role), table_of(Staff)
Browse = Callable[[str], FlaskClient]


def person(session: Session, username: str) -> Staff:
    session.rollback()
    return session.scalars(select(Staff).where(Staff.username == username)).one()


def role(session: Session, name: str) -> Role:
    return session.scalars(select(Role).where(Role.name == name)).one()


def give(session: Session, username: str, *names: str) -> None:
    person(session, username).roles = [role(session, name) for name in names]
    session.commit()


@pytest.mark.parametrize(
    ("roles", "far"),
    [
        ([], "none"),
        (["staff"], "own"),
        (["admin", "manager"], "all"),
        (["staff", "manager"], "own"),
        (["operator", "contractor"], "own"),
        (["admin", "maintainer"], "none"),
        (["auditor", "受付補助"], "own"),
    ],
)
def test_an_account_reaches_as_far_as_its_narrowest_role(roles: list[str], far: str) -> None:
    assert reach(roles) == reach(roles[::-1]) == far


def test_a_clerk_who_also_answers_the_telephone_opens_no_card_of_another_counter(browse: Browse, session: Session) -> None:
    """The call centre sees every counter's bookings and no card, the clerk cards of one counter: together not every card."""
    theirs = rows.fill(session, "gakuen-toshi", name="秘密　花子")
    session.commit()
    give(session, "staff", "staff", "operator")
    clerk = browse("staff")
    for path in (f"/card/show/{theirs['card']}", f"/card/edit/{theirs['card']}", f"/reservation/show/{theirs['reservation']}"):
        assert clerk.get(path).status_code == 404, path
    assert "秘密" not in clerk.get("/card/list/").text


@pytest.mark.parametrize(
    ("key", "typed", "label"),
    [
        ("roles", ["staff"], "役割"),
        ("roles", ["admin", "manager"], "役割"),
        ("active", "", "有効"),
        ("expires_on", "2020-01-01", "有効期限"),
        ("expires_on", "2199-01-01", "有効期限"),
    ],
)
def test_nobody_changes_what_their_own_account_may_do(key: str, typed: Any, label: str, browse: Browse, session: Session) -> None:
    admin, own = browse("admin"), person(session, "admin")
    entered = [str(role(session, name).id) for name in typed] if key == "roles" else typed
    answer = fill(admin, f"/staff/edit/{own.id}", **{key: entered})
    assert answer.status_code == 422 and f"自分の「{label}」は変えられません" in words(answer.text)
    own = person(session, "admin")
    assert (own.active, own.expires_on, [r.name for r in own.roles]) == (True, None, ["admin"])


def test_ones_own_name_may_be_changed(browse: Browse, session: Session) -> None:
    own = person(session, "admin")
    assert fill(browse("admin"), f"/staff/edit/{own.id}", department="別の部").status_code == 303
    assert person(session, "admin").department == "別の部"


def test_another_administrator_may_be_ended_but_not_the_last(browse: Browse, session: Session) -> None:
    give(session, "manager", "admin")
    first, second = person(session, "admin").id, browse("manager")
    assert fill(second, f"/staff/edit/{first}", active="").status_code == 303
    assert person(session, "admin").active is False


@pytest.mark.parametrize("change", ["active", "expires_on", "roles"])
def test_the_last_administrator_stays_whoever_asks(change: str, session: Session) -> None:
    """A command or a job, which is nobody's account, cannot lock everybody out either."""
    last = person(session, "admin")
    setattr(last, change, {"active": False, "expires_on": rows.NOW.date().replace(year=2020), "roles": []}[change])
    with pytest.raises(AppError, match="管理できる人がいなくなります") as refusal:
        session.commit()
    assert refusal.value.field == change
    session.rollback()
    assert holding.is_managed(session, ("can_edit", "Staff")), "nothing is half changed"


def test_an_administrator_whose_time_is_over_does_not_count(session: Session) -> None:
    give(session, "manager", "admin")
    person(session, "manager").expires_on = rows.NOW.date().replace(year=2020)
    session.commit()
    person(session, "admin").active = False
    with pytest.raises(AppError, match="管理できる人がいなくなります"):
        session.commit()
    session.rollback()


def test_two_administrators_at_once_leave_somebody(database: House, browse: Browse, session: Session) -> None:
    """While one ends the only holder of the other role, nobody takes the right from the first: each would count on the other."""
    second = Role(name="第二管理者", permissions=list(role(session, "admin").permissions))
    session.add(second)
    person(session, "manager").roles = [second]
    session.commit()
    manager, path = browse("manager"), f"/role/edit/{role(session, 'admin').id}"
    sent = form(manager.get(path).text)
    sent["right"] = [right for right in sent["right"] if right != "can_edit Role"]
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(manager.post(path, data=sent)))
    with session.get_bind().connect() as first:  # type: ignore[union-attr]
        first.execute(select(ROLES.c.id).order_by(ROLES.c.id).with_for_update())
        first.execute(update(STAFF).where(STAFF.c.username == "manager").values(expires_on=rows.NOW.date().replace(year=2020)))
        asking.start()
        asking.join(1)
        assert asking.is_alive(), "the second change waits for the first"
        first.commit()
    asking.join(30)
    assert answers[0].status_code in (302, 403, 422), "refused, or no longer signed in"
    session.rollback()
    assert holding.is_managed(session, ("can_edit", "Role"))


def test_nobody_adds_rights_to_a_role_that_they_hold(browse: Browse, session: Session) -> None:
    admin, path = browse("admin"), f"/role/edit/{role(session, 'admin').id}"
    sent = form(admin.get(path).text)
    answer = post(admin, path, {**sent, "right": [*sent["right"], "can_export_personal PersonalData"]})
    assert answer.status_code == 422 and "自分が持っている役割に権限を足すことはできません" in words(answer.text)
    fewer = post(admin, path, {**sent, "right": [right for right in sent["right"] if right != "can_list Card"]})
    assert fewer.status_code == 303
