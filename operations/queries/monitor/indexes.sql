-- Indexes of tables and materialized views, and how often this server has used each since statistics were last reset.
-- An index that is being built is not valid yet, but not broken: it is left out.
-- parameters: tables (oids)
SELECT
    i.indexrelid::regclass::text AS name,
    i.indrelid::bigint AS of_table,
    pg_relation_size(i.indexrelid) AS bytes,
    coalesce(s.idx_scan, 0) AS scans,
    i.indisunique AS unique,
    i.indisvalid AS valid
FROM pg_index AS i
LEFT JOIN pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid
WHERE
    i.indrelid = ANY(%(tables)s::oid [])
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
ORDER BY name;
