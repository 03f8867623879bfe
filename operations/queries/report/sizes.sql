-- What each table and materialized view of the application takes on disk, TOAST, indexes and partitions included, in bytes;
-- rows are PostgreSQL's estimate.
SELECT
    n.nspname || '.' || c.relname AS relation,
    parts.rows,
    parts.data_bytes,
    parts.index_bytes
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT
        sum(
            CASE
                WHEN p.relkind = 'p' THEN 0
                ELSE greatest(CASE WHEN p.reltuples < 0 OR s.n_live_tup > 0 THEN s.n_live_tup ELSE p.reltuples END, 0)
            END
        )::bigint AS rows,
        sum(pg_table_size(p.oid))::bigint AS data_bytes,
        sum(pg_indexes_size(p.oid))::bigint AS index_bytes
    FROM (SELECT c.oid UNION SELECT t.relid FROM pg_partition_tree(c.oid) AS t) AS part (oid)
    INNER JOIN pg_class AS p ON p.oid = part.oid
    LEFT JOIN pg_stat_all_tables AS s ON s.relid = p.oid
) AS parts
WHERE
    c.relkind IN ('r', 'p', 'm')
    AND (n.nspname = 'analytics' OR (n.nspname = 'public' AND c.relname IN ('features', 'hot_niches_today')))
ORDER BY parts.data_bytes + parts.index_bytes DESC, relation;
