-- The tables of an archive, by full names; partitions go with theirs.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(archive)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1;
