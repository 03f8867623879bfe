-- The foreign keys of our tables, and how a row of the table is named.
SELECT
    k.conname AS name,
    format('%%s.%%s', kn.nspname, kc.relname) AS relation,
    ARRAY[kn.nspname, kc.relname] AS child,
    kc.relkind = 'p' AS is_partitioned,
    ARRAY[rn.nspname, rc.relname] AS parent,
    rc.relkind = 'p' AS refers_to_partitioned,
    (
        SELECT array_agg(a.attname ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
        INNER JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
    ) AS child_columns,
    (
        SELECT array_agg(a.attname ORDER BY u.place)
        FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, place)
        INNER JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
    ) AS parent_columns,
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
INNER JOIN pg_class AS kc ON kc.oid = k.conrelid
INNER JOIN pg_namespace AS kn ON kn.oid = kc.relnamespace
INNER JOIN pg_class AS rc ON rc.oid = k.confrelid
INNER JOIN pg_namespace AS rn ON rn.oid = rc.relnamespace
WHERE
    k.contype = 'f'
    AND (
        (kn.nspname = 'analytics' AND NOT kc.relispartition)
        OR format('%%s.%%s.%%s', kn.nspname, kc.relname, k.conname) = ANY(%(additions)s)
    )
ORDER BY kn.nspname, kc.relname, k.conname;
