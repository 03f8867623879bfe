-- The tables, partitions and materialized views of this database on which another session, or a prepared transaction,
-- holds one of these lock modes.
SELECT DISTINCT l.relation::regclass::text AS relation
FROM pg_locks AS l
INNER JOIN pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm')
WHERE
    l.granted
    AND l.mode = ANY(%(modes)s)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.pid IS DISTINCT FROM %(ours)s
    AND c.relnamespace <> 'pg_catalog'::regnamespace
ORDER BY relation;
