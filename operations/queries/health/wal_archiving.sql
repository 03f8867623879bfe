-- WAL that waits to be archived, where it is archived at all: more than so many segments lie between the last archived
-- one and the one being written, or the last try failed.
-- parameters: segments
SELECT
    CASE
        WHEN behind.last_try_failed THEN 'archiving WAL fails'
        ELSE behind.segments || ' WAL segments wait to be archived'
    END AS detail
FROM (
    SELECT
        coalesce(a.last_failed_time > a.last_archived_time, a.last_failed_time IS NOT NULL) AS last_try_failed,
        div(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), size.bytes)
        - (CAST(CAST('x' || substr(a.last_archived_wal, 9, 8) AS bit(32)) AS bigint) * (4294967296 / size.bytes)
        + CAST(CAST('x' || substr(a.last_archived_wal, 17, 8) AS bit(32)) AS bigint)) - 1 AS segments
    FROM pg_stat_archiver AS a
    CROSS JOIN (SELECT pg_size_bytes(current_setting('wal_segment_size')) AS bytes) AS size
    WHERE
        current_setting('archive_mode') <> 'off'
        AND coalesce(a.last_archived_wal ~ '^[0-9A-F]{24}', TRUE)
) AS behind
WHERE behind.last_try_failed OR behind.segments > CAST(:segments AS integer);
