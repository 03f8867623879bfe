-- The default of a base table's column, NULL if it has none; no row where there is no such column.
SELECT coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL')
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.oid = to_regclass(%(relation)s) AND c.relkind IN ('r', 'p') AND a.attgenerated = '';
