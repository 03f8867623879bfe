-- Indexes of tables and materialized views, and how often this server has used each since statistics were last reset.
-- One of a partitioned table is the sum of its partitions', which are told where they are invalid.
-- An index that is being built is not valid yet, but not broken: it is left out.
-- parameters: tables (oids)
SELECT
    i.indexrelid::regclass::text AS name,
    i.indrelid::bigint AS of_table,
    parts.bytes,
    parts.scans,
    i.indisunique AS unique,
    i.indisvalid AS valid,
    x.relkind = 'I' AS partitioned
FROM pg_index AS i
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
CROSS JOIN LATERAL (
    SELECT sum(pg_relation_size(p.oid))::bigint AS bytes, sum(coalesce(s.idx_scan, 0))::bigint AS scans
    FROM (SELECT i.indexrelid UNION SELECT t.relid FROM pg_partition_tree(i.indexrelid) AS t) AS p (oid)
    LEFT JOIN pg_stat_all_indexes AS s ON s.indexrelid = p.oid
) AS parts
WHERE
    i.indrelid = ANY(%(tables)s::oid [])
    AND NOT (x.relispartition AND i.indisvalid)
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
ORDER BY name;
