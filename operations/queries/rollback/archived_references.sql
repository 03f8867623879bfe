-- Of an archived table and its partitions, those with a foreign key of this name, but for one that goes with the whole's.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    k.contype = 'f'
    AND k.conname = %(name)s
    AND k.conparentid = 0
    AND (
        k.conrelid = to_regclass(%(archived)s)
        OR k.conrelid IN (SELECT t.relid FROM pg_partition_tree(to_regclass(%(archived)s)) AS t)
    )
ORDER BY 1;
