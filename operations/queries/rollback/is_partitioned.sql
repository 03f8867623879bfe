-- Whether a relation is a partitioned table; no row where it is not there.
SELECT c.relkind = 'p' AS is_partitioned
FROM pg_class AS c
WHERE c.oid = to_regclass(%(relation)s);
