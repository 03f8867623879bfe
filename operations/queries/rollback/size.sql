-- A relation's kind and size, and its rows as the statistics estimate them (-1: never analysed).
SELECT c.relkind::text AS kind, pg_total_relation_size(c.oid) AS bytes, c.reltuples::bigint AS estimated
FROM pg_class AS c
WHERE c.oid = to_regclass(%(relation)s);
