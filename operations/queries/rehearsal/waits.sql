-- Who waits for a lock in this database, since when, and which application stands in the way.
SELECT
    l.pid,
    waiting.application_name AS waiting,
    coalesce(l.waitstart, waiting.query_start)::text AS since,
    extract(epoch FROM clock_timestamp() - coalesce(l.waitstart, waiting.query_start))::float8 AS seconds,
    coalesce(nullif(blocking.application_name, ''), blocking.backend_type, 'gone') AS behind
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS waiting ON waiting.pid = l.pid AND waiting.datname = current_database()
CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS blocker (pid)
LEFT JOIN pg_stat_activity AS blocking ON blocking.pid = blocker.pid
WHERE NOT l.granted;
