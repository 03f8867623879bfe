-- Forgets what was loaded and is nowhere any more: staging was dropped, and so was the table that held the events.
-- Loading it again brings it back.
WITH lost AS (
    DELETE FROM sidb.backfill_files AS f
    WHERE
        f.finished_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM sidb.backfill_events AS s WHERE s.file_id IS NOT DISTINCT FROM f.file_id)
)
DELETE FROM sidb.backfill_lines;
