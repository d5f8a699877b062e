"""Who acts in the demo, and the acts they leave in the operation log.

The accounts are those that `flask setup` makes with DEMO=1; the log keeps their names as snapshots, so it needs no row of theirs.
"""

from __future__ import annotations

from typing import NamedTuple

from app.audit import VERBS
from app.demo.masters import SITES
from models import ActionClass, Base, MyNumberAccess


class User(NamedTuple):
    user_id: str
    family: str
    given: str
    department: str
    network: str  # first three numbers of the office's address

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"


USERS = {
    user.user_id: user
    for user in (
        User("admin", "神戸", "管理", "情報化戦略部", "10.1.0"),
        User("manager", "本庁", "花子", "本庁マイナンバーカード担当", "10.1.2"),
        User("staff", "三宮", "太郎", "三宮サテライト", "10.1.10"),
        User("staff2", "長田", "次郎", "新長田サテライト", "10.1.30"),
        User("contractor", "委託", "三郎", "三宮サテライト受託事業者", "10.1.11"),
        User("operator", "電話", "桜", "マイナンバーコールセンター", "10.1.50"),
        User("auditor", "監査", "四郎", "監査事務局", "10.1.4"),
    )
}
# The staff member and the contractor of each satellite, in the order of SITES; where nobody is based, head office acts.
STAFF_OF = dict(zip(SITES, ("staff", "manager", "staff2", "manager"), strict=True))
CONTRACTOR_OF = dict(zip(SITES, ("contractor", "manager", "staff2", "manager"), strict=True))

_MORE = {"print": ("印刷", ActionClass.PRINT)}
_LABELS = {mapper.class_.__tablename__: mapper.class_.__label__ for mapper in Base.registry.mappers}
_LABELS |= {"form": "入力", "access": "アクセス"}


class Doing(NamedTuple):
    """One user at one kind of act: the columns of a log row that depend on nothing else."""

    head: tuple[str, str, str, str, str, str]  # user_id, user_name, department, action_class, action_code, action_name
    client: str
    access: str  # 個人番号アクセスログ


def _doing(user_id: str, noun: str, verb: str) -> Doing:
    user = USERS[user_id]
    name, kind = (VERBS | _MORE)[verb]
    head = (user.user_id, user.name, user.department, kind.value, f"{noun}.{verb}", f"{_LABELS.get(noun, '')} {name}".strip())
    access = MyNumberAccess.REFUSED if noun == "form" else MyNumberAccess.NONE
    return Doing(head, f"{user.network}.{20 + len(noun)} Edge", access.value)


class Doings(dict[tuple[str, str, str], Doing]):
    """(user, noun, verb) → `Doing`, each made when first asked for."""

    def __missing__(self, key: tuple[str, str, str]) -> Doing:
        made = self[key] = _doing(*key)
        return made
