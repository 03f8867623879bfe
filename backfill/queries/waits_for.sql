-- The sessions for which one waits now; of other roles' sessions, a role without pg_read_all_stats sees little.
-- parameters: pid
SELECT
    blocker.pid,
    coalesce(nullif(a.application_name, ''), a.backend_type, 'unknown') AS application,
    coalesce(a.usename, 'unknown') AS role,
    coalesce(a.state, 'state hidden') AS state,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float AS seconds
FROM pg_stat_activity AS waiting
CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocker (pid)
LEFT JOIN pg_stat_activity AS a ON a.pid = blocker.pid
WHERE waiting.pid = CAST(:pid AS integer) AND waiting.wait_event_type = 'Lock'
ORDER BY a.xact_start;
