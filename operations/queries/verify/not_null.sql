-- The columns of our tables that take no NULL, and how a row of the table is named.
SELECT
    format('%%s.%%s', n.nspname, c.relname) AS relation,
    ARRAY[n.nspname, c.relname] AS checked,
    c.relkind = 'p' AS is_partitioned,
    (
        SELECT array_agg(a.attname ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
    ) AS columns,
    coalesce(
        (
            SELECT array_agg(a.attname ORDER BY u.place)
            FROM pg_constraint AS p
            CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS u (attnum, place)
            INNER JOIN pg_attribute AS a ON a.attrelid = p.conrelid AND a.attnum = u.attnum
            WHERE p.conrelid = c.oid AND p.contype = 'p'
        ),
        ARRAY['ctid'::name]
    ) AS key
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p')
    AND c.oid = ANY(%(ours)s::oid [])
    AND NOT c.relispartition
    AND EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull AND NOT a.attisdropped
    )
ORDER BY n.nspname, c.relname;
