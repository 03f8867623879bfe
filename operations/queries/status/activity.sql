-- The load of the database: sessions, transactions and deadlocks so far. Of another role's session its kind may be hidden.
SELECT
    clock_timestamp() AS at,
    (
        SELECT count(*) FROM pg_stat_activity AS a
        WHERE a.usesysid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
    ) AS connections,
    current_setting('max_connections')::int AS connections_allowed,
    (
        SELECT count(*) FROM pg_stat_activity AS a
        WHERE a.datname = current_database() AND a.state = 'active' AND a.pid <> pg_backend_pid()
    ) AS active,
    d.xact_commit + d.xact_rollback AS transactions,
    d.deadlocks
FROM pg_stat_database AS d
WHERE d.datname = current_database();
