-- What each table and materialized view of the application takes on disk, TOAST and indexes included, in bytes.
SELECT
    n.nspname || '.' || c.relname AS relation,
    pg_table_size(c.oid) AS data_bytes,
    pg_indexes_size(c.oid) AS index_bytes
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'm')
    AND (n.nspname = 'analytics' OR (n.nspname = 'public' AND c.relname IN ('features', 'hot_niches_today')))
ORDER BY pg_total_relation_size(c.oid) DESC, relation;
