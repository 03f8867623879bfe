-- Whoever takes the same moment at the same time waits here. When a transaction of another role began is hidden from those
-- who may not see it, but not that it is open; of a prepared one nothing says it.
INSERT INTO sidb.fingerprint (moment, taken_at, oldest_open)
SELECT
    %(moment)s,
    clock_timestamp(),
    CASE
        WHEN
            count(*) FILTER (WHERE a.state IS NULL AND open.pid IS NOT NULL) = 0
            AND NOT EXISTS (SELECT FROM pg_prepared_xacts AS p WHERE p.database = current_database())
            THEN least(min(a.xact_start), now())
    END
FROM pg_stat_activity AS a
LEFT JOIN pg_locks AS open ON open.pid = a.pid AND open.locktype = 'virtualxid' AND open.mode = 'ExclusiveLock'
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
ON CONFLICT (moment) DO UPDATE SET taken_at = excluded.taken_at, oldest_open = excluded.oldest_open;
