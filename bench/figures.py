"""Figures and the tables they are printed in; a figure that misses its aim, or grows too much, is marked."""

from __future__ import annotations

import statistics
import unicodedata
from dataclasses import dataclass

MISSED = "！"
MOST_GROWTH = 1.3  # ten years may take this many times one


@dataclass(frozen=True)
class Aim:
    """Milliseconds; none where nothing was promised."""

    median: float = float("inf")
    p95: float = float("inf")


LIST, COMMON_NAME, FORM, SAVE, NONE = Aim(30, 60), Aim(60, 60), Aim(15), Aim(10), Aim()


@dataclass(frozen=True)
class Figure:
    """Median and 95th percentile in milliseconds."""

    median: float
    p95: float

    @classmethod
    def of(cls, seconds: list[float]) -> Figure:
        found = sorted(one * 1000 for one in seconds)
        return cls(statistics.median(found), found[int(len(found) * 0.95)])

    def words(self, aim: Aim, before: Figure | None = None) -> str:
        """As in README; `before` is the same with less data, and how many times as long this one took is added."""
        said = f"{marked(self.median, aim.median)} / {marked(self.p95, aim.p95)}"
        return f"{said}（{marked(self.median / before.median, MOST_GROWTH, 2)}倍）" if before else said


def marked(value: float, most: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}{MISSED if value > most else ''}"


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows, heading first, as a table of Markdown that can be read as it stands."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(row, widths) for row in [rows[0], rule, *rows[1:]])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    return f"| {' | '.join(cell + ' ' * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))} |"


def _width(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in words)
