"""A shared machine is now fast, now slow. A fixed piece of arithmetic, timed before and after each figure, tells which it was, and a
figure taken at a slow moment is taken again. What decides is the arithmetic alone, never the figure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
ADDITIONS, TIMES = 200_000, 5
LIKE_THE_BEST = 1.15  # times the best moment so far
TRIES = 5
LOOKS, PAUSE = 10, 0.2  # how often it is looked, and the seconds between


class Machine:
    """How fast this machine is: the best moment so far, and the worst at which a figure was kept, in milliseconds."""

    def __init__(self) -> None:
        self.best = min(_later() for _ in range(LOOKS))
        self.worst = self.best

    def at_a_quiet_moment(self, measure: Callable[[], Found]) -> Found:
        """The first figure that was taken while the machine was as fast as at its best; of five that were not, the one of the
        fastest moment."""
        kept: list[tuple[float, Found]] = []
        for _ in range(TRIES):
            before, found, after = self._wait(), measure(), _arithmetic()
            self.best = min(self.best, before, after)
            kept.append((max(before, after), found))
            if kept[-1][0] <= self.best * LIKE_THE_BEST:
                break
        pace, found = min(kept, key=lambda one: one[0])
        self.worst = max(self.worst, pace)
        return found

    def _wait(self) -> float:
        """Until the machine is fast, but not for ever; how fast it then is."""
        for _ in range(LOOKS):
            if (pace := _arithmetic()) <= self.best * LIKE_THE_BEST:
                return pace
            time.sleep(PAUSE)
        return pace

    @property
    def words(self) -> str:
        return f"基準の計算（加算 {ADDITIONS // 10_000}万回）は最良で {self.best:.1f} ミリ秒、値を採った時で最悪 {self.worst / self.best:.2f} 倍"


def _arithmetic() -> float:
    """Milliseconds of one round, the median of some."""
    return sorted(_round() for _ in range(TIMES))[TIMES // 2]


def _later() -> float:
    time.sleep(PAUSE)
    return _arithmetic()


def _round() -> float:
    begun = time.perf_counter()
    for number in range(ADDITIONS):
        number + 1
    return (time.perf_counter() - begun) * 1000
