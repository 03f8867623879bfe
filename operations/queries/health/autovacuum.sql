-- Autovacuum at work on one of these tables.
-- parameters: tables (qualified names)
SELECT 'autovacuum works on ' || CAST(p.relid AS regclass) AS detail
FROM pg_stat_progress_vacuum AS p
INNER JOIN pg_stat_activity AS a ON a.pid = p.pid
WHERE
    a.backend_type = 'autovacuum worker'
    AND p.datname = current_database()
    AND p.relid IN (SELECT to_regclass(given.name) FROM unnest(CAST(:tables AS text[])) AS given (name))
LIMIT 1;
