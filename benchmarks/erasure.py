"""A user is erased beside writers: python -m benchmarks.erasure --events 300000 [--own 10000] [--rounds 3]

The user has 10,000 events among as many as are asked for, as many in staging, and as many in each of two archives,
which hold a tenth of the events each. Eight writers insert single events, and Phase 1's traffic goes on, all the time.
Seconds are those from the call until the events were gone, until all was gone from everywhere, and until the
certificate, which comes after the search of all payloads. In the end daily activity counts each event that is there.
"""

import io
import time
from dataclasses import dataclass

import click
import psycopg
from alembic_online import Options
from rich.console import Console
from sqlalchemy import URL, NullPool, create_engine, text

from backfill import bookkeeping
from benchmarks.harness import benchmark_server, new_database, report, spread
from benchmarks.partitioning import EXACT, writing
from operations import phase1
from operations.embedded import Server
from operations.erasure import erase as erasure
from operations.phase1 import Shape
from operations.rollback import rollback
from operations.settings import BackfillSettings
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.traffic import traffic

NICHES = 100_000
USER = "erased user"
ROWS = """
    SELECT 'view', 'history', now() - n * interval '5 seconds', '{"position": 1}',
        CASE WHEN n % greatest(:events / :own, 1) = 0 THEN 'erased user' ELSE 'user ' || n % 100000 END,
        1 + n % 100000
    FROM generate_series(1, :events) AS n
"""
COLUMNS = "event_type, event_source, event_timestamp, event_data, user_id, niche_id"
LEFT = "SELECT count(*) FROM analytics.analytics_events WHERE user_id = 'erased user'"


@dataclass(frozen=True)
class Measured:
    """Seconds until events, and all, were gone, and until the certificate; longest waits in ms; whether exact."""

    events: float
    everywhere: float
    certificate: float
    of_events: float
    of_features: float
    exact: bool


def template(server: Server, events: int, own: int) -> str:
    name = f"erasure_{events}"
    url = new_database(server, name)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        phase1.sample(connection, NICHES)
        phase1.refresh(connection, Shape.TABLE)
    Alembic(url).upgrade()
    for _ in range(2):
        fill(url, "analytics.analytics_events", events // 10, own)
        found = rollback.run(url, rollback.prepare(url, "1.0.0"), Options(), Console(file=io.StringIO()))
        assert found.exit_code == 0, found
        Alembic(url).upgrade()
    bookkeeping.create(engine)
    fill(url, "analytics.analytics_events", events, own)
    fill(url, "sidb.backfill_events", events, own)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT analytics.drain_niche_daily_activity()"))
        connection.execute(text("UPDATE public.features SET last_analyzed_at = now(), trend_vector = '[]'"))
        connection.execute(text("VACUUM ANALYZE"))
    return name


def fill(url: URL, table: str, events: int, own: int) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        insert = f"INSERT INTO {table} ({COLUMNS}) {ROWS}"
        connection.execute(text(insert), {"events": events, "own": own})


def measured(server: Server, name: str) -> Measured:
    url = new_database(server, "erasure", name)
    share = BackfillSettings.from_environment({}).share
    with traffic(url, hold=None) as running, writing(url) as writers:
        time.sleep(2)
        began, on_their_clock = time.time(), time.perf_counter()
        done = erasure.erase(url, erasure.Asked((USER,)), Console(file=io.StringIO()), Options(), share)
        ended, at_the_end = time.time(), time.perf_counter()
        features = running.report()
    assert done.gone is not None
    assert done.gone_from_live_tables is not None
    with psycopg.connect(conninfo(url)) as connection:
        rows, counted = connection.execute(EXACT).fetchone() or (0, 1)
        left = connection.execute(LEFT).fetchone()
    return Measured(
        done.gone_from_live_tables.timestamp() - began,
        done.gone.timestamp() - began,
        ended - began,
        writers.longest(on_their_clock, at_the_end),
        1000 * features.longest(began, ended),
        rows == counted and left == (0,) and not writers.errors and not features.errors and done.exit_code == 0,
    )


@click.command()
@click.option("--events", "sizes", default=(300_000,), show_default=True, multiple=True)
@click.option("--own", default=10_000, show_default=True, help="Events of the user.")
@click.option("--rounds", default=3, show_default=True)
def main(sizes: tuple[int, ...], own: int, rounds: int) -> None:
    with benchmark_server() as server:
        rows = []
        for events in sizes:
            name = template(server, events, own)
            ones = [measured(server, name) for _ in range(rounds)]
            rows.append(
                [
                    f"{events:,}",
                    spread([one.events for one in ones], ".2f"),
                    spread([one.everywhere for one in ones], ".1f"),
                    spread([one.certificate for one in ones], ".1f"),
                    spread([one.of_events for one in ones], ",.0f"),
                    spread([one.of_features for one in ones], ",.0f"),
                    f"{sum(one.exact for one in ones)} of {rounds}",
                ]
            )
        columns = [
            f"{own:,} events among",
            "gone from events, s",
            "everywhere, s",
            "certificate, s",
            "longest wait, events, ms",
            "features, ms",
            "exact",
        ]
        report("A user is erased", columns, rows, f"Beside writers and traffic; median of {rounds} (min to max)")


if __name__ == "__main__":
    main()
