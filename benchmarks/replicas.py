"""What readers on replicas notice of a rollout: python -m benchmarks.replicas --niches 20000 --events 100000

A primary under traffic with two standbys of its own: one with a max_standby_streaming_delay of -1, on which a report
reads features for 20 s at a time, and one with a delay of 2 s. A reader on each asks for one niche after the other.
Upgrade, rollback and restore begin while a report is open; once they are told of the replicas, and once they are not.
"""

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import click
import psycopg
from alembic_online import Options
from alembic_online.replica import Replica, identity
from psycopg import sql
from rich.console import Console
from sqlalchemy import URL, create_engine

from benchmarks.harness import report
from operations import replicas, upgrade
from operations.embedded import Server, project_server
from operations.rollback import archives, restore, rollback
from operations.settings import Settings
from tests.fixtures.cluster import Cluster, running_cluster
from tests.fixtures.databases import conninfo
from tests.fixtures.replicas import another_standby, short_readers
from tests.fixtures.revisions import HEAD
from tests.fixtures.traffic import traffic

REPORT = 20.0  # seconds that a report is open
PAUSE = 5.0  # seconds between two of them
WHOLE = 600.0  # seconds that lag is waited for at the end
QUIET = Console(file=io.StringIO())
READ = "SELECT phrase, opportunity FROM public.features WHERE niche_id = 7"
NICHES = """
    INSERT INTO public.features (phrase, demand_score, monetise_score, supply_score, opportunity)
    SELECT 'niche ' || n, 0.5, 0.5, 0.5, 0.5 FROM generate_series(1, {}) AS numbers (n) ON CONFLICT DO NOTHING
"""
EVENTS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    SELECT 'view', 'web', now() - n * interval '1 second', '{{"n": 1}}', 1 + n % 100
    FROM generate_series(1, {}) AS numbers (n)
"""


@dataclass(frozen=True)
class Measured:
    """One command: its seconds, the longest waits of short readers on each replica, and the lag that it left."""

    seconds: float
    beside_reports: float
    beside_none: float
    lag: float


@contextmanager
def reports(url: URL) -> Iterator[None]:
    """A report for 20 s, a pause, the next; the first one is open when the block begins."""
    over, opened = threading.Event(), threading.Event()

    def read() -> None:
        while not over.is_set():
            with psycopg.connect(conninfo(url), application_name="report") as connection:
                connection.execute("SELECT sum(opportunity) FROM public.features")
                opened.set()
                over.wait(REPORT)
            over.wait(PAUSE)

    thread = threading.Thread(target=read)
    thread.start()
    opened.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measured(url: URL, standbys: tuple[Server, Server], act: Callable[[], object]) -> Measured:
    """An act under traffic, and what readers on the replicas notice until all of it has been replayed."""
    slow, fast = (each.url(str(url.database)) for each in standbys)
    with (
        reports(slow),
        short_readers(slow, statement=READ) as beside,
        short_readers(fast, statement=READ) as apart,
        traffic(url, hold=None),
    ):
        began = time.monotonic()
        act()
        ended = time.monotonic()
        left = max(_lag(url, each) for each in (slow, fast))
    return Measured(ended - began, beside.longest, apart.longest, left)


def _lag(url: URL, replica: URL) -> float:
    with (
        psycopg.connect(conninfo(url), autocommit=True) as primary,
        closing(Replica(replica, identity(primary), "benchmark")) as there,
    ):
        return replicas.lag(there, primary, WHOLE)


def rollout(
    cluster: Cluster, standbys: tuple[Server, Server], name: str, told: bool, size: tuple[int, int]
) -> Iterator[tuple[str, Measured]]:
    """Each command of a rollout on a new database."""
    niches, events = size
    with psycopg.connect(conninfo(cluster.url()), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = cluster.url(name)
    addresses = tuple(each.url(name) for each in standbys) if told else ()
    options = Options(deadline=120, prefix="--", replicas=addresses)
    upgrade.run(url, "1.0.0", Options(), QUIET)
    _execute(url, NICHES.format(niches))
    cluster.caught_up()
    yield "upgrade", measured(url, standbys, lambda: upgrade.run(url, "2.0.7", options, QUIET))
    if HEAD != "2.0.7":
        _execute(url, EVENTS.format(events))
        yield f"upgrade to {HEAD}", measured(url, standbys, lambda: upgrade.run(url, "head", options, QUIET))
    else:
        _execute(url, EVENTS.format(events))
    yield "rollback", measured(url, standbys, lambda: rollback.run(url, rollback.prepare(url, "1.0.0"), options, QUIET))
    upgrade.run(url, "head", Options(), QUIET)
    newest = max(line.archive for line in archives.archives(url).tables)
    choice = restore.Choice(skip=False, renumber=False)
    yield "restore", measured(url, standbys, lambda: restore.restore(url, newest, choice, QUIET, options))


def _execute(url: URL, statement: str) -> None:
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@click.command()
@click.option("--niches", default=20_000, show_default=True)
@click.option("--events", default=100_000, show_default=True)
def main(niches: int, events: int) -> None:
    logging.getLogger("alembic").setLevel(logging.ERROR)
    found: dict[str, list[Measured]] = {}
    binaries = project_server(Settings.from_environment({}).data_home).binaries
    with running_cluster(binaries) as cluster, another_standby(cluster, "-1") as slow:
        for name, told in (("told", True), ("untold", False)):
            for act, one in rollout(cluster, (slow, cluster.replica), name, told, (niches, events)):
                found.setdefault(act, []).append(one)
    report(
        "Readers on replicas",
        [
            "command",
            "with --replica, ms",
            "without, ms",
            "beside no report, ms",
            "lag with, s",
            "without, s",
            "took, s",
        ],
        [
            [
                act,
                f"{told.beside_reports * 1000:,.0f}",
                f"{untold.beside_reports * 1000:,.0f}",
                f"{told.beside_none * 1000:,.0f}; {untold.beside_none * 1000:,.0f}",
                f"{told.lag:.2f}",
                f"{untold.lag:.1f}",
                f"{told.seconds:.1f}; {untold.seconds:.1f}",
            ]
            for act, (told, untold) in found.items()
        ],
        f"longest wait of a short reader, 1 round, {niches:,} niches, {events:,} events; a report is open for"
        f" {REPORT:.0f} s at a time on the replica with a delay of -1",
    )


if __name__ == "__main__":
    main()
