"""What the operation log and the histories hold, told as an inspector reads it: sentences, one a line, in the order of the act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.text import HIDDEN

_DONE = {"追加": "登録しました。", "変更": "変更しました。", "削除": "削除しました。"}
_KNOWN = ("対象", "番号", "種別", "項目")
_MOVED = "状態"


def headline(event: Mapping[str, Any]) -> str:
    """What happened, without any value that could be personal: the act, and the step of the state or which items changed."""
    act, changes = str(event.get("action", HIDDEN)), event.get("changes")
    if not isinstance(changes, dict) or not changes:
        return act
    if moved := changes.get(_MOVED):
        return f"{act}（{' → '.join(str(state) for state in moved if state)}）"
    return f"{act}（{'・'.join(changes)}）"


def lines(value: Any) -> list[str]:
    """A recorded event, or the detail of a row of the log."""
    if not isinstance(value, dict):
        return [_plain(value)] if value not in (None, "") else []
    return list(_event(value) if "action" in value else _detail(value))


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    who = event.get("by_name") or event.get("by")
    name = f"{who}（{event['by']}）" if event.get("by_name") and event.get("by") else who
    yield f"{name or '担当者の記録なし'}：「{event['action']}」"
    yield from _changes(event.get("changes"))
    told = {"action", "by", "by_name", "changes", "from", "to"}  # the step of the state stands among the changes, in words
    yield from (f"{key}：{_plain(inner)}" for key, inner in event.items() if key not in told)


def _detail(detail: Mapping[str, Any]) -> Iterator[str]:
    for key, inner in detail.items():
        if key == "変更" and isinstance(inner, list):
            for change in inner:
                number = f"（番号 {change['番号']}）" if change.get("番号") else ""
                yield f"{change.get('対象', '')}{number}を{_DONE.get(change.get('種別', ''), '変更しました。')}"
                yield from (f"　{line}" for line in _changes(change.get("項目")))
                yield from (f"　{more}：{_plain(change[more])}" for more in change if more not in _KNOWN)
        elif key == "申請書ID" and isinstance(inner, list):
            shown = list(dict.fromkeys(inner))
            yield f"表示した申請書（内部の番号）{len(shown)}件：{_plain(shown)}"
        else:
            yield f"{key}：{_plain(inner)}"


def _changes(changes: Any) -> Iterator[str]:
    for label, values in (changes if isinstance(changes, dict) else {}).items():
        old, new = values if isinstance(values, list) and len(values) == 2 else ("", values)
        yield f"「{label}」{_step(old, new)}"


def _step(old: Any, new: Any) -> str:
    if HIDDEN in (old, new):
        if old in ("", None):
            return "を入力しました（内容は記録しません）。"
        return "を消しました（内容は記録しません）。" if new in ("", None) else "を変えました（内容は記録しません）。"
    if old in ("", None):
        return f"を「{_plain(new)}」にしました。"
    return f"（{_plain(old)}）を消しました。" if new in ("", None) else f"を「{_plain(old)}」から「{_plain(new)}」に変えました。"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "、".join(f"{key}は{_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "、".join(_plain(inner) for inner in value)
    return str(value)
