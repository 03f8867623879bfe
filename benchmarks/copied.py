"""The other way to a partitioned table, for comparison: a copy that a trigger keeps in step, filled in batches.

As partitioning tools do it: months from the oldest event to the third ahead, a row trigger on the table in use, ten
thousand rows at a time, and the names exchanged at the end, in one transaction.
"""

import time

import psycopg
from psycopg.sql import SQL

from benchmarks.harness import ROOT

BATCH = 10_000
TRIGGERS = ROOT / "alembic/versions/v2_1_0__events_by_month/triggers.sql"

PREPARE = """
    CREATE SCHEMA analytics_partitions;
    CREATE TABLE analytics_partitions.copy (
        LIKE analytics.analytics_events INCLUDING DEFAULTS INCLUDING COMMENTS INCLUDING STORAGE,
        PRIMARY KEY (event_id, event_timestamp)
    ) PARTITION BY RANGE (event_timestamp);
    CREATE TABLE analytics_partitions.copy_default PARTITION OF analytics_partitions.copy DEFAULT;
    DO $$
    DECLARE
        month date;
    BEGIN
        FOR month IN
            SELECT generate_series(date_trunc('month', min(event_timestamp)), now() + interval '3 months', '1 month')
            FROM analytics.analytics_events
        LOOP
            EXECUTE format(
                'CREATE TABLE analytics_partitions.%I PARTITION OF analytics_partitions.copy'
                ' FOR VALUES FROM (%L) TO (%L)',
                to_char(month, '"copy_"YYYY"_"MM'), month, month + interval '1 month'
            );
        END LOOP;
    END
    $$;
    CREATE INDEX ON analytics_partitions.copy (event_timestamp);
    CREATE INDEX ON analytics_partitions.copy (event_type, event_source);
    CREATE INDEX ON analytics_partitions.copy (niche_id);
    CREATE INDEX ON analytics_partitions.copy (user_id);
    CREATE INDEX ON analytics_partitions.copy (niche_id, event_type, event_timestamp);
    ALTER TABLE analytics_partitions.copy ADD FOREIGN KEY (niche_id) REFERENCES public.features (niche_id);
    CREATE FUNCTION analytics_partitions.keep_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF tg_op <> 'INSERT' THEN
            DELETE FROM analytics_partitions.copy
            WHERE event_id = old.event_id AND event_timestamp = old.event_timestamp;
        END IF;
        IF tg_op <> 'DELETE' THEN
            INSERT INTO analytics_partitions.copy SELECT new.* ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END
    $$;
"""
FOLLOW = """
    CREATE TRIGGER keep_in_step AFTER INSERT OR UPDATE OR DELETE ON analytics.analytics_events
    FOR EACH ROW EXECUTE FUNCTION analytics_partitions.keep_in_step()
"""
FILL = """
    INSERT INTO analytics_partitions.copy
    SELECT * FROM analytics.analytics_events WHERE event_id > %s AND event_id <= %s FOR KEY SHARE
    ON CONFLICT DO NOTHING
"""
EXCHANGE = """
    LOCK TABLE analytics.analytics_events IN ACCESS EXCLUSIVE MODE;
    DROP TRIGGER keep_in_step ON analytics.analytics_events;
    ALTER TABLE analytics.analytics_events RENAME TO analytics_events_old;
    ALTER TABLE analytics.analytics_events_old SET SCHEMA analytics_partitions;
    ALTER TABLE analytics_partitions.copy RENAME TO analytics_events;
    ALTER TABLE analytics_partitions.analytics_events SET SCHEMA analytics;
"""


def copy(address: str) -> float:
    """Do all of it; the time at which the exchange began, as `time.perf_counter` has it."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(PREPARE)
        connection.execute(FOLLOW)
        row = connection.execute("SELECT max(event_id) FROM analytics.analytics_events").fetchone()
        for first in range(0, row[0] if row else 0, BATCH):
            connection.execute(FILL, [first, first + BATCH])
        triggers = TRIGGERS.read_text(encoding="utf-8").replace("{table}", "analytics.analytics_events")
        exchanged = time.perf_counter()
        connection.execute(SQL("BEGIN; {}; {}; COMMIT").format(SQL(EXCHANGE.strip().rstrip(";")), SQL(triggers)))
        return exchanged
