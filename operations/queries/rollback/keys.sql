-- A table's unique keys, the primary one first; those on expressions or on a part of the rows are left to the database.
-- Without the columns by which it is partitioned: these are in the key since PostgreSQL wants it so.
SELECT
    i.indisprimary AS is_primary,
    count(*) = 1 AND bool_and(a.attnotnull AND a.atttypid = ANY('{smallint,integer,bigint}'::regtype [])) AS is_integer,
    i.indnullsnotdistinct AS nulls_collide,
    array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_index AS i
INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
LEFT JOIN pg_partitioned_table AS p ON p.partrelid = i.indrelid
WHERE i.indrelid = to_regclass(%(relation)s) AND i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL
    AND (p.partrelid IS NULL OR a.attnum <> ALL(p.partattrs::smallint []))
GROUP BY i.indexrelid, i.indisprimary, i.indnullsnotdistinct
ORDER BY i.indisprimary DESC, i.indexrelid;
