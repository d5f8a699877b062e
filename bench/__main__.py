"""`make bench [YEARS=10]`: builds what is missing, measures, and prints tables. Nothing here passes or fails."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from bench import bookings, panel
from bench.houses import House, serving
from config import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=int(os.environ.get("YEARS", "1")))
    parser.add_argument("--only", choices=("panel", "bookings", "start"), help="one part alone")
    args = parser.parse_args()
    for kind in ("sqlite", "postgresql"):
        house = House(kind, args.years)
        house.build()
        if args.only in (None, "panel"):
            print(f"\n## {kind}, {args.years} year(s): median / p95 of {panel.RUNS} requests, ms")
            for table, cell, median, p95 in panel.run(house):
                print(f"{table:14} {cell:24} {median:8.1f} {p95:8.1f}", flush=True)
    if args.only in (None, "start"):
        start_up(House("sqlite", args.years))
    if args.only in (None, "bookings"):
        print("\n## bookings per second, 16 residents at once, PostgreSQL")
        for line in bookings.run():
            print("   ".join(str(word) for word in line), flush=True)


def start_up(house: House) -> None:
    """From the command to the first answer, and the import alone."""
    print("\n## start-up, s (median of 5)")
    for site in ("resident", "staff"):
        taken = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", f"from app import create_app; create_app('{site}')"], env=house.env, check=True, cwd=ROOT
            )
            taken.append(time.perf_counter() - start)
        print(f"{site:14} process and create_app {sorted(taken)[2]:6.2f}")
        start = time.perf_counter()
        with serving(house, site):
            print(f"{site:14} gunicorn to first answer {time.perf_counter() - start:6.2f}")


if __name__ == "__main__":
    main()
