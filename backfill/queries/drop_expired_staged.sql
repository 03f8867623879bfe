-- The next staged rows whose time is over, and what is known of those that were staged; how many went. A file that has
-- lost some knows how many.
WITH staged AS (
    DELETE FROM sidb.backfill_events AS s
    USING (
        SELECT e.event_timestamp, e.event_id FROM sidb.backfill_events AS e WHERE e.event_timestamp < :horizon LIMIT :rows
    ) AS c
    WHERE s.event_timestamp = c.event_timestamp AND s.event_id = c.event_id
    RETURNING s.file_id
),

known AS (
    DELETE FROM sidb.backfill_lines AS k
    USING (
        SELECT l.event_timestamp, l.event_id FROM sidb.backfill_lines AS l WHERE l.event_timestamp < :horizon LIMIT :rows
    ) AS c
    WHERE k.event_timestamp = c.event_timestamp AND k.event_id = c.event_id
    RETURNING k.file_id
),

gone AS (
    SELECT g.file_id, count(*) AS rows
    FROM (SELECT staged.file_id FROM staged UNION ALL SELECT known.file_id FROM known) AS g
    GROUP BY g.file_id
),

counted AS (
    UPDATE sidb.backfill_files AS f
    SET expired = f.expired + g.rows
    FROM gone AS g
    WHERE f.file_id = coalesce(g.file_id, (SELECT min(o.file_id) FROM sidb.backfill_files AS o WHERE o.series = 0))
)

SELECT coalesce(sum(gone.rows), 0)::bigint FROM gone
