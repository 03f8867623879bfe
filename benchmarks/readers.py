"""The readers beside the same questions on the raw tables: python -m benchmarks.readers [NICHES] [EVENTS]

In the raw form each relation that Phase 2 keeps ready (trending_niches, platform_comparison, niche_daily_activity) is
replaced by the query that it stands for, on events, metrics and niches, with every index that the schema has. Both
forms must give the same rows. Each is asked in turn, as a session with prepared statements sends it.
"""

import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from alembic_online import database
from alembic_online.sessions import driver
from sqlalchemy import URL, NullPool, create_engine, text

from backfill import planning
from backfill.jobs import JOBS
from backfill.pacing import BatchThrottle
from backfill.progress import Scope
from backfill.runner import Runner
from benchmarks.harness import benchmark_server, median, new_database, report
from models.reader import Reader
from operations import maintenance
from operations.health import Health
from operations.phase1 import Shape
from operations.queries import query
from operations.rehearsal import volume
from operations.rehearsal.traffic import as_sent
from tests.fixtures.databases import Alembic

ASKED = ("trending_niches", "hot_niches", "niche_scout", "cross_platform")
RUNS = 9

ACTIVITY = """
    SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
    FROM analytics.analytics_events
    WHERE niche_id IS NOT NULL
    GROUP BY 1, 2, 3
"""
TRENDING = """
    SELECT
        f.niche_id, f.phrase, f.opportunity, t.direction, t.days AS days_trending, t.slope, t.volatility, t.confidence,
        f.last_analyzed_at
    FROM public.features AS f
    INNER JOIN (
        SELECT
            n.niche_id,
            jsonb_agg(jsonb_build_array(days.day, coalesce(counted.events, 0)) ORDER BY days.day) AS vector
        FROM public.features AS n
        CROSS JOIN (
            SELECT (now() AT TIME ZONE 'UTC')::date - back AS day FROM generate_series(1, 14) AS numbers (back)
        ) AS days
        LEFT JOIN (
            SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date AS day, count(*) AS events
            FROM analytics.analytics_events AS e
            WHERE
                e.event_type <> 'niche_scored'
                AND e.event_timestamp >= ((now() AT TIME ZONE 'UTC')::date - 14)::timestamp AT TIME ZONE 'UTC'
            GROUP BY 1, 2
        ) AS counted ON counted.niche_id = n.niche_id AND counted.day = days.day
        GROUP BY n.niche_id
    ) AS vectors ON vectors.niche_id = f.niche_id
    CROSS JOIN LATERAL analytics.trend_of(vectors.vector) AS t
"""


def fill(url: URL, niches: int, events: int) -> None:
    engine = database.engine(url, poolclass=NullPool)
    volume.build_phase1(engine, Shape.TABLE, niches)
    Alembic(url).upgrade()
    volume.stage_history(engine, events, lambda done: print(f"{done:,} events staged", file=sys.stderr))
    now = datetime.now(UTC)
    with engine.begin() as connection:
        planning.begin(connection, JOBS, now, now, 7)
    Runner(engine, BatchThrottle(Health(), None)).run(Scope(now))
    volume.fill_contents(engine)
    maintenance.run(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))


def raw(sql: str, comparison: str) -> str:
    """The statement on the raw tables."""
    derived = {"trending_niches": TRENDING, "platform_comparison": comparison, "niche_daily_activity": ACTIVITY}
    for name, meaning in derived.items():
        sql = re.sub(rf"analytics\.{name} AS", lambda _, meaning=meaning: f"({meaning}) AS", sql)  # type: ignore[misc]
    return sql


def asked(connection: psycopg.Connection[Any], sql: str, arguments: dict[str, Any]) -> tuple[float, list[Any]]:
    since = time.perf_counter()
    rows = connection.execute(sql.encode(), arguments).fetchall()
    return (time.perf_counter() - since) * 1000, rows


def main(niches: str = "50000", events: str = "2000000") -> None:
    rows: list[list[str]] = []
    with benchmark_server(shared_buffers="1GB", max_wal_size="4GB") as server:
        url = new_database(server, "readers")
        fill(url, int(niches), int(events))
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as opened:
            connection = driver(opened)
            view = "SELECT rtrim(pg_get_viewdef('analytics.platform_comparison'::regclass), ';')"
            comparison = opened.scalar(text(view)) or ""
            busiest, _ = connection.execute(query("rehearsal/popular_niches")).fetchone() or (None, None)
            for reader in map(Reader, ASKED):
                arguments = {name: {"niche_id": busiest}.get(name) for name in reader.parameters}
                ours = as_sent(reader)
                statements = {"ours": ours, "raw": raw(ours, comparison)}
                times: dict[str, list[float]] = {form: [] for form in statements}
                for _ in range(RUNS):
                    found = {}
                    for form, sql in statements.items():
                        took, found[form] = asked(connection, sql, arguments)
                        times[form].append(took)
                    if found["ours"] != found["raw"]:
                        raise SystemExit(f"{reader.name} differs on the raw tables: {found}")
                ratio = median([a / b for a, b in zip(times["ours"], times["raw"], strict=True)])
                rows.append(
                    [
                        reader.name,
                        f"{median(times['ours']):,.2f}",
                        f"{median(times['raw']):,.2f}",
                        f"{ratio:.4f}",
                        str(len(found["ours"])),
                    ]
                )
    report(
        "Readers beside the raw tables",
        ["reader", "ms", "ms, raw tables", "ratio", "rows"],
        rows,
        f"medians of {RUNS} paired runs; {int(niches):,} niches, {int(events):,} events",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
