-- What renames the NOT NULLs (objects with names since PostgreSQL 18) that a table has from one in its schema, which would
-- not get the same names again when its columns are made anew.
SELECT format('ALTER TABLE %%I.%%I RENAME CONSTRAINT %%I TO %%I', n.nspname, c.relname, k.conname, left(c.relname, 20) || '_' || k.conname)
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_class AS o ON o.oid = to_regclass(%(ours)s) AND o.relnamespace = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = o.oid AND a.attname = ANY(%(names)s::name [])
INNER JOIN pg_attribute AS t ON t.attrelid = c.oid AND t.attname = a.attname AND k.conkey = ARRAY[t.attnum]
WHERE k.conrelid = to_regclass(%(theirs)s) AND k.contype = 'n'
ORDER BY k.conname;
