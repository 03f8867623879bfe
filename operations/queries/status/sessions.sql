-- The rollout's own sessions, and what they are at.
SELECT
    a.pid,
    a.application_name AS name,
    coalesce(a.state, 'hidden') AS state,
    coalesce(a.wait_event_type || ': ' || a.wait_event, '') AS wait,
    coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float AS seconds,
    coalesce(regexp_replace(a.query, '\s+', ' ', 'g'), '') AS query
FROM pg_stat_activity AS a
WHERE
    a.datname = current_database()
    AND a.application_name ~ '^sidb'
    AND a.pid <> pg_backend_pid()
    AND a.state IS DISTINCT FROM 'idle'
ORDER BY a.pid
LIMIT 6;
