"""Marked points at which a test ends the process, as a power cut would: at once, with nothing tidied up.

`FAULT_POINT=confirm.outbox` dies there the first time, `FAULT_POINT=confirm.outbox:5` the fifth. Refused in production.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

_point = ""
_visits: Iterator[int] = iter(())


def arm(words: str) -> None:
    """From now on the process dies at this point; at none when there are no words."""
    global _point, _visits
    _point, _, count = words.partition(":")
    _visits = itertools.count(1 - int(count or 1))


def reach(point: str) -> None:
    """Where the process dies if it was told to. Threads are counted together."""
    if point == _point and next(_visits) >= 0:
        os.kill(os.getpid(), signal.SIGKILL)
