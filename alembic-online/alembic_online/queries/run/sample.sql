-- The server at this moment: connections by state, who waits for the migrator and for how long, replication lag. What others'
-- sessions are is hidden from a role without pg_read_all_stats. Change data capture is no replica.
SELECT
    count(*) AS connections,
    count(*) FILTER (WHERE a.state = 'active') AS active,
    count(*) FILTER (WHERE a.state = 'idle') AS idle,
    count(*) FILTER (WHERE a.state LIKE 'idle in transaction%%') AS idle_in_transaction,
    current_setting('max_connections')::integer AS max_connections,
    coalesce(
        (
            SELECT extract(epoch FROM max(r.replay_lag)) FROM pg_stat_replication AS r
            WHERE NOT EXISTS (
                SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'
            )
        ),
        0
    )::float AS replication_lag,
    coalesce(
        (
            SELECT jsonb_agg(jsonb_build_array(
                w.pid,
                w.started::text,
                extract(epoch FROM clock_timestamp() - w.started)
            ))
            FROM (
                SELECT l.pid, coalesce(l.waitstart, s.query_start) AS started
                FROM pg_locks AS l
                INNER JOIN pg_stat_activity AS s ON s.pid = l.pid
                WHERE NOT l.granted AND l.pid <> %(migrator)s AND %(migrator)s = ANY(pg_blocking_pids(l.pid))
            ) AS w
        ),
        '[]'
    ) AS blocked_sessions
FROM pg_stat_activity AS a
WHERE a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend';
