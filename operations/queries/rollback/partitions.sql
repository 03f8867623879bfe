-- The partitions of a table, of whatever level.
SELECT t.relid::regclass::text
FROM pg_partition_tree(to_regclass(%(relation)s)) AS t
WHERE t.parentrelid IS NOT NULL
ORDER BY t.level, 1;
