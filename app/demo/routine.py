"""Acts that belong to no card's life: signing in, looking things up, printing, exporting, settings, a refusal now and then."""

from __future__ import annotations

from random import Random

from app.demo.actors import USERS
from app.demo.diary import Diary

_OPENS, _HOURS = 9 * 3600, 39_000
# (user, noun, verb, detail, whether a card is meant); common ones stand several times.
_ACTS = (
    *(
        (who, "card", "list", detail, False)
        for who in ("staff", "staff2", "contractor", "manager")
        for detail in (
            '{"条件": "検索語: 2文字", "件数": 50}',
            '{"条件": "状態: 通知済", "件数": 50}',
            '{"条件": "検索語: 4文字", "件数": 3}',
        )
    ),
    *((who, "card", "show", "", True) for who in ("staff", "staff2", "contractor", "manager") * 4),
    *(
        (who, "reservation", "list", '{"条件": "予約日付: 今日", "件数": 50}', False)
        for who in ("staff", "staff2", "operator", "manager")
    ),
    ("manager", "shipment", "list", '{"条件": "返戻日: あり", "件数": 31}', False),
    ("staff", "document", "show", "", True),
    ("contractor", "document", "import", '{"件数": 40}', False),
    ("contractor", "shipment", "print", '{"件数": 20, "様式": "宛名"}', False),
    ("manager", "card", "export", '{"目的": "月次報告", "件数": 812}', False),
    ("auditor", "operation_log", "list", '{"条件": "処理分類: 出力", "件数": 50}', False),
)
_OPENED = '{"変更": [{"対象": "窓口", "番号": 1, "種別": "変更", "項目": {"備考": ["", "臨時休業あり"]}}], "変更件数": 1}'
_RARE = (
    ("admin", "counter", "setting", _OPENED),
    ("manager", "card_note", "delete", '{"結果": "処理履歴は削除できません"}'),
    ("contractor", "access", "refused", '{"対象": "操作ログ", "方法": "GET"}'),
    ("staff", "form", "refused", '{"対象": "カード", "結果": "個人番号のため拒否"}'),
    ("staff2", "session", "expired", "{}"),
    ("admin", "session", "password", "{}"),
    ("manager", "code_item", "add", '{"変更件数": 1}'),
)


class Routine:
    """Brings the log of a day to its size: so many rows a card, whatever the day's own work has left."""

    def __init__(self, rng: Random, diary: Diary, applications: dict[int, int], per_card: int) -> None:
        self._random, self._diary = rng.random, diary
        self._applications, self._per_card, self._short = applications, per_card, 0

    def fill(self, day: int, cards: int) -> None:
        self._diary.log_batches(day)
        self._short += self._applications[day] * self._per_card - self._diary.logged(day)
        if self._short > 2 * len(USERS) + 1:
            self._sign_in(day)
            self._rare(day)
            for _ in range(self._short - 2 * len(USERS) - 1):
                self._act(day, cards)
            self._short = 0

    def _sign_in(self, day: int) -> None:
        for user in USERS:
            second = _OPENS + int(1800 * self._random())
            self._diary.log(day, second, user, "session", "sign_in", "{}")
            self._diary.log(day, second + 30_000, user, "session", "sign_out", "{}")

    def _rare(self, day: int) -> None:
        who, noun, verb, detail = _RARE[day % len(_RARE)]
        self._diary.log(day, _OPENS + 20_000, who, noun, verb, detail)

    def _act(self, day: int, cards: int) -> None:
        r = self._random
        who, noun, verb, detail, about_card = _ACTS[int(r() * len(_ACTS))]
        card = 1 + int(r() * cards) if about_card and cards else None
        self._diary.log(day, _OPENS + int(r() * _HOURS), who, noun, verb, detail or f'{{"番号": {card or 0}}}', card)
