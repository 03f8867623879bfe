-- The CHECKs of our tables as expressions, and how a row of the table is named.
SELECT
    k.conname AS name,
    format('%%s.%%s', n.nspname, c.relname) AS relation,
    ARRAY[n.nspname, c.relname] AS checked,
    c.relkind = 'p' AS is_partitioned,
    pg_get_expr(k.conbin, k.conrelid) AS expression,
    coalesce(
        (
            SELECT array_agg(a.attname ORDER BY u.place)
            FROM pg_constraint AS p
            CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS u (attnum, place)
            INNER JOIN pg_attribute AS a ON a.attrelid = p.conrelid AND a.attnum = u.attnum
            WHERE p.conrelid = k.conrelid AND p.contype = 'p'
        ),
        ARRAY['ctid'::name]
    ) AS key
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    k.contype = 'c'
    AND (
        (n.nspname = 'analytics' AND NOT c.relispartition)
        OR format('%%s.%%s.%%s', n.nspname, c.relname, k.conname) = ANY(%(additions)s)
    )
ORDER BY n.nspname, c.relname, k.conname;
