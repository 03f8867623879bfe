-- The columns of one relation; the default of a key that a sequence fills reads as PostgreSQL has it.
SELECT
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable,
    CASE
        WHEN a.attidentity <> '' THEN 'identity'
        WHEN a.attgenerated <> '' THEN 'generated: ' || pg_get_expr(d.adbin, d.adrelid)
        ELSE pg_get_expr(d.adbin, d.adrelid)
    END AS "default",
    col_description(a.attrelid, a.attnum) AS meaning,
    EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conrelid = a.attrelid AND k.contype = 'p' AND a.attnum = ANY(k.conkey)
    ) AS "primary",
    EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY(k.conkey)
    ) AS refers
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(relation)s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
