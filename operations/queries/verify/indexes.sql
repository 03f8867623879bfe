-- The valid indexes of our relations: what they hold, of which rows, in which order; how a row of the table is named.
SELECT
    format('%%s.%%s', n.nspname, x.relname) AS name,
    x.relname AS index,
    i.indexrelid::bigint AS oid,
    format('%%s.%%s', n.nspname, c.relname) AS relation,
    ARRAY[n.nspname, c.relname] AS indexed,
    format('%%I.%%I', n.nspname, x.relname) AS quoted,
    m.amname AS method,
    i.indisunique AS is_unique,
    i.indnullsnotdistinct AS is_null_a_value,
    coalesce(pg_get_expr(i.indpred, i.indrelid), 'true') AS predicate,
    parts.expressions,
    parts.orders,
    coalesce(
        (
            SELECT array_agg(a.attname ORDER BY u.place)
            FROM pg_constraint AS p
            CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS u (attnum, place)
            INNER JOIN pg_attribute AS a ON a.attrelid = p.conrelid AND a.attnum = u.attnum
            WHERE p.conrelid = i.indrelid AND p.contype = 'p'
        ),
        ARRAY['ctid'::name]
    ) AS key
FROM pg_index AS i
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
INNER JOIN pg_am AS m ON m.oid = x.relam
INNER JOIN pg_class AS c ON c.oid = i.indrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT
        array_agg(p.expression ORDER BY p.place) AS expressions,
        array_agg(
            concat(
                p.expression,
                p.collation,
                CASE WHEN p.option & 1 = 1 THEN ' DESC' ELSE ' ASC' END,
                CASE WHEN p.option & 2 = 2 THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
            )
            ORDER BY p.place
        ) AS orders
    FROM (
        SELECT
            s.place,
            format('(%%s)', pg_get_indexdef(i.indexrelid, s.place, true)) AS expression,
            ' COLLATE ' || nullif(i.indcollation[s.place - 1], 0)::regcollation AS collation,
            i.indoption[s.place - 1] AS option
        FROM generate_series(1, i.indnkeyatts) AS s (place)
    ) AS p
) AS parts
WHERE
    c.relkind IN ('r', 'm')
    AND i.indisvalid
    AND i.indisready
    AND c.oid = ANY(%(ours)s::oid [])
    AND (c.relkind <> 'm' OR c.relispopulated)
ORDER BY n.nspname, c.relname, x.relname;
