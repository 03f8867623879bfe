-- Size, use and upkeep of tables and materialized views; rows are PostgreSQL's estimate. Missing ones are left out.
-- parameters: schemas, names (arrays of one length)
SELECT
    c.oid::bigint AS oid,
    c.oid::regclass::text AS name,
    c.relkind = 'm' AS view,
    greatest(CASE WHEN c.reltuples < 0 OR s.n_live_tup > 0 THEN s.n_live_tup ELSE c.reltuples END, 0)::bigint AS rows,
    pg_table_size(c.oid) AS bytes,
    pg_indexes_size(c.oid) AS index_bytes,
    coalesce(s.seq_scan, 0) AS whole_scans,
    coalesce(s.idx_scan, 0) AS index_scans,
    coalesce(s.n_dead_tup, 0) AS dead_rows,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed,
    greatest(s.last_analyze, s.last_autoanalyze) AS analyzed,
    age(c.relfrozenxid) AS xid_age,
    coalesce(io.heap_blks_hit + io.idx_blks_hit, io.heap_blks_hit, 0) AS blocks_hit,
    coalesce(io.heap_blks_read + io.idx_blks_read, io.heap_blks_read, 0) AS blocks_read,
    current_setting('autovacuum') = 'on'
    AND NOT coalesce('autovacuum_enabled=false' = ANY(c.reloptions), false) AS autovacuum
FROM unnest(%(schemas)s::text [], %(names)s::text []) AS wanted (schema, name)
INNER JOIN pg_namespace AS n ON n.nspname = wanted.schema
INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'm')
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
LEFT JOIN pg_statio_all_tables AS io ON io.relid = c.oid
ORDER BY pg_total_relation_size(c.oid) DESC, c.relname;
