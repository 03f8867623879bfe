-- Every foreign key of ours with the columns that hold it, and whether they may be null and are unique.
SELECT
    k.conrelid::regclass::text AS child,
    k.confrelid::regclass::text AS parent,
    a.attname AS column_name,
    NOT a.attnotnull AS nullable
FROM pg_constraint AS k
INNER JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.connamespace = %(schema)s::regnamespace
ORDER BY 1, 3
