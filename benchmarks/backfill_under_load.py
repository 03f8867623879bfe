"""What the application notices of the backfill: python -m benchmarks.backfill_under_load [EVENTS] [ROUNDS]

Four writers with prepared statements on features and a reader, before and while one worker moves history, scores the
niches and computes their trends. Each round on a copy of the same database; the ratios are taken within a round.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import URL, NullPool, create_engine, text

from backfill import planning
from backfill.jobs import JOBS
from benchmarks.backfill import NICHES, NOW, ours, prepare, write_history
from benchmarks.harness import ROOT, benchmark_server, median, new_database, report
from tests.fixtures.databases import conninfo
from tests.fixtures.traffic import traffic

BEFORE = 60.0  # seconds of traffic before the backfill begins


def backfilled(url: URL) -> float:
    """The backfill in a process of its own, as a user runs it; its seconds."""
    sidb = Path(sys.executable).parent / "sidb"
    command = [sidb, "backfill", "run", "--all", "--now", "--as-of", NOW.isoformat()]
    since = time.monotonic()
    subprocess.run(command, env={"DATABASE_URL": conninfo(url)}, cwd=ROOT, check=True, capture_output=True)
    return time.monotonic() - since


def measured(url: URL) -> dict[str, float]:
    with traffic(url, hold=None) as running:
        start = time.time()
        time.sleep(BEFORE)
        began = time.time()
        seconds = backfilled(url)
        ended = time.time()
        seen = running.report()
    if seen.errors:
        raise SystemExit(f"the application saw errors: {seen.errors[:3]}")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        moved = connection.scalar(text("SELECT sum(rows_read) FROM sidb.backfill_ranges")) or 0
    p99 = [seen.percentile(*span, 0.99) * 1000 for span in ((start, began), (began, ended))]
    return {
        "longest wait before, ms": seen.longest(start, began) * 1000,
        "longest wait during, ms": seen.longest(began, ended) * 1000,
        "p99 before, ms": p99[0],
        "p99 during, ms": p99[1],
        "p99, ratio": p99[1] / p99[0],
        "throughput, ratio": seen.throughput(began, ended) / seen.throughput(start, began),
        "backfill, rows a second": float(moved) / seconds,
    }


def main(events: str = "150000", rounds: str = "3") -> None:
    with tempfile.TemporaryDirectory() as directory, benchmark_server() as server:
        path = Path(directory, "history.csv")
        write_history(path, int(events))
        url = new_database(server, "loaded")
        prepare(url)
        ours(url, path)
        with create_engine(url, poolclass=NullPool).begin() as connection:
            planning.begin(connection, JOBS, NOW, NOW, 7)
        every = [measured(new_database(server, "under_load", "loaded")) for _ in range(int(rounds))]
    report(
        "The application beside the backfill",
        ["", "median", "least", "most"],
        [
            [name, *(f"{value:,.2f}" for value in (median(values), min(values), max(values)))]
            for name in every[0]
            for values in [[one[name] for one in every]]
        ],
        f"{rounds} rounds of {int(events):,} events and {NICHES:,} niches",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
