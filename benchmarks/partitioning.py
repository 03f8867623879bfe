"""Events by month, there and back, and by a copy: python -m benchmarks.partitioning --events 300000 --rounds 3

Eight writers insert single events all the time while revision 2.1.0 is applied and taken back, and while, on another
copy of the same database, a partitioned table is filled that a trigger keeps in step (`benchmarks.copied`). Waits are
those of the writers' statements; the swap is the last transaction. In the end every event that a writer was told of is
there, and daily activity counts each of them. The results go to benchmarks/results/partitioning.json and
docs/images/partitioning.svg; the latter needs matplotlib.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import click
import psycopg
from alembic_online import step
from sqlalchemy import URL, NullPool, create_engine, text

from benchmarks import plot
from benchmarks.copied import copy
from benchmarks.growth import machine
from benchmarks.harness import ROOT, benchmark_server, median, new_database, report, spread
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, conninfo

BEFORE, AFTER = "2.0.7", "2.1.0"
WRITERS = 8
THERE, BACK, COPY = WAYS = ("2.1.0", "2.1.0, taken back", "copy with a trigger")
RESULTS = ROOT / "benchmarks" / "results" / "partitioning.json"
INSERT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('view', 'writer', now(), '{}', 1 + (random() * 99)::bigint)
"""
FILL = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT 'view', 'history', now() - n * interval '5 seconds', '{"position": 1}', 'user ' || n % 1000, 1 + n % 100
    FROM generate_series(1, :events) AS n
"""
EXACT = """
    SELECT (SELECT count(*) FROM analytics.analytics_events),
        (SELECT coalesce(sum(events), 0) FROM analytics.niche_daily_activity)
"""


@dataclass
class Writers:
    """What the writers saw: when each statement ended, and how long it took."""

    seen: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def write(self, address: str) -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            while not self.stopped.is_set():
                began = time.perf_counter()
                try:
                    connection.execute(INSERT)
                except psycopg.Error as error:
                    self.errors.append(str(error))
                ended = time.perf_counter()
                self.seen.append((ended, ended - began))
                time.sleep(0.01)

    def longest(self, since: float, until: float) -> float:
        """In ms, of the statements that ended in this time or were under way then."""
        return 1000 * max((took for ended, took in self.seen if ended - took < until and ended > since), default=0.0)


@contextmanager
def writing(url: URL) -> Iterator[Writers]:
    writers = Writers()
    threads = [threading.Thread(target=writers.write, args=(conninfo(url),)) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stopped.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Measured:
    """One way: its seconds, those of the swap; the longest waits in ms, in the swap and elsewhere; bytes of WAL, those
    of the writers with them; whether exact."""

    seconds: float
    swap: float
    in_swap: float
    elsewhere: float
    wal: int
    exact: bool

    @property
    def longest(self) -> float:
        return max(self.in_swap, self.elsewhere)


def measured(server: Server, template: str) -> dict[str, Measured]:
    """Of each way: there and back on one database, the copy on another."""
    found = {}
    url = new_database(server, "by_month", template)
    for way, direction, goal in ((THERE, "upgrade", AFTER), (BACK, "downgrade", BEFORE)):
        times: list[float] = []

        def migrate(direction: str = direction, goal: str = goal, times: list[float] = times) -> float:
            with _swap_seen(times):
                getattr(Alembic(url, x=("deadline=60s",)), direction)(goal)
            return times[0]

        found[way] = _beside_writers(url, migrate)
    url = new_database(server, "by_month", template)
    found[COPY] = _beside_writers(url, partial(copy, conninfo(url)))
    return found


def _beside_writers(url: URL, work: Callable[[], float]) -> Measured:
    """`work` returns when its swap began."""
    with writing(url) as writers:
        time.sleep(2)
        written, began = _wal(url), time.perf_counter()
        swap = work()
        ended = time.perf_counter()
        wal = _wal(url) - written
        time.sleep(0.5)
    with psycopg.connect(conninfo(url)) as connection:
        rows, counted = connection.execute(EXACT).fetchone() or (0, 1)
    in_swap, elsewhere = writers.longest(swap, ended), writers.longest(began, swap)
    return Measured(ended - began, ended - swap, in_swap, elsewhere, wal, rows == counted and not writers.errors)


def _wal(url: URL) -> int:
    with psycopg.connect(conninfo(url)) as connection:
        row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def _swap_seen(times: list[float]) -> Iterator[None]:
    """Note when the step begins to ask for the locks of its last transaction."""
    acquire = step.acquire

    def noted(*arguments: Any) -> None:
        times.insert(0, time.perf_counter())
        acquire(*arguments)

    step.acquire = noted
    try:
        yield
    finally:
        step.acquire = acquire


def template(server: Server, events: int) -> str:
    name = f"events_{events}"
    engine = create_engine(new_database(server, name), poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        phase1.sample(connection, 100)
    Alembic(engine.url).upgrade(BEFORE)
    with engine.begin() as connection:
        connection.execute(text(FILL), {"events": events})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return name


def keep(sizes: dict[int, list[dict[str, Measured]]]) -> None:
    """The figures as they are, and a picture of them."""
    kept = {
        "machine": machine(),
        "writers": WRITERS,
        "sizes": [
            {"events": events, **{way: [asdict(each[way]) for each in every] for way in WAYS}}
            for events, every in sizes.items()
        ],
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    scenes = {
        f"{events / 1e6:g} million events": {
            way: plot.Bar(
                [each[way].longest for each in every], f"in {median([each[way].seconds for each in every]):.0f} s"
            )
            for way in WAYS
        }
        for events, every in sizes.items()
    }
    plot.bars("partitioning", "Longest wait of a writer, ms, and how long the whole took", scenes)


def row(label: str, ones: list[Measured]) -> list[str]:
    return [
        label,
        spread([one.seconds for one in ones], ".1f"),
        spread([one.swap for one in ones], ".2f"),
        spread([one.in_swap for one in ones], ",.0f"),
        spread([one.elsewhere for one in ones], ",.0f"),
        spread([one.wal / 2**20 for one in ones], ",.0f"),
        f"{sum(one.exact for one in ones)} of {len(ones)}",
    ]


@click.command()
@click.option(
    "--events", "sizes", default=(300_000, 1_000_000, 3_000_000, 10_000_000), show_default=True, multiple=True
)
@click.option("--rounds", default=3, show_default=True)
def main(sizes: tuple[int, ...], rounds: int) -> None:
    found = {}
    with benchmark_server(max_wal_size="4GB") as server:
        for events in sizes:
            name = template(server, events)
            found[events] = [measured(server, name) for _ in range(rounds)]
            with create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(f"DROP DATABASE {name}"))  # in memory
    rows = [
        row(f"{events:,} events, {way}", [each[way] for each in every])
        for events, every in found.items()
        for way in WAYS
    ]
    columns = [
        "events by month",
        "in all, s",
        "swap, s",
        "longest wait in the swap, ms",
        "elsewhere, ms",
        "WAL, MB",
        "exact",
    ]
    report("Events by month", columns, rows, f"{WRITERS} writers; median (min to max), rounds: {rounds}")
    keep(found)


if __name__ == "__main__":
    main()
