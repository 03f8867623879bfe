-- What a base table's column holds where nobody wrote a value: its default, if that is the same at each evaluation,
-- else NULL; no row where there is no such column.
SELECT
    CASE
        WHEN d.adbin IS NULL THEN 'NULL'
        WHEN d.adbin::text ~ '\{(SQLVALUEFUNCTION|NEXTVALUEEXPR)' THEN 'NULL'
        WHEN EXISTS (
            SELECT FROM regexp_matches(d.adbin::text, ':(?:func|opfunc)id (\d+)', 'g') AS called (oids)
            INNER JOIN pg_proc AS p ON p.oid = called.oids[1]::oid
            WHERE p.provolatile <> 'i'
        ) THEN 'NULL'
        ELSE pg_get_expr(d.adbin, d.adrelid)
    END AS default_expression,
    format_type(a.atttypid, a.atttypmod) AS type
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.oid = to_regclass(%(relation)s) AND c.relkind IN ('r', 'p') AND a.attgenerated = '';
