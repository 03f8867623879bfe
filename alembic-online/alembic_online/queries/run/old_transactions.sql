-- Whose transactions an index that is built or dropped concurrently has to wait for.
SELECT
    a.pid,
    coalesce(a.usename, a.backend_type, 'a background process') AS who,
    coalesce(a.application_name, '') AS application,
    coalesce(a.backend_type, CASE WHEN a.usesysid IS NULL THEN 'autovacuum worker' ELSE 'client backend' END)
        AS backend_type,
    CASE WHEN a.backend_type IS NULL THEN 'hidden' ELSE coalesce(a.state, a.query, 'at work') END AS state,
    false AS urgent,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float AS transaction_seconds,
    extract(epoch FROM clock_timestamp() - a.state_change)::float AS state_seconds,
    a.query_start,
    '' AS transaction,
    NULL AS relation,
    me.rolsuper
    OR (NOT them.rolsuper AND (pg_has_role(them.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))) IS true
        AS may_end,
    NULL AS hidden_from
FROM pg_stat_activity AS a
INNER JOIN pg_roles AS me ON me.rolname = current_user
LEFT JOIN pg_roles AS them ON them.oid = a.usesysid
WHERE
    a.datname = current_database()
    AND a.pid NOT IN (%(migrator)s, pg_backend_pid())
    AND a.xact_start < clock_timestamp() - interval '1 second'
    AND a.backend_type <> 'autovacuum worker'
UNION ALL
SELECT
    0 AS pid,
    p.owner::text AS who,
    p.gid AS application,
    'prepared transaction' AS backend_type,
    'prepared' AS state,
    false AS urgent,
    extract(epoch FROM clock_timestamp() - p.prepared)::float AS transaction_seconds,
    extract(epoch FROM clock_timestamp() - p.prepared)::float AS state_seconds,
    NULL AS query_start,
    '' AS transaction,
    NULL AS relation,
    false AS may_end,
    NULL AS hidden_from
FROM pg_prepared_xacts AS p
WHERE p.database = current_database()
ORDER BY transaction_seconds DESC;
