"""Cards: when one is ready to be fetched, and until when."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.context import TOKYO
from models import CardState

NOTIFIED = (CardState.NOTIFIED, CardState.REMINDED)
"""The states in which the owner has the notice in hand. One whose notice came back (返戻) has it sent again first."""
KEPT_MONTHS = 3
"""How long a card is kept after its 督促状. 仮: the city's own policy was not found."""

_ENDED = {
    "issue_done": "交付が完了しています",
    "issue_cancelled": "交付が取りやめになっています",
    "reissue_requested": "再発行の依頼があったため、このカードは交付できません",  # 命令28条4項: it is dead from then on
    "revocation_done": "失効処理が済んでいます",
    "disposal_done": "廃棄されています",
}
_NEEDED = {
    "managed_from": "到着が記録されていません",
    "card_expiry": "カードの有効期限が登録されていません",
    "preset_date": "交付前設定が済んでいません",
    "notice_sent_date": "交付通知書を発送していません",
}


@dataclass(frozen=True)
class Window:
    """From when and until when a card can be fetched, both included, and where (number of the counter)."""

    counter_id: int
    first: date
    last: date


def is_ready(card: Any, now: datetime) -> bool:
    """The one rule of "ready for pick-up"."""
    return not why_not_ready(card, now)


def why_not_ready(card: Any, now: datetime) -> str:
    """What keeps a card from being fetched now, in words; empty when nothing does."""
    if why := _held_back(card):
        return why
    window, today = _window(card), now.astimezone(TOKYO).date()
    if today < window.first:
        return f"受け取れるのは{window.first:%Y-%m-%d}からです"
    if today > window.last:
        return f"受け取りの期限（{window.last:%Y-%m-%d}）が過ぎています"
    return ""


def window(card: Any) -> Window | None:
    """When and where a card can be fetched, whatever day it is; None while something but the calendar is in the way.

    `card` is anything with the columns of one.
    """
    return None if _held_back(card) else _window(card)


def _held_back(card: Any) -> str:
    if card.state not in NOTIFIED:
        return f"状態が「{CardState(card.state).label}」です"
    ended = next((words for name, words in _ENDED.items() if getattr(card, name)), "")
    missing = next((words for name, words in _NEEDED.items() if getattr(card, name) is None), "")
    if ended or missing:
        return ended or missing
    if not card.preset_done:
        return _NEEDED["preset_date"]
    if card.transit_to_id is not None:
        return "移送中です"
    if card.storage_site_id != card.issue_site_id:
        return "交付場所に保管されていません"
    return ""


def _window(card: Any) -> Window:
    """A card that lies where it is to be handed over can be fetched there, from the day of its notice on, as long as it is valid
    and kept."""
    kept = months_after(card.reminder_sent_date, KEPT_MONTHS) if card.reminder_sent_date else date.max
    first = max(card.managed_from, card.preset_date, card.notice_sent_date)
    return Window(card.issue_site_id, first, min(card.card_expiry, kept))


def months_after(day: date, months: int) -> date:
    """The same day some months later, or the last one of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


__all__ = ["KEPT_MONTHS", "NOTIFIED", "Window", "is_ready", "months_after", "why_not_ready", "window"]
