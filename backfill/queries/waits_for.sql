-- The sessions for which one waits now; of other roles' sessions, a role without pg_read_all_stats sees little. Of pid 0
-- is a transaction that was prepared, which no session has: its name stands as the application's.
-- parameters: pid
SELECT
    blocker.pid,
    coalesce(nullif(a.application_name, ''), a.backend_type, p.gid, 'unknown') AS application,
    coalesce(a.usename, p.owner, 'unknown') AS role,
    coalesce(a.state, 'state hidden') AS state,
    coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)), 0)::float AS seconds
FROM pg_stat_activity AS waiting
CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocker (pid)
LEFT JOIN pg_stat_activity AS a ON a.pid = blocker.pid
LEFT JOIN LATERAL (
    SELECT x.gid, x.owner, x.prepared
    FROM pg_locks AS wanted
    INNER JOIN pg_locks AS held
        ON
            held.pid IS NULL
            AND held.granted
            AND held.locktype = wanted.locktype
            AND held.relation IS NOT DISTINCT FROM wanted.relation
            AND held.transactionid IS NOT DISTINCT FROM wanted.transactionid
    INNER JOIN pg_locks AS own
        ON own.locktype = 'transactionid' AND own.pid IS NULL AND own.virtualtransaction = held.virtualtransaction
    INNER JOIN pg_prepared_xacts AS x ON x.transaction = own.transactionid
    WHERE wanted.pid = waiting.pid AND NOT wanted.granted
    LIMIT 1
) AS p ON blocker.pid = 0
WHERE waiting.pid = CAST(:pid AS integer) AND waiting.wait_event_type = 'Lock'
ORDER BY a.xact_start;
