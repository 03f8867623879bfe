-- Autovacuum at work on one of these tables, or a partition of one: a vacuum without a user that holds the table's lock. Found by what every role
-- may see: only members of pg_read_all_stats see which table a vacuum works on, and that it is autovacuum's.
-- parameters: tables (qualified names)
SELECT 'autovacuum works on ' || CAST(l.relation AS regclass) AS detail
FROM pg_stat_progress_vacuum AS p
INNER JOIN pg_stat_activity AS a ON a.pid = p.pid
INNER JOIN pg_locks AS l ON l.pid = p.pid
WHERE
    a.usesysid IS NULL
    AND p.datname = current_database()
    AND l.mode = 'ShareUpdateExclusiveLock'
    AND l.relation IN (
        SELECT coalesce(part.relid, to_regclass(given.name))
        FROM unnest(CAST(:tables AS text[])) AS given (name)
        LEFT JOIN LATERAL pg_partition_tree(to_regclass(given.name)) AS part ON true
    )
LIMIT 1;
