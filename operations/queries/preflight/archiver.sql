-- How archiving of WAL goes: seconds since it last worked and failed, and the segment it failed on.
SELECT
    current_setting('archive_mode') <> 'off' AS archives,
    extract(epoch FROM clock_timestamp() - last_archived_time)::float AS worked_seconds,
    last_archived_wal,
    coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) AS failing,
    last_failed_wal,
    failed_count
FROM pg_stat_archiver;
