"""`make bench [YEARS=10]`: builds what is missing, measures, and prints tables. Nothing here passes or fails."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from bench import bookings, calendar, figures, panel
from bench.houses import KINDS, UNTIL, House, Kind
from bench.quiet import Machine
from bench.servers import serving
from config import ROOT

LOAD, START = 60.0, 3.5  # seconds that loading one year into SQLite, and starting a site, may take
PARTS = ("panel", "calendar", "start", "bookings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=int(os.environ.get("YEARS") or "1"))
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--on", choices=KINDS, help="one database alone, for panel and calendar")
    args = parser.parse_args()
    print(f"「{figures.MISSED}」は目標に届かない値です。負荷（1分平均）は始めに {os.getloadavg()[0]:.1f} でした。")
    if args.only in (None, "panel"):
        for kind in [args.on] if args.on else KINDS:
            _panel(kind, args.years)
    if args.only in (None, "calendar"):
        for kind in [args.on] if args.on else KINDS:
            _calendar(House(kind, args.years))
    if args.only in (None, "start"):
        _start_up(House("sqlite", 1))
    if args.only in (None, "bookings"):
        _print("予約の送信: 同時16人、PostgreSQL、gunicorn 4プロセス", figures.table(bookings.run()))


def _panel(kind: Kind, years: int) -> None:
    """The figures of one year and, when there are more, those of all, each with how many times as long it took."""
    before = None
    for one in sorted({1, years}):
        house = House(kind, one)
        loading = house.build()
        machine = Machine()
        found = panel.run(house, machine)
        is_promised = (kind, one) == ("sqlite", 1)
        _print(
            f"{kind} {one}年分（{UNTIL} まで）: {panel.RUNS}回の中央値 / 95パーセンタイル、ミリ秒"
            f"。読み込みは作った時に {figures.marked(loading, LOAD if is_promised else float('inf'))} 秒。{machine.words}",
            panel.show(found, before),
        )
        before = found


def _calendar(house: House) -> None:
    house.build()
    machine = Machine()
    words = calendar.show(calendar.run(house, machine))
    _print(
        f"{house.kind} {house.years}年分: 予約カレンダー、{panel.RUNS}回の中央値 / 95パーセンタイル、ミリ秒。{machine.words}",
        words,
    )


def _start_up(house: House) -> None:
    house.build()
    rows = [
        (
            site,
            *(
                figures.marked(statistics.median(taken), START)
                for taken in (list(_creating(house, site)), [_answering(house, site)])
            ),
        )
        for site in ("resident", "staff")
    ]
    _print("起動、秒", figures.table([("", "create_app まで（5回の中央値）", "gunicorn の最初の応答まで"), *rows]))


def _creating(house: House, site: str) -> Iterator[float]:
    for _ in range(5):
        begun = time.perf_counter()
        command = f"from app import create_app; create_app('{site}')"
        subprocess.run([sys.executable, "-c", command], env=house.env, cwd=ROOT, check=True)
        yield time.perf_counter() - begun


def _answering(house: House, site: str) -> float:
    begun = time.perf_counter()
    with serving(f"deploy.wsgi:{site}", house.env):
        return time.perf_counter() - begun


def _print(heading: str, words: str) -> None:
    print(f"\n## {heading}\n\n{words}", flush=True)


if __name__ == "__main__":
    main()
