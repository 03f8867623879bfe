-- The columns that two tables share and that are written, not generated: which of them say when a row was written, and
-- their types.
SELECT
    a.attname::text,
    coalesce(pg_get_expr(d.adbin, d.adrelid) IN ('now()', 'CURRENT_TIMESTAMP', 'clock_timestamp()'), false) AS is_time,
    format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
INNER JOIN pg_attribute AS b ON b.attrelid = to_regclass(%(archived)s) AND b.attname = a.attname AND NOT b.attisdropped
WHERE a.attrelid = to_regclass(%(relation)s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum;
