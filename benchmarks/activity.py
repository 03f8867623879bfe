"""What daily activity costs the writers of events, and how fresh it is: python -m benchmarks.activity

16 writers, two single-row inserts a transaction into 50 hot niches, through pgbench. Without triggers, with ours (which
append deltas), with a trigger that upserts the summary row directly, keys sorted, and with a materialized view that is
refreshed concurrently again and again; each on top of 300,000 events of 70 days. Paired: every round runs them in turn;
the ratios are taken within a round.
Beside the writers, a probe commits an event of a niche of its own and asks until the counts have it: their staleness.
"""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg

from benchmarks.harness import benchmark_server, median, new_database, report
from operations.embedded import Server
from tests.fixtures.databases import Alembic, conninfo

ROUNDS = 7
SECONDS = 6
WRITERS = 16
PROBED = 51
"""The probe's niche."""
PAUSE = 0.1  # seconds between two probes

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

EVENT = """
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
VALUES ('view', 'probe', now(), '{}', %s)
"""

HISTORY = """
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
SELECT 'view', 'benchmark', now() - number * interval '20 seconds', '{}', 1 + number % 50
FROM generate_series(1, 300000) AS numbers (number)
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

REFRESHED = f"""{WITHOUT}
CREATE MATERIALIZED VIEW analytics.counted AS
SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
FROM analytics.analytics_events
GROUP BY 1, 2, 3;
CREATE UNIQUE INDEX counted_key ON analytics.counted (niche_id, day, event_type);
"""  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Variant:
    """How activity is counted: what is changed in the schema, where the counts are read, and what is refreshed."""

    change: str
    counts: str
    refreshed: bool = False


VARIANTS = {
    "no trigger, no counts": Variant(WITHOUT, ""),
    "delta triggers (ours)": Variant("", "analytics.niche_daily_activity"),
    "sorted direct upsert": Variant(DIRECT_UPSERT, "analytics.niche_daily_activity_summary"),
    "REFRESH CONCURRENTLY, back to back": Variant(REFRESHED, "analytics.counted", refreshed=True),
}


def main() -> None:
    with benchmark_server() as server, NamedTemporaryFile("w", suffix=".sql", dir="/tmp") as script:
        script.write(INSERT)
        script.flush()
        Path(script.name).chmod(0o644)
        for number, variant in enumerate(VARIANTS.values()):
            prepare(server, f"variant_{number}", variant.change)
        rates: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        stale: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
        for _ in range(ROUNDS):
            for number, (name, variant) in enumerate(VARIANTS.items()):
                rate, seen = run(server, f"variant_{number}", variant, script.name)
                rates[name].append(rate)
                stale[name] += seen
                print(f"{name}: {rate:,.0f} transactions a second", file=sys.stderr)
        base = next(iter(rates.values()))
        report(
            "Writers of events: throughput with daily activity, and its staleness",
            ["method", "ratio (median)", "ratio (min to max)", "staleness, ms (median)", "most", "deadlocks"],
            [
                [
                    name,
                    f"{median(ratios):.2f}",
                    f"{min(ratios):.2f} to {max(ratios):.2f}",
                    f"{median(stale[name]):,.1f}" if stale[name] else "–",  # noqa: RUF001
                    f"{max(stale[name]):,.1f}" if stale[name] else "–",  # noqa: RUF001
                    str(count_deadlocks(server, f"variant_{number}")),
                ]
                for number, (name, values) in enumerate(rates.items())
                if (ratios := [value / without for value, without in zip(values, base, strict=True)])
            ],
            f"{WRITERS} writers, 2 inserts a transaction, 50 niches, {ROUNDS} paired rounds of {SECONDS} s",
        )


def prepare(server: Server, name: str, change: str) -> None:
    url = new_database(server, name)
    Alembic(url).upgrade()
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("INSERT INTO features (phrase) SELECT 'niche ' || n FROM generate_series(1, 51) AS n")
        if change:
            connection.execute(change.encode())


def run(server: Server, name: str, variant: Variant, script: str) -> tuple[float, list[float]]:
    """Transactions a second, and milliseconds until the counts had a probe's event; what was there before is gone."""
    with psycopg.connect(conninfo(server.url(name)), autocommit=True) as connection:
        connection.execute(
            "TRUNCATE analytics.analytics_events, analytics.niche_daily_activity_delta, "
            "analytics.niche_daily_activity_summary"
        )
        connection.execute(HISTORY)
        connection.execute("SELECT analytics.drain_niche_daily_activity()")
        if variant.refreshed:
            connection.execute("REFRESH MATERIALIZED VIEW analytics.counted")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    address = conninfo(server.url(name))
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(address, autocommit=True) as refresher,
        subprocess.Popen(
            [
                *(str(server.binaries / "pgbench"), "-n", "-M", "prepared", "-f", script),
                *("-c", str(WRITERS), "-j", "2", "-T", str(SECONDS), "--max-tries", "10", address),
            ],
            stdout=subprocess.PIPE,
            text=True,
        ) as writers,
    ):
        if variant.refreshed:
            pool.submit(refresh, refresher, writers)
        seen = probe(address, variant.counts, writers)
        printed, _ = writers.communicate()
        assert writers.returncode == 0
        refresher.cancel()
    found = re.search(r"tps = ([\d.]+)", printed)
    assert found, printed
    return float(found[1]), seen


def refresh(connection: psycopg.Connection, writers: "subprocess.Popen[str]") -> None:
    """Again and again while the writers write; the last time is cancelled."""
    with suppress(psycopg.errors.QueryCanceled):
        while writers.poll() is None:
            connection.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.counted")


def probe(address: str, counts: str, writers: "subprocess.Popen[str]") -> list[float]:
    """Milliseconds from an event's commit until a reader of the counts has seen it, probe after probe."""
    seen: list[float] = []
    count = f"SELECT sum(events) FROM {counts} WHERE niche_id = %s"  # noqa: S608 - a name of VARIANTS
    with psycopg.connect(address, autocommit=True) as connection:
        events = 0
        while counts and writers.poll() is None:
            connection.execute(EVENT, [PROBED])
            events, since = events + 1, time.perf_counter()
            while connection.execute(count.encode(), [PROBED]).fetchone() != (events,) and writers.poll() is None:
                time.sleep(0.001)
            if writers.poll() is None:
                seen.append((time.perf_counter() - since) * 1000)
            time.sleep(PAUSE)
    return seen


def count_deadlocks(server: Server, name: str) -> int:
    with psycopg.connect(conninfo(server.url("postgres"))) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [name]).fetchone()
    assert row
    return int(row[0])


if __name__ == "__main__":
    main()
