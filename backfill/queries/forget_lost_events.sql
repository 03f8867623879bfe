-- Forgets what was loaded and is nowhere any more: staging was dropped, and so was the table that held the events.
-- Loading it again brings it back. Files of which some rows are staged still are known by their content no more: of the
-- series that they belong to, earlier rows are lost.
WITH lost AS (
    SELECT DISTINCT coalesce(f.series, 0) AS series
    FROM sidb.backfill_lines AS k
    LEFT JOIN sidb.backfill_files AS f ON f.file_id = k.file_id
),
known AS (
    SELECT
        f.file_id,
        f.series,
        EXISTS (
            SELECT FROM sidb.backfill_events AS s
            WHERE s.file_id = f.file_id OR (f.series = 0 AND s.file_id IS NULL)
        ) AS is_staged
    FROM sidb.backfill_files AS f
    WHERE f.finished_at IS NOT NULL
),
gone AS (
    DELETE FROM sidb.backfill_files AS f
    USING known AS k
    WHERE k.file_id = f.file_id AND NOT k.is_staged
),
in_part AS (
    UPDATE sidb.backfill_files AS f
    SET digest = concat('lost in part ', f.file_id)
    FROM known AS k
    WHERE k.file_id = f.file_id AND k.is_staged AND k.series IN (SELECT l.series FROM lost AS l)
)
DELETE FROM sidb.backfill_lines;
