-- What notes the values written into a table: on it and on each of its partitions, the trigger that nothing passes by.
-- Another version of its row: it was off meanwhile, or the partition detached. Another file: it was rewritten.
SELECT k.relid::bigint AS relid, c.relfilenode::bigint AS file, t.oid::bigint AS trigger, t.xmin::text AS version
FROM (
    SELECT %(relation)s::oid AS relid
    UNION
    SELECT p.relid FROM pg_partition_tree(%(relation)s::oid::regclass) AS p
) AS k
INNER JOIN pg_class AS c ON c.oid = k.relid
LEFT JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = %(trigger)s AND t.tgenabled = 'A';
