"""操作ログ: one row per act, and the history of every change of a card.

Changes are gathered at each flush and written in the transaction that makes them, so no screen, import, command or job can
forget them. Acts that change nothing are written by the edge in a short transaction of their own (`write_alone`).
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, insert, inspect
from sqlalchemy.orm import Session, SessionTransaction, object_session

from app import codes, text
from app.context import Act, Context, context
from app.parts import Part
from app.schema import Spec, spec_of, specs
from models import ActionClass, Card, MyNumberAccess, OperationLog
from models.base import table_of

VERBS: dict[str, tuple[str, ActionClass]] = {
    "list": ("一覧", ActionClass.SEARCH),
    "show": ("参照", ActionClass.READ),
    "pick": ("候補検索", ActionClass.SEARCH),
    "add": ("登録", ActionClass.ADD),
    "edit": ("更新", ActionClass.EDIT),
    "delete": ("削除", ActionClass.DELETE),
    "export": ("出力", ActionClass.EXPORT),
    "print": ("印刷", ActionClass.PRINT),
    "import": ("取り込み", ActionClass.ADD),
    "sign_in": ("サインイン", ActionClass.AUTH),
    "sign_out": ("サインアウト", ActionClass.AUTH),
    "refused": ("拒否", ActionClass.AUTH),
    "expired": ("時間切れ", ActionClass.AUTH),
    "password": ("パスワード変更", ActionClass.AUTH),
    "book": ("予約", ActionClass.ADD),
    "lookup": ("予約照会", ActionClass.READ),
    "unlock": ("交付通知書の照合", ActionClass.READ),
    "arrive": ("来庁の記録", ActionClass.EDIT),
    "undo": ("来庁の記録の取り消し", ActionClass.EDIT),
    "cancel": ("キャンセル", ActionClass.EDIT),
    "move": ("日時の変更", ActionClass.EDIT),
    "hold": ("仮押え", ActionClass.ADD),
    "let_go": ("仮押えの取りやめ", ActionClass.EDIT),
    "resend": ("送り直し", ActionClass.EDIT),
    "setting": ("設定", ActionClass.SETTING),
}
_CHANGING = (ActionClass.ADD, ActionClass.EDIT, ActionClass.DELETE)
UNCHANGED = "（変更なし）"
"""Behind the name of an act that was to change something and did not (refused, wrong, a look before an import): in the list of the
log it must not look like one that did."""
_TOLD = ("対象", "番号", "種別", "項目", "範囲を越える理由")
CHANGE = {"add": "追加", "edit": "変更", "delete": "削除"}
LOG = table_of(OperationLog)
_WRITE = insert(LOG).inline()  # whoever may only write the log is not told the number of the row
_LISTED_CHANGES = 200  # one import may touch thousands of rows: the row says how many, and shows these


def declare(session: Session, noun: str, verb: str, label: str = "", **detail: Any) -> Act:
    """Says what this request or job is doing; later words about the same act are added to its detail."""
    context(session).act = found = act(noun, verb, label, **detail)
    return found


def act(noun: str, verb: str, label: str = "", **detail: Any) -> Act:
    """An act by its name. `declare` it, unless its row is written by itself."""
    name, kind = VERBS[verb]
    return Act(code=f"{noun}.{verb}", name=f"{label} {name}".strip(), kind=kind, detail=dict(detail))


@contextmanager
def apart(session: Session, noun: str, verb: str, label: str, **detail: Any) -> Iterator[None]:
    """What is done inside is an act of its own beside the one under way: its own row of the log, in the same transaction."""
    current = context(session)
    session.flush()
    outer, current.act, current.changes = (current.act, current.changes), act(noun, verb, label, **detail), []
    try:
        yield
        session.flush()
        session.execute(_WRITE, row_of(current))
    finally:
        current.act, current.changes = outer


def note(session: Session, **detail: Any) -> None:
    """Adds to the detail of the act under way."""
    if act := context(session).act:
        act.detail.update(detail)


class Digest:
    """What a list or a file is recognised by, in letters: a row of digits might be taken for a 個人番号."""

    def __init__(self, content: bytes = b"") -> None:
        self._hash = hashlib.sha256(content)

    def add(self, key: object) -> None:
        """One more of a list of keys."""
        self._hash.update(f"{key}\n".encode())

    def words(self) -> str:
        return base64.b32encode(self._hash.digest()).decode().rstrip("=")


def _gather(session: Session, flush: Any) -> None:
    """`flush` knows of every deletion; `session.deleted` leaves out rows that went because their parent let go of them."""
    current = context(session)
    gone = [state.obj() for state, (is_deleted, is_only_listed) in flush.states.items() if is_deleted and not is_only_listed]
    changed, histories = [row for row in session.dirty if row not in gone], defaultdict(list)
    for verb, rows in (("add", session.new), ("edit", changed), ("delete", gone)):
        for row in rows:
            spec = spec_of(type(row))
            if spec is None or isinstance(row, OperationLog):
                continue
            parts = _changed(spec, row, verb)
            lists = codes.names(session) if any(part.shape == "codes" for part in parts) else {}
            if parts or verb == "delete":
                change = _change(spec, row, verb, parts if len(current.changes) < _LISTED_CHANGES else {}, lists)
                current.changes.append(change | ({"範囲を越える理由": current.widened} if current.widened else {}))
            if parts and spec.history:
                histories[spec].append(_history(current, spec, row, verb, parts, lists))
    for spec, lines in histories.items():
        target = next(s for s in specs().values() if s.name == spec.history)
        session.execute(insert(table_of(target.model)), lines)


def added(spec: Spec, row: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """The change that a new row is, for a rule that writes it without a flush; `names` are those of its relations."""
    return _change(spec, row, "add", _of_new(spec, row, names))


def tell(session: Session, spec: Spec, verb: str, **words: Any) -> None:
    """A change that a rule made by statements instead of rows, thousands at a time, told as one."""
    told = {label: [None, str(value)] for label, value in words.items()}
    context(session).changes.append(_entry(spec, verb, told))


def _of_new(spec: Spec, row: Any, names: Mapping[str, str]) -> dict[Part, tuple[Any, Any]]:
    """Every value of a new row, defaults included."""
    values = ((p, names[p.key] if p.key in names else getattr(row, p.key)) for p in spec.parts.values() if _is_told(p))
    return {part: (None, value) for part, value in values if value not in (None, "", [], {})}


def _is_told(part: Part) -> bool:
    """What every row has by itself tells nothing."""
    return not part.field.auto and part.key != "row_stamp"


def _changed(spec: Spec, row: Any, verb: str) -> dict[Part, tuple[Any, Any]]:
    """Old and new value of each part that changed."""
    if verb == "delete":
        return {}
    if verb == "add":
        return _of_new(spec, row, {})
    found: dict[Part, tuple[Any, Any]] = {}
    same = inspect(row).unmodified  # asking every attribute for its history is what most of a large flush would go to
    for part in filter(_is_told, spec.parts.values()):
        if part.key in same and part.fk in same and not part.is_many:
            continue
        history = inspect(row).attrs[part.key].history
        if history.has_changes():
            found[part] = _many(history) if part.is_many else ((history.deleted or [None])[0], (history.added or [None])[0])
        elif part.is_relation and not part.is_many and (key := inspect(row).attrs[part.fk].history).has_changes():
            found[part] = _named(row, part, (key.deleted or [None])[0]), _named(row, part, getattr(row, part.fk))
    return found


def _named(row: Any, part: Part, key: Any) -> Any:
    """The row a key stands for, so that the log names it; the bare key when its row cannot be seen."""
    session = object_session(row)
    return (session.get(part.target, key) if session and key is not None else None) or key


def _many(history: Any) -> tuple[list[Any], list[Any]]:
    kept = list(history.unchanged)
    return kept + list(history.deleted), kept + list(history.added)


def _change(
    spec: Spec, row: Any, verb: str, parts: dict[Part, tuple[Any, Any]], lists: codes.Lists | None = None
) -> dict[str, Any]:
    """One row's change for the log. `lists`: the office's code lists, so that it says 新規 and not "new"."""
    key = inspect(row).identity[0] if inspect(row).identity else getattr(row, "id", None)
    told = {p.label: [p.logged(old, lists), p.logged(new, lists)] for p, (old, new) in parts.items()}
    return _entry(spec, verb, told, number=key, card=card_of(row))


def _entry(spec: Spec, verb: str, told: dict[str, Any], *, number: Any = None, card: int | None = None) -> dict[str, Any]:
    return {
        "対象": spec.label,
        "番号": number,
        "種別": CHANGE[verb],
        "noun": spec.name,
        "verb": verb,
        "card": card,
        "項目": told,
    }


def card_of(row: Any) -> int | None:
    """The card a row is about: its own key, or that of the card it belongs to."""
    return row.id if isinstance(row, Card) else getattr(row, "card_id", None)


def keys_of(rows: Iterable[Any]) -> dict[str, list[int]]:
    """Which records were shown: the cards that rows are about, and the numbers of rows that are about none."""
    rows = list(rows)
    cards, others = [c for row in rows if (c := card_of(row))], [row.id for row in rows if not card_of(row)]
    return {"申請書ID": cards} | ({"表示した番号": others} if others else {})


def _history(
    current: Context, spec: Spec, row: Any, verb: str, parts: dict[Part, tuple[Any, Any]], lists: codes.Lists
) -> dict[str, Any]:
    """A row of the table's history: who changed what, in full."""
    happened = {
        "action": CHANGE[verb],
        "by": current.actor.user_id,
        "by_name": current.actor.name,
        "changes": {p.label: [p.shown(old, lists), p.shown(new, lists)] for p, (old, new) in parts.items()},
    }
    return {f"{spec.name}_id": row.id, "event": happened, "updated_at": current.now()}


def _write_with_changes(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint ends, which SQLAlchemy announces like a commit; the act goes on
    session.flush()
    current = context(session)
    if not current.changes:
        return
    session.execute(_WRITE, row_of(current))
    current.changes, current.act = [], None


def row_of(current: Context) -> dict[str, Any]:
    """The log row of the act under way. An act nobody declared is named after its first change."""
    act = current.act or _named_after(current.changes[0])
    detail = {k: v for k, v in act.detail.items() if v not in (None, "", [], {})}
    if current.changes:
        detail["変更"] = [{k: c[k] for k in _TOLD if k in c} for c in current.changes[:_LISTED_CHANGES]]
        detail["変更件数"] = len(current.changes)
    cards = [c["card"] for c in current.changes if c["card"]]
    actor = current.actor
    # No 個人番号 should have come this far; if one has, the log says so instead of keeping it.
    told, client = text.without_personal_numbers(detail), _client(actor.client)
    is_found = act.personal_number or told != detail or client != actor.client
    return {
        "started_at": current.started_at,
        "ended_at": current.now(),
        "user_id": actor.user_id,
        "user_name": actor.name,
        "department": actor.department,
        "action_class": act.kind,
        "action_code": act.code,
        "action_name": act.name if current.changes or act.kind not in _CHANGING else f"{act.name}{UNCHANGED}",
        "detail": told,
        "my_number_access": MyNumberAccess.REFUSED if is_found else MyNumberAccess.NONE,
        "application_id": act.application_id or (cards[0] if cards else None),
        "client_info": client[:300],
        "request_id": current.request_id,
    }


def _client(words: str) -> str:
    """Address and program of the caller. What the program calls itself is anybody's text; an address may look like a 個人番号 and is none."""
    address, blank, program = words.partition(" ")
    return f"{address}{blank}{text.hide_personal_numbers(program)}"


def _named_after(change: dict[str, Any]) -> Act:
    name, kind = VERBS[change["verb"]]
    return Act(code=f"{change['noun']}.{change['verb']}", name=f"{change['対象']} {name}", kind=kind)


def write_alone(connection: Connection, current: Context) -> None:
    """Writes the row of an act that changed nothing (or whose changes were rolled back)."""
    current.changes = []
    connection.execute(_WRITE, row_of(current))


def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        context(session).cache[transaction] = len(context(session).changes)


def _forget(session: Session, transaction: SessionTransaction) -> None:
    """What was rolled back did not happen: all of it, or what followed the savepoint."""
    del context(session).changes[context(session).cache.pop(transaction, 0) :]


def attach(session_class: type[Session]) -> None:
    event.listen(session_class, "after_flush", _gather)
    event.listen(session_class, "before_commit", _write_with_changes)
    event.listen(session_class, "after_transaction_create", _mark)
    event.listen(session_class, "after_soft_rollback", _forget)
