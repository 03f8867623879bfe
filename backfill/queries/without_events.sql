-- Rows of a series that were moved, and have no event any more: as staged, or as known from before staging was dropped.
-- Times restrict what is read of either table. A row of a file that no pass has ended for is not moved yet.
INSERT INTO pg_temp.backfill_without_events (event_timestamp, event_id)
WITH files AS (
    SELECT f.file_id, f.oldest, f.newest
    FROM sidb.backfill_files AS f
    WHERE f.series = :series AND f.series > 0 AND f.finished_at IS NOT NULL
), moved AS (
    SELECT f.file_id, f.oldest, f.newest
    FROM files AS f
    WHERE EXISTS (SELECT FROM sidb.backfill_ranges AS r WHERE r.job = 'event_history' AND f.file_id = ANY(r.walked))
        AND NOT EXISTS (SELECT FROM sidb.backfill_ranges AS r WHERE r.job = 'event_history' AND r.done_at IS NULL)
), rows AS (
    SELECT k.event_timestamp, k.event_id
    FROM files AS f
    INNER JOIN sidb.backfill_lines AS k
        ON k.file_id = f.file_id AND k.event_timestamp BETWEEN f.oldest AND f.newest
    UNION ALL
    SELECT s.event_timestamp, s.event_id
    FROM moved AS f
    INNER JOIN sidb.backfill_events AS s
        ON s.file_id = f.file_id AND s.event_timestamp BETWEEN f.oldest AND f.newest
)
SELECT r.event_timestamp, r.event_id
FROM rows AS r
WHERE NOT EXISTS (
        SELECT FROM analytics.analytics_events AS a
        WHERE a.event_timestamp = r.event_timestamp AND a.event_id = r.event_id
    )
    AND NOT EXISTS (SELECT FROM sidb.backfill_set_aside AS x WHERE x.job = 'event_history' AND x.key = r.event_id)
