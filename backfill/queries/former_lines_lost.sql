-- Whether version 2.0.6 or older staged rows that are no longer known: dropped by its finish.
SELECT coalesce(sum(f.records - f.rejected - f.erased - f.expired), 0) > (
    SELECT count(*) FROM pg_temp.backfill_earlier AS s WHERE s.file_id IS NULL
)
FROM sidb.backfill_files AS f
WHERE f.series = 0 AND f.added IS NULL AND f.finished_at IS NOT NULL
