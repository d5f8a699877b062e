"""The masters of the demo: the four satellites with hours, desks and closures, and the four procedures.

Inserted row by row where missing, so that `flask setup` may call it on any database and changes made on screen stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from sqlalchemy import Connection, insert, select

from app import text
from app.demo import translations
from app.demo.days import year_end
from models import BookingCategory, Counter, CounterClosure, CounterHours, DeskPool, Translation, VisitPurpose, Weekday
from models.making import searched_as
from models.masters import desk_pool_category

SITES = ("sannomiya", "tanigami", "shin-nagata", "gakuen-toshi")
CLOSURE_YEARS = range(2020, 2032)
YEAR_END = "年末年始"

_INVENTED = "所在地と電話番号は仮のものです。"
COUNTERS: list[dict[str, Any]] = [
    {
        "code": "sannomiya",
        "name": "三宮サテライト",
        "postal_code": "6500021",
        "address": "兵庫県神戸市中央区三宮町9丁目99番1号（仮）",
        "phone": "0780000001",
        "sort_order": 1,
        "note": f"開設時間は公開資料で確認できず、毎日9:30–17:30と仮定。{_INVENTED}",
    },
    {
        "code": "tanigami",
        "name": "谷上サテライト",
        "postal_code": "6511245",
        "address": "兵庫県神戸市北区谷上東町99番2号（仮）",
        "phone": "0780000002",
        "sort_order": 2,
        "note": _INVENTED,
    },
    {
        "code": "shin-nagata",
        "name": "新長田サテライト",
        "postal_code": "6530041",
        "address": "兵庫県神戸市長田区久保町9丁目99番3号（仮）",
        "phone": "0780000003",
        "sort_order": 3,
        "note": _INVENTED,
    },
    {
        "code": "gakuen-toshi",
        "name": "学園都市サテライト",
        "postal_code": "6512103",
        "address": "兵庫県神戸市西区学園西町9丁目99番4号（仮）",
        "phone": "0780000004",
        "sort_order": 4,
        "note": _INVENTED,
    },
]
_DAYTIME, _EVENING = (time(9, 30), time(17, 30)), (time(12, 0), time(20, 0))

_IDENTITY = "本人確認書類（運転免許証、パスポートなど1点。お持ちでない方は、健康保険の資格確認書、年金手帳などから2点）"
CATEGORIES: list[dict[str, Any]] = [
    {
        "code": "pickup",
        "name": "交付時来庁",
        "purpose": VisitPurpose.PICKUP,
        "minutes": 20,
        "max_party": 4,
        "earliest_days": 45,
        "latest_days": 3,
        "sort_order": 1,
        "summary": "できあがったマイナンバーカードを受け取ります。",
        "asks_notice": True,
        "required_items": f"交付通知書（はがき）\n{_IDENTITY}\n通知カード（お持ちの方）\n住民基本台帳カード（お持ちの方）\nいまのマイナンバーカード（更新の方）",
        "notes": "カードを受け取るご本人がお越しください。15歳未満の方は、法定代理人と一緒にお越しください。",
    },
    {
        "code": "apply",
        "name": "申請時来庁",
        "purpose": VisitPurpose.APPLY,
        "minutes": 30,
        "max_party": 4,
        "earliest_days": 45,
        "latest_days": 3,
        "sort_order": 2,
        "summary": "窓口で申請し、カードは後日郵送で受け取ります。写真は無料で撮影します。",
        "required_items": f"{_IDENTITY}\n通知カード（お持ちの方）\n住民基本台帳カード（お持ちの方）",
        "notes": "カードは本人限定受取郵便または書留でお送りします。住民票の住所でお受け取りください。",
    },
    {
        "code": "reissue",
        "name": "再発行",
        "purpose": VisitPurpose.REISSUE,
        "minutes": 30,
        "max_party": 2,
        "earliest_days": 45,
        "latest_days": 1,
        "sort_order": 3,
        "summary": "紛失、破損などで、カードをもう一度つくります。",
        "required_items": f"{_IDENTITY}\nいまのマイナンバーカード（破損の方）\n警察の遺失届の受理番号（外出先で紛失した方）\n手数料",
        "notes": "紛失したときは、先にコールセンターでカードの一時停止をしてください。",
    },
    {
        "code": "certificate",
        "name": "電子証明書更新",
        "purpose": VisitPurpose.CERTIFICATE,
        "minutes": 20,
        "max_party": 4,
        "earliest_days": 45,
        "latest_days": 3,
        "sort_order": 4,
        "summary": "カードの電子証明書の有効期限を延ばします。",
        "required_items": "マイナンバーカード\n有効期限通知書（お持ちの方）",
        "notes": "数字4桁の暗証番号と、6文字以上の暗証番号を窓口で入力します。",
    },
]
# Desks of a satellite: what they serve, and places per half hour for 公開, コールセンター, 窓口, 予備.
DESKS: dict[str, tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]]] = {
    "交付窓口": (("pickup", "reissue"), (5, 3, 2, 1), (3, 2, 1, 1)),
    "申請・更新窓口": (("apply", "certificate", "reissue"), (5, 2, 1, 1), (3, 1, 1, 1)),
}
_PLACES = ("web_places", "callcenter_places", "counter_places", "reserve_places")
_RELEASED = {"callcenter_release_hours": 48, "reserve_release_hours": 24}


def ensure_masters(connection: Connection, years: Iterable[int] = CLOSURE_YEARS) -> None:
    """Inserts the counters, procedures, 年末年始 and 訳語 that are missing; touches nothing that is there."""
    categories = _ensure_categories(connection)
    known = set(connection.scalars(select(Counter.code)))
    for counter in COUNTERS:
        if counter["code"] not in known:
            _add_counter(connection, counter, categories)
    _ensure_closures(connection, years)
    _ensure_translations(connection)


def _add(connection: Connection, model: Any, **values: Any) -> int:
    """Inserts one row with its search key, and says its number."""
    table = model.__table__
    if "search_key" in table.c:
        values["search_key"] = text.search_key(
            [values.get(c.key) for c in table.c if searched_as(c.type, c.info.get("field")) == "name"]
        )
    number: int = connection.execute(insert(table).values(**values)).inserted_primary_key[0]  # type: ignore[index]
    return number


def _ensure_categories(connection: Connection) -> dict[str, int]:
    known = {code: number for number, code in connection.execute(select(BookingCategory.id, BookingCategory.code))}
    for category in CATEGORIES:
        if category["code"] not in known:
            known[category["code"]] = _add(connection, BookingCategory, **category)
    return known


def _add_counter(connection: Connection, counter: dict[str, Any], categories: dict[str, int]) -> None:
    number = _add(connection, Counter, **counter)
    daily = counter["code"] == "sannomiya"
    for weekday in Weekday if daily else list(Weekday)[2:]:
        weekend = weekday in (Weekday.SAT, Weekday.SUN)
        opens, closes = _DAYTIME if daily or weekend else _EVENING
        _add(connection, CounterHours, counter_id=number, weekday=weekday, opens=opens, closes=closes)
    for name, (serves, large, small) in DESKS.items():
        places = dict(zip(_PLACES, large if daily else small, strict=True))
        pool = _add(connection, DeskPool, counter_id=number, name=name, interval_minutes=30, **places, **_RELEASED)
        connection.execute(
            insert(desk_pool_category), [{"desk_pool_id": pool, "booking_category_id": categories[code]} for code in serves]
        )


def _ensure_closures(connection: Connection, years: Iterable[int]) -> None:
    known = set(connection.scalars(select(CounterClosure.starts_on).where(CounterClosure.counter_id.is_(None))))
    for opens, closes in map(year_end, years):
        if opens not in known:
            _add(connection, CounterClosure, counter_id=None, starts_on=opens, ends_on=closes, reason=YEAR_END)


def _ensure_translations(connection: Connection) -> None:
    known = {(source, language) for source, language in connection.execute(select(Translation.source, Translation.language))}
    for source, language, words in translations.rows():
        if (source, language) not in known:
            _add(connection, Translation, source=source, language=language, words=words)
