-- The columns of an archived table that the live one does not have, and their types; not those that are computed.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute AS a
LEFT JOIN pg_attribute AS b ON b.attrelid = to_regclass(%(relation)s) AND b.attname = a.attname AND NOT b.attisdropped
WHERE
    a.attrelid = to_regclass(%(archived)s)
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND a.attgenerated = ''
    AND b.attname IS NULL
ORDER BY a.attnum;
