-- Whether an index stands on a table that is a partition.
SELECT c.relispartition
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indrelid
WHERE i.indexrelid = to_regclass(%(index)s);
