-- What a table's rows refer to by one column: the column, the table, its rows (no key refers to one of a table that
-- inherits), and its column.
SELECT
    own.attname::text AS column_name,
    format('%%I.%%I', n.nspname, c.relname) AS referred,
    format(CASE WHEN c.relkind = 'p' THEN '%%I.%%I' ELSE 'ONLY %%I.%%I' END, n.nspname, c.relname) AS rows,
    other.attname::text AS referred_column
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.confrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS own ON own.attrelid = k.conrelid AND own.attnum = k.conkey[1]
INNER JOIN pg_attribute AS other ON other.attrelid = k.confrelid AND other.attnum = k.confkey[1]
WHERE k.conrelid = to_regclass(%(relation)s) AND k.contype = 'f' AND cardinality(k.conkey) = 1
ORDER BY k.conname;
