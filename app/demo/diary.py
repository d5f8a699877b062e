"""Rows waiting for their day, so that the numbers of every table grow with time as they do in an office."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from app.demo.actors import Doings
from app.demo.days import CLOCK, ISO, clock, fiscal_year, utc

Row = tuple[Any, ...]
Write = Callable[[str, list[Row]], None]

HISTORY_COLUMNS = ("id", "event", "updated_at", "card_id")
NOTE_COLUMNS = ("id", "comment", "updated_at", "card_id")
SHIPMENT_COLUMNS = (
    "id",
    "item_kind",
    "sent_date",
    "postal_code",
    "name",
    "address",
    "tracking_no",
    "attempt_no",
    "returned_date",
    "return_reason",
    "gaiji_flag",
    "memo",
    "card_id",
    "row_stamp",
    "search_key",
)
DOCUMENT_COLUMNS = (
    "id",
    "partition_year",
    "fiscal_year",
    "business_class",
    "document_class",
    "document_no",
    "name_kanji",
    "registered_date",
    "registered_time",
    "registered_by_id",
    "registered_by_name",
    "updated_date",
    "updated_time",
    "updated_by_id",
    "updated_by_name",
    "row_timestamp",
    "card_id",
    "row_stamp",
    "search_key",
)
LOG_COLUMNS = (
    "id",
    "started_at",
    "ended_at",
    "user_id",
    "user_name",
    "department",
    "action_class",
    "action_code",
    "action_name",
    "detail",
    "my_number_access",
    "application_id",
    "client_info",
    "request_id",
)

# Acts begin in the first half of a second, one after the other, and take some hundredths; both ends made once.
_TICKS = tuple(
    (f"{n // 2:03d}{n * 83 % 997:03d}", f"{n // 2 + 20 + n * 31 % 400:03d}{n * 83 % 997:03d}") for n in range(0, 1160, 2)
)
_SPREAD = 499
_BATCH, _BATCH_FROM = 40, 10 * 3600  # cards in one act done for many, and the second of the day from which such acts are done


class Pages:
    """What waits for one table, by day."""

    def __init__(self, finish: Callable[[int, int, list[Row]], list[Row]], next_id: int = 1) -> None:
        self._finish, self._next_id = finish, next_id
        self._waiting: dict[int, list[Row]] = defaultdict(list)

    def add(self, day: int, entry: Row) -> None:
        """`entry` begins with the second of the day at which it happens."""
        self._waiting[day].append(entry)

    def waiting(self, day: int) -> list[Row]:
        return self._waiting[day]

    def before(self, day: int) -> list[Row]:
        """The rows of every day before `day`, numbered in the order in which they happened."""
        rows: list[Row] = []
        for past in sorted(d for d in self._waiting if d < day):
            entries = self._waiting.pop(past)
            entries.sort(key=itemgetter(0))
            rows += self._finish(self._next_id, past, entries)
            self._next_id += len(entries)
        return rows


def _moments(first: int, day: int, entries: list[Row]) -> list[Row]:
    """(second, text, card): a history row or a note."""
    return [(n, words, utc(day, second), card) for n, (second, words, card) in enumerate(entries, first)]


def _plain(first: int, day: int, entries: list[Row]) -> list[Row]:
    """(second, *columns): everything but the number is there."""
    return [(n, *entry[1:]) for n, entry in enumerate(entries, first)]


def _documents(first: int, day: int, entries: list[Row]) -> list[Row]:
    """(second, class, business, name, key, user, user name, card)."""
    year, fiscal, iso = int(ISO[day][:4]), fiscal_year(day), ISO[day]
    rows = []
    for n, (second, kind, business, name, key, user_id, user_name, card) in enumerate(entries, first):
        at = clock(second)
        rows.append(
            (
                n,
                year,
                fiscal,
                business,
                kind,
                f"D{fiscal}{n:07d}",
                name,
                iso,
                at,
                user_id,
                user_name,
                iso,
                at,
                user_id,
                user_name,
                utc(day, second),
                card,
                1,
                key,
            )
        )
    return rows


def _log(first: int, day: int, entries: list[Row]) -> list[Row]:
    """(second, doing, detail, card). The hot path: nearly half of all rows."""
    rows, iso, last, since = [], ISO[day] + " ", -1, 0
    for n, (second, doing, detail, card) in enumerate(entries, first):
        if second != last:
            last, since = second, n
        start, end = _TICKS[second * 7919 % _SPREAD + (n - since) % 80]
        at = f"{iso}{CLOCK[second - 32400]}."
        rows.append((n, at + start, at + end, *doing.head, detail, doing.access, card, doing.client, f"d{n:x}"))
    return rows


class Diary:
    """The pages of every table that is written day by day."""

    def __init__(self, write: Write, first_log_id: int) -> None:
        self._write = write
        self.doings = Doings()
        self.pages = {
            "reservation": Pages(_plain),
            "card_history": Pages(_moments),
            "card_note": Pages(_moments),
            "shipment": Pages(_plain),
            "document": Pages(_documents),
            "operation_log": Pages(_log, first_log_id),
        }
        self.reservation, self.shipment, self.document = (self.pages[t].add for t in ("reservation", "shipment", "document"))
        self.history, self.note = self.pages["card_history"].add, self.pages["card_note"].add
        self._log = self.pages["operation_log"].add
        self._batches: dict[int, Tally[tuple[str, str, str]]] = defaultdict(Tally)

    def log(self, day: int, second: int, who: str, noun: str, verb: str, detail: str, card: int | None = None) -> None:
        self._log(day, (second, self.doings[who, noun, verb], detail, card))

    def batch(self, day: int, who: str, noun: str, verb: str) -> None:
        """Counts one more card in an act done for many at once."""
        self._batches[day][who, noun, verb] += 1

    def log_batches(self, day: int) -> None:
        """One row of the log for every so many cards: a delivery from J-LIS, a pile of envelopes."""
        for (who, noun, verb), cards in self._batches.pop(day, {}).items():
            for n, left in enumerate(range(cards, 0, -_BATCH)):
                self.log(day, _BATCH_FROM + n % 500 * 60, who, noun, verb, f'{{"件数": {min(left, _BATCH)}}}')

    def logged(self, day: int) -> int:
        return len(self.pages["operation_log"].waiting(day))

    def write_before(self, day: int) -> None:
        """Writes what happened on the days before `day`."""
        for table, pages in self.pages.items():
            if rows := pages.before(day):
                self._write(table, rows)
