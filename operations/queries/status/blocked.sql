-- Who waits for whose lock in this database, the longest first; at most ten.
SELECT
    a.pid,
    coalesce(nullif(a.application_name, ''), a.usename::text, '') AS who,
    pg_blocking_pids(a.pid) AS blocked_by,
    coalesce(l.relation::regclass::text, l.locktype) AS wanted,
    l.mode,
    extract(epoch FROM clock_timestamp() - l.waitstart)::float AS seconds
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database()
ORDER BY l.waitstart
LIMIT 10;
