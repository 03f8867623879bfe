-- What decides which questions can be asked here.
SELECT
    clock_timestamp() AS at,
    pg_is_in_recovery() AS standby,
    current_user::text AS role,
    pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
    (SELECT s.stats_reset FROM pg_stat_database AS s WHERE s.datname = current_database()) AS counted_since,
    max(n.nspname) FILTER (WHERE e.extname = 'pg_stat_statements') AS statements_schema,
    max(n.nspname) FILTER (WHERE e.extname = 'pgstattuple') AS tuples_schema
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON n.oid = e.extnamespace;
