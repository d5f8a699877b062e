"""Who may do what: the one table of roles and rights (written once by `flask setup`; afterwards the administrators' own)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Literal

from app.schema import Spec, specs
from models import Channel

Reach = Literal["all", "own", "none"]

VIEW = ("can_list", "can_show")
EDIT = (*VIEW, "can_add", "can_edit", "can_delete", "can_import")
EXPORT = ("can_export",)
ADD = (*VIEW, "can_add")
CHECK_IN, BOOK, RESEND, LINK = ("can_check_in",), ("can_book",), ("can_resend",), ("can_link",)

ROLES: dict[str, str] = {
    "admin": "システム管理者",
    "manager": "本庁担当",
    "staff": "サテライト職員",
    "contractor": "委託業者",
    "operator": "コールセンター",
    "auditor": "監査",
    "maintainer": "運用保守",
}
REACH: dict[str, Reach] = {
    "admin": "all",
    "manager": "all",
    "staff": "own",
    "contractor": "own",
    "operator": "all",
    "auditor": "all",
    "maintainer": "none",
}
RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "admin": {
        "reservations": VIEW,
        "cards": VIEW,
        "shipments": VIEW,
        "masters": EDIT,
        "users": EDIT + LINK,
        "log": VIEW,
        "counter_work": VIEW,
    },
    "manager": {
        "reservations": EDIT + EXPORT + CHECK_IN + BOOK + RESEND,
        "cards": EDIT + EXPORT,
        "shipments": EDIT + EXPORT,
        "images": VIEW + EXPORT,
        "masters": EDIT + EXPORT,
        "users": VIEW,
        "log": VIEW + EXPORT,
        "counter_work": EDIT + EXPORT,
    },
    "staff": {
        "reservations": EDIT + EXPORT + CHECK_IN + BOOK + RESEND,
        "cards": EDIT + EXPORT,
        "shipments": EDIT + EXPORT,
        "images": EDIT + EXPORT,
        "masters": VIEW,
        "counter_work": EDIT + EXPORT,
    },
    "contractor": {
        "reservations": VIEW + CHECK_IN,
        "cards": ADD,
        "shipments": (*ADD, "can_edit"),
        "images": (*ADD, "can_import"),
        "masters": VIEW,
        "counter_work": ADD,
    },
    "operator": {"reservations": (*VIEW, "can_edit", *BOOK, *RESEND), "masters": VIEW},
    "auditor": {"users": VIEW, "log": VIEW + EXPORT},
    "maintainer": {},
}
CHANNELS: dict[str, tuple[Channel, ...]] = {
    "manager": (Channel.COUNTER, Channel.RESERVE, Channel.CALLCENTER, Channel.WEB),
    "operator": (Channel.CALLCENTER, Channel.WEB),
}
"""Whose places a role may take when it books for somebody, their own first; others take 窓口 and 公開."""
PERSONAL = ("can_export_personal", "PersonalData")
"""Export with personal columns unmasked: a right of its own, beside the right to export the table."""
ROLE_RIGHTS = (("can_list", "Role"), ("can_edit", "Role"))
"""To see and to change what roles may do: given with the accounts."""
PERSONAL_ROLES = ("manager",)


def plain(username: str) -> str:
    """A user name as accounts hold it: in one width, without capitals, so that nobody is a second person in other letters."""
    return unicodedata.normalize("NFKC", username).strip().lower()


def reach(roles: list[str]) -> Reach:
    """How far an account sees: as far as the narrowest of its roles, or the rights of one would reach as far as another's.
    A role that an administrator made sees its own counters."""
    reaches = {REACH.get(role, "own") for role in roles} or {"none"}
    return min(reaches, key=("none", "own", "all").index)


def channels(roles: list[str]) -> tuple[Channel, ...]:
    """The channels whose places an account may take."""
    return next((CHANNELS[role] for role in CHANNELS if role in roles), (Channel.COUNTER, Channel.WEB))


def rights_of(role: str) -> Iterator[tuple[str, str]]:
    """(permission, view) pairs of a role as first installed."""
    for spec in specs().values():
        for verb in RIGHTS[role].get(spec.area, ()):
            if verb in offered(spec):
                yield verb, spec.permission
    yield from (right for right in ROLE_RIGHTS if right[0] in RIGHTS[role].get("users", ()))
    if role in PERSONAL_ROLES:
        yield PERSONAL


def offered(spec: Spec) -> tuple[str, ...]:
    """Permissions that make sense for a table: nobody can be given the right to edit the log."""
    more = [
        verb
        for verb, may in (
            ("can_add", spec.can_add),
            ("can_edit", spec.can_change),
            ("can_delete", spec.can_delete),
            ("can_import", spec.can_add and spec.has_files),
            ("can_export", spec.has_files),
        )
        if may
    ]
    return (*VIEW, *more, *spec.acts)
