-- The columns that two tables share and that are written, not generated.
SELECT a.attname::text
FROM pg_attribute AS a
INNER JOIN pg_attribute AS b ON b.attrelid = to_regclass(%(archived)s) AND b.attname = a.attname AND NOT b.attisdropped
WHERE a.attrelid = to_regclass(%(relation)s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum;
