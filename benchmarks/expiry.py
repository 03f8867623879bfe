"""A month of events goes, by expiry and by DELETE: python -m benchmarks.expiry --events 300000 --rounds 3

Eight writers insert single events all the time. Of the events, one in ten lies in the one month that is past its time.
`expiry` is what `sidb maintain` does; `DELETE` is one statement for the same rows, through the parent, which counts
them down. Waits are those of the writers' statements; WAL is the server's, of which what the writers wrote meanwhile,
at their rate before, is taken off.
"""

import time
from dataclasses import dataclass

import click
import psycopg
from alembic_online import Options
from sqlalchemy import URL, NullPool, create_engine

from benchmarks.harness import benchmark_server, median, new_database, report, spread
from benchmarks.partitioning import WRITERS, writing
from operations import phase1
from operations.embedded import Server
from operations.phase1 import Shape
from operations.retention import expiry, tables
from tests.fixtures.databases import Alembic, conninfo

MONTHS = """
    DO $$
    DECLARE
        past timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') - interval '30 months';
        one timestamptz := past AT TIME ZONE 'UTC';
        next timestamptz := (past + interval '1 month') AT TIME ZONE 'UTC';
        ahead timestamptz := (past + interval '32 months') AT TIME ZONE 'UTC';
        events text := 'analytics.analytics_events';
        part text := 'analytics_partitions.analytics_events';
    BEGIN
        EXECUTE format('ALTER TABLE %s DETACH PARTITION %s_first', events, part);
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION %s_first FOR VALUES FROM (MINVALUE) TO (%L)', events, part, one
        );
        EXECUTE format('CREATE TABLE %s_past PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', part, events, one, next);
        EXECUTE format('CREATE TABLE %s_since PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', part, events, next, ahead);
    END
    $$
"""
FILL = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT 'view', 'history',
        CASE WHEN n % 10 = 0
            THEN (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '30 months') AT TIME ZONE 'UTC'
                + n % 2400000 * interval '1 second'
            ELSE now() - n % 31000000 * interval '1 second'
        END,
        '{"position": 1}', 'user ' || n % 1000, 1 + n % 100
    FROM generate_series(1, :events) AS n
"""
DELETE = "DELETE FROM analytics.analytics_events WHERE event_timestamp < now() - interval '28 months'"
LEFT = "SELECT count(*) FROM analytics.analytics_events WHERE event_timestamp < now() - interval '28 months'"
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
SETTLE = 2.0  # s of writers alone, by which their WAL is known


@dataclass(frozen=True)
class Measured:
    """Seconds; bytes of WAL; the longest wait in ms; whether all rows went, and no writer failed."""

    seconds: float
    wal: float
    wait: float
    exact: bool


def measured(server: Server, template: str, way: str) -> Measured:
    url = new_database(server, "expiry", template)
    with psycopg.connect(conninfo(url), autocommit=True) as connection, writing(url) as writers:
        first, since = _wal(connection), time.perf_counter()
        time.sleep(SETTLE)
        before, began = _wal(connection), time.perf_counter()
        if way == "DELETE":
            connection.execute(DELETE)
        else:
            _expire(url)
        after, ended = _wal(connection), time.perf_counter()
        time.sleep(0.5)
        theirs = (before - first) / (began - since) * (ended - began)
        row = connection.execute(LEFT).fetchone()
    exact = row == (0,) and not writers.errors
    return Measured(ended - began, max(after - before - theirs, 0.0), writers.longest(began, ended), exact)


def _wal(connection: psycopg.Connection[tuple[int]]) -> int:
    row = connection.execute(WAL).fetchone()
    assert row is not None
    return int(row[0])


def _expire(url: URL) -> None:
    [gone] = expiry.let_go(url, Options(deadline=60), None)
    assert not gone.left, gone.left


def template(server: Server, events: int) -> str:
    name = f"expiring_{events}"
    engine = create_engine(new_database(server, name), poolclass=NullPool)
    with engine.begin() as connection:
        phase1.create(connection, Shape.TABLE)
        phase1.sample(connection, 100)
    Alembic(engine.url).upgrade()
    with psycopg.connect(conninfo(engine.url), autocommit=True) as session:
        session.execute(MONTHS.encode())
        session.execute(FILL.replace(":events", str(events)).encode())
        session.execute("SELECT analytics.drain_niche_daily_activity()")
        tables.keep(session, {tables.EVENTS.name: tables.EVENTS.months})
        session.execute("VACUUM ANALYZE")
    return name


@click.command()
@click.option("--events", "sizes", default=(300_000,), show_default=True, multiple=True)
@click.option("--rounds", default=3, show_default=True)
def main(sizes: tuple[int, ...], rounds: int) -> None:
    with benchmark_server() as server:
        rows = []
        for events in sizes:
            name = template(server, events)
            found = {way: [measured(server, name, way) for _ in range(rounds)] for way in ("expiry", "DELETE")}
            beside = {what: _median(found["DELETE"], what) for what in ("wal", "wait")}
            for way, ones in found.items():
                rows.append(
                    [
                        f"{events // 10:,} of {events:,} events, {way}",
                        spread([one.seconds for one in ones], ".2f"),
                        f"{_median(ones, 'wal') / 1e6:,.1f}; {_median(ones, 'wal') / (beside['wal'] or 1):.3f}",
                        f"{spread([one.wait for one in ones], ',.0f')}; {_median(ones, 'wait') / beside['wait']:.2f}",
                        f"{sum(one.exact for one in ones)} of {rounds}",
                    ]
                )
        columns = ["a month goes", "s", "WAL, MB; ratio", "longest wait, ms; ratio", "exact"]
        report("Expiry", columns, rows, f"{WRITERS} writers; median (min to max), ratio to DELETE, rounds: {rounds}")


def _median(ones: list[Measured], what: str) -> float:
    return median([getattr(one, what) for one in ones])


if __name__ == "__main__":
    main()
