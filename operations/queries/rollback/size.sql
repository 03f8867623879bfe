-- A relation's kind and size, and its rows as the statistics estimate them (-1: never analysed); of all its partitions.
SELECT
    c.relkind::text AS kind,
    pg_total_relation_size(c.oid) + coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint AS bytes,
    c.reltuples::bigint AS estimated
FROM pg_class AS c
LEFT JOIN LATERAL pg_partition_tree(c.oid) AS t ON t.level > 0
WHERE c.oid = to_regclass(%(relation)s)
GROUP BY c.oid, c.relkind, c.reltuples;
