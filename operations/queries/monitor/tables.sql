-- Size, use and upkeep of tables and materialized views; rows are PostgreSQL's estimate. Missing ones are left out. A
-- partitioned table is the sum of its partitions, which are told besides.
-- parameters: schemas, names (arrays of one length)
WITH wanted AS (
    SELECT c.oid, c.relkind
    FROM unnest(%(schemas)s::text [], %(names)s::text []) AS given (schema, name)
    INNER JOIN pg_namespace AS n ON n.nspname = given.schema
    INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = given.name AND c.relkind IN ('r', 'p', 'm')
),

partitions AS (
    SELECT w.oid AS whole, t.relid::oid AS part
    FROM wanted AS w
    CROSS JOIN LATERAL pg_partition_tree(w.oid) AS t
    WHERE w.relkind = 'p' AND t.isleaf
),

parts (whole, part) AS (
    SELECT w.oid, w.oid FROM wanted AS w WHERE w.relkind <> 'p'
    UNION ALL
    SELECT p.whole, p.part FROM partitions AS p
    UNION ALL
    SELECT p.part, p.part FROM partitions AS p
)

SELECT
    c.oid::bigint AS oid,
    c.oid::regclass::text AS name,
    c.relkind = 'm' AS view,
    c.relkind = 'p' AS partitioned,
    sum(
        greatest(CASE WHEN p.reltuples < 0 OR s.n_live_tup > 0 THEN s.n_live_tup ELSE p.reltuples END, 0)
    )::bigint AS rows,
    sum(pg_table_size(p.oid))::bigint AS bytes,
    sum(pg_indexes_size(p.oid))::bigint AS index_bytes,
    sum(coalesce(s.seq_scan, 0))::bigint AS whole_scans,
    sum(coalesce(s.idx_scan, 0))::bigint AS index_scans,
    sum(coalesce(s.n_dead_tup, 0))::bigint AS dead_rows,
    min(greatest(s.last_vacuum, s.last_autovacuum)) AS vacuumed,
    min(greatest(s.last_analyze, s.last_autoanalyze)) AS analyzed,
    max(age(p.relfrozenxid)) AS xid_age,
    sum(coalesce(io.heap_blks_hit + io.idx_blks_hit, io.heap_blks_hit, 0))::bigint AS blocks_hit,
    sum(coalesce(io.heap_blks_read + io.idx_blks_read, io.heap_blks_read, 0))::bigint AS blocks_read,
    bool_and(
        current_setting('autovacuum') = 'on' AND coalesce(
            (SELECT o.option_value::boolean FROM pg_options_to_table(p.reloptions) AS o WHERE o.option_name = 'autovacuum_enabled'),
            true
        )
    ) AS autovacuum
FROM parts
INNER JOIN pg_class AS c ON c.oid = parts.whole
INNER JOIN pg_class AS p ON p.oid = parts.part
LEFT JOIN pg_stat_all_tables AS s ON s.relid = p.oid
LEFT JOIN pg_statio_all_tables AS io ON io.relid = p.oid
GROUP BY c.oid
ORDER BY sum(pg_total_relation_size(p.oid)) DESC, c.relkind <> 'p', c.relname;
