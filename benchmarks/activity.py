"""What exact daily activity costs the writers of events: python -m benchmarks.activity

16 writers, two single-row inserts a transaction into 50 hot niches, through pgbench. Without triggers, with ours (which
append deltas), and with a trigger that upserts the summary row directly, keys sorted. Paired: every round runs the
three in turn; the ratios are taken within a round.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg

from benchmarks.harness import benchmark_server, median, new_database, report
from operations.embedded import Server
from tests.fixtures.databases import Alembic, conninfo

ROUNDS = 7
SECONDS = 6
WRITERS = 16

INSERT = """
\\set first random(1, 50)
\\set second random(1, 50)
BEGIN;
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
VALUES ('view', 'benchmark', now(), '{}', :first);
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
VALUES ('view', 'benchmark', now(), '{}', :second);
COMMIT;
"""

WITHOUT = """
DROP TRIGGER analytics_events_inserted ON analytics.analytics_events;
DROP TRIGGER analytics_events_updated ON analytics.analytics_events;
DROP TRIGGER analytics_events_deleted ON analytics.analytics_events;
DROP TRIGGER analytics_events_truncated ON analytics.analytics_events;
"""

DIRECT_UPSERT = f"""{WITHOUT}
CREATE FUNCTION analytics.upsert_activity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO analytics.niche_daily_activity_summary AS s (niche_id, day, event_type, events)
    SELECT n.niche_id, (n.event_timestamp AT TIME ZONE 'UTC')::date, n.event_type, count(*)
    FROM new_events AS n
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = s.events + excluded.events;
    RETURN NULL;
END
$$;
CREATE TRIGGER analytics_events_inserted AFTER INSERT ON analytics.analytics_events
REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION analytics.upsert_activity();
"""  # noqa: S608 - made of constants

VARIANTS = {"no trigger": WITHOUT, "delta triggers (ours)": "", "sorted direct upsert": DIRECT_UPSERT}


def main() -> None:
    with benchmark_server() as server, NamedTemporaryFile("w", suffix=".sql", dir="/tmp") as script:
        script.write(INSERT)
        script.flush()
        Path(script.name).chmod(0o644)
        for number, change in enumerate(VARIANTS.values()):
            prepare(server, f"variant_{number}", change)
        rates: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        deadlocks = dict.fromkeys(VARIANTS, 0)
        for _ in range(ROUNDS):
            for number, variant in enumerate(VARIANTS):
                rate = run(server, f"variant_{number}", script.name)
                rates[variant].append(rate)
                print(f"{variant}: {rate:,.0f} transactions a second", file=sys.stderr)
        for number, variant in enumerate(VARIANTS):
            deadlocks[variant] = count_deadlocks(server, f"variant_{number}")
        base = rates["no trigger"]
        report(
            "Writers of events: throughput with exact daily activity",
            ["method", "ratio (median)", "ratio (min to max)", "deadlocks"],
            [
                [
                    variant,
                    f"{median(ratios):.2f}",
                    f"{min(ratios):.2f} to {max(ratios):.2f}",
                    str(deadlocks[variant]),
                ]
                for variant, values in rates.items()
                if (ratios := [value / without for value, without in zip(values, base, strict=True)])
            ],
            f"{WRITERS} writers, 2 inserts a transaction, 50 niches, {ROUNDS} paired rounds of {SECONDS} s",
        )


def prepare(server: Server, name: str, change: str) -> None:
    url = new_database(server, name)
    Alembic(url).upgrade()
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("INSERT INTO features (phrase) SELECT 'niche ' || n FROM generate_series(1, 50) AS n")
        if change:
            connection.execute(change.encode())


def run(server: Server, name: str, script: str) -> float:
    """Transactions a second; afterwards the events are gone and the deltas with them."""
    with psycopg.connect(conninfo(server.url(name)), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE analytics.analytics_events, analytics.niche_daily_activity_delta, "
            "analytics.niche_daily_activity_summary"
        )
        connection.execute("CHECKPOINT")
    done = subprocess.run(
        [
            *(str(server.binaries / "pgbench"), "-n", "-M", "prepared", "-f", script),
            *("-c", str(WRITERS), "-j", "2", "-T", str(SECONDS), "--max-tries", "10", conninfo(server.url(name))),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def count_deadlocks(server: Server, name: str) -> int:
    with psycopg.connect(conninfo(server.url("postgres"))) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [name]).fetchone()
    assert row
    return int(row[0])


if __name__ == "__main__":
    main()
