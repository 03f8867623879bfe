-- Columns of a table that are neither ours nor computed, quoted.
SELECT quote_ident(a.attname)
FROM pg_attribute AS a
WHERE
    a.attrelid = to_regclass(:relation)
    AND a.attnum > 0
    AND NOT a.attisdropped
    AND a.attgenerated = ''
    AND a.attname <> ALL(:ours)
ORDER BY a.attnum
