"""Readers over three years of events by month: python -m benchmarks.months [NICHES] [EVENTS]

Two databases of the same events: one table, at revision 2.0.7, and 36 months, at the newest. Every reader's p95 on the
latter stands beside its budget. `niche_history`, which alone reads events, is asked in turn on both, as a session with
prepared statements sends it, for the busiest niche.
"""

import sys
import time
from datetime import UTC, date, datetime, timedelta

import psycopg
from alembic_online.sessions import driver
from sqlalchemy import Engine, NullPool, create_engine, text

from benchmarks.harness import benchmark_server, median, new_database, report
from models.reader import Reader
from operations import maintenance
from operations.embedded import Server
from operations.phase1 import Shape
from operations.queries import query
from operations.rehearsal import volume
from operations.rehearsal.readers import ask_all
from operations.rehearsal.traffic import as_sent
from tests.fixtures.databases import Alembic

MONTHS = 36
PLAIN, BY_MONTH = "one table", "by month"
REVISIONS = {PLAIN: "2.0.7", BY_MONTH: "head"}
RUNS = 41
MORE_MS = 2.0
"""By how much `niche_history` may be slower than on one table."""
CHUNK = 500_000
PERIODS = {"30 days": 30, "a year": 365}

# The first partition, which is empty, ends before the three years; they get months of their own.
IN_MONTHS = r"""
    DO $$
    DECLARE
        month timestamp;
    BEGIN
        SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''')::timestamptz AT TIME ZONE 'UTC'
        INTO month
        FROM pg_class AS c
        WHERE c.oid = 'analytics_partitions.analytics_events_first'::regclass;
        ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.analytics_events_first;
        WHILE month > (now() AT TIME ZONE 'UTC') - {months} * interval '1 month' LOOP
            month := month - interval '1 month';
            EXECUTE format(
                'CREATE TABLE analytics_partitions.%I PARTITION OF analytics.analytics_events'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(month, '"analytics_events_"YYYY"_"MM'),
                month AT TIME ZONE 'UTC',
                (month + interval '1 month') AT TIME ZONE 'UTC'
            );
        END LOOP;
        EXECUTE format(
            'ALTER TABLE analytics.analytics_events ATTACH PARTITION analytics_partitions.analytics_events_first'
            ' FOR VALUES FROM (MINVALUE) TO (%L)',
            month AT TIME ZONE 'UTC'
        );
    END
    $$
"""
EVENTS = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    SELECT
        CASE WHEN n % 20 = 0 THEN 'niche_scored' ELSE 'view' END,
        CASE WHEN n % 20 = 0 THEN 'scorer' ELSE 'web' END,
        timestamptz '{today}' - random() * {months} * interval '30 days',
        jsonb_build_object(
            'demand_score', round(random()::numeric, 4),
            'supply_score', round(random()::numeric, 4),
            'opportunity', round(random()::numeric, 5)
        ),
        'user ' || n % 100000,
        1 + floor({niches} * power(random(), 3.2))::bigint
    FROM generate_series({first}, {last}) AS n
"""


def fill(server: Server, name: str, niches: int, events: int) -> Engine:
    """A database with three years of events, always the same."""
    engine = create_engine(new_database(server, name.replace(" ", "_")), poolclass=NullPool)
    volume.build_phase1(engine, Shape.TABLE, niches)
    Alembic(engine.url).upgrade(REVISIONS[name])
    today = f"{datetime.now(UTC).date()} 00:00+00"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", no_parameters=True) as connection:
        if name == BY_MONTH:
            connection.exec_driver_sql(IN_MONTHS.format(months=MONTHS))
        for first in range(1, events + 1, CHUNK):
            numbers = {"first": first, "last": min(first + CHUNK - 1, events)}
            connection.exec_driver_sql(f"SELECT setseed(1.0 / {first})")
            connection.exec_driver_sql(EVENTS.format(months=MONTHS, niches=niches, today=today, **numbers))
    if name == BY_MONTH:
        volume.fill_contents(engine)
        maintenance.run(engine.url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
    return engine


def histories(engines: dict[str, Engine]) -> list[list[str]]:
    """`niche_history` on both, in turn; the rows must be the same."""
    reader = Reader("niche_history")
    opened = {name: create_engine(each.url, isolation_level="AUTOCOMMIT").connect() for name, each in engines.items()}
    sessions = {name: driver(each) for name, each in opened.items()}
    busiest, _ = sessions[BY_MONTH].execute(query("rehearsal/popular_niches")).fetchone() or (None, None)
    found = []
    for period, days in PERIODS.items():
        since = datetime.now(UTC).date() - timedelta(days=days)
        times: dict[str, list[float]] = {name: [] for name in sessions}
        rows: dict[str, object] = {}
        for _ in range(RUNS):
            for name, session in sessions.items():
                took, rows[name] = asked(session, as_sent(reader), busiest, since)
                times[name].append(took)
        if rows[PLAIN] != rows[BY_MONTH]:
            raise SystemExit(f"niche_history differs over {period}")
        more = median([a - b for a, b in zip(times[BY_MONTH], times[PLAIN], strict=True)])
        verdict = "within" if more <= MORE_MS else "over"
        found.append([period, f"{median(times[PLAIN]):.2f}", f"{median(times[BY_MONTH]):.2f}", f"{more:+.2f}", verdict])
    for each in opened.values():
        each.close()
    return found


def asked(
    session: "psycopg.Connection[tuple[object, ...]]", sql: str, niche: int | None, since: date
) -> tuple[float, object]:
    parameters = {"niche_id": niche, "granularity": "daily", "since": since, "until": None}
    began = time.perf_counter()
    rows = session.execute(sql.encode(), parameters).fetchall()
    return (time.perf_counter() - began) * 1000, rows


def main(niches: str = "50000", events: str = "3000000") -> None:
    with benchmark_server(shared_buffers="1GB", max_wal_size="4GB", max_locks_per_transaction="256") as server:
        engines = {name: fill(server, name, int(niches), int(events)) for name in REVISIONS}
        method = f"{int(niches):,} niches, {int(events):,} events in {MONTHS} months"
        columns = ["niche_history over", f"ms, {PLAIN}", f"ms, {BY_MONTH}", "difference, ms", f"{MORE_MS:g} ms more"]
        report("History of a niche by month", columns, histories(engines), f"medians of {RUNS} paired runs; {method}")
        rows = [
            [answer.reader, answer.niche, f"{answer.p95_ms:.2f}", f"{answer.budget_ms:,}"]
            for answer in ask_all(engines[BY_MONTH])
        ]
    report("Readers over events by month", ["reader", "niche", "p95, ms", "budget, ms"], rows, method)


if __name__ == "__main__":
    main(*sys.argv[1:])
