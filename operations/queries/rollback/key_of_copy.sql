-- The primary key of a copy of columns, and whether it is one column of integers.
SELECT
    array_agg(a.attname::text ORDER BY array_position(i.indkey::smallint [], a.attnum)),
    count(*) = 1 AND bool_and(a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype))
FROM pg_index AS i
INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indrelid = to_regclass(%(relation)s) AND i.indisprimary
GROUP BY i.indexrelid;
