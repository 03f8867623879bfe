-- What the file that takes the place of others lacks goes: from staging, from what is known of it, and from the events.
WITH gone AS (
    SELECT c.event_timestamp, c.theirs AS event_id FROM pg_temp.backfill_compared AS c WHERE c.mine IS NULL
), staged AS (
    DELETE FROM sidb.backfill_events AS s USING gone AS g
    WHERE s.event_timestamp = g.event_timestamp AND s.event_id = g.event_id
), known AS (
    DELETE FROM sidb.backfill_lines AS k USING gone AS g
    WHERE k.event_timestamp = g.event_timestamp AND k.event_id = g.event_id
), moved AS (
    DELETE FROM analytics.analytics_events AS a USING gone AS g
    WHERE a.event_timestamp = g.event_timestamp AND a.event_id = g.event_id
)
SELECT count(*) FROM gone
