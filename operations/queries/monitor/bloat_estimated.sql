-- The share of each table's pages that its rows would not need, from the statistics of ANALYZE: an estimate, out by a
-- tenth or so. NULL: never analysed, or its columns are not for this role to see.
-- parameters: tables (oids)
SELECT
    c.oid::bigint AS oid,
    CASE
        WHEN count(st.*) > 0 THEN greatest(
            1 - c.reltuples * (28 + sum((1 - st.null_frac) * st.avg_width))
            / nullif((pg_relation_size(c.oid) / page.bytes) * (page.bytes - 24), 0),
            0
        )::float
    END AS share
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN (SELECT current_setting('block_size')::integer AS bytes) AS page
LEFT JOIN pg_stats AS st ON st.schemaname = n.nspname AND st.tablename = c.relname
WHERE c.oid = ANY(%(tables)s::oid []) AND c.reltuples >= 0
GROUP BY c.oid, c.reltuples, page.bytes;
