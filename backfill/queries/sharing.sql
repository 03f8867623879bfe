-- The other series whose lines are among the file's new ones: how many, and a name. Only files of the same time are read.
WITH mine AS (
    SELECT f.oldest, f.newest FROM sidb.backfill_files AS f WHERE f.file_id = :file_id
), near AS (
    SELECT f.file_id
    FROM sidb.backfill_files AS f
    CROSS JOIN mine
    WHERE f.finished_at IS NOT NULL
        AND f.file_id <> :file_id
        AND (f.oldest IS NULL OR (f.oldest <= mine.newest AND f.newest >= mine.oldest))
        AND f.series <> ALL(CAST(:series AS bigint[]))
), added AS (
    SELECT DISTINCT i.event_timestamp, i.line
    FROM pg_temp.backfill_incoming AS i
    WHERE EXISTS (SELECT FROM near)
        AND NOT EXISTS (
            SELECT FROM pg_temp.backfill_compared AS c
            WHERE c.mine = i.event_id AND c.event_timestamp = i.event_timestamp AND c.theirs IS NOT NULL
        )
)
SELECT s.series, count(*) AS lines, coalesce(min(f.name), 'a load of version 2.0.6 or older') AS name
FROM pg_temp.backfill_earlier AS s
CROSS JOIN mine
JOIN added AS a ON a.event_timestamp = s.event_timestamp AND a.line = s.line
LEFT JOIN sidb.backfill_files AS f ON f.file_id = s.file_id
WHERE s.series <> ALL(CAST(:series AS bigint[]))
    AND s.event_timestamp BETWEEN mine.oldest AND mine.newest
GROUP BY s.series
ORDER BY s.series
