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
    parts.collations,
    parts.less_than,
    parts.descending,
    parts.nulls_first,
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
                CASE WHEN p.descending THEN ' DESC' ELSE ' ASC' END,
                CASE WHEN p.nulls_first THEN ' NULLS FIRST' ELSE ' NULLS LAST' END
            )
            ORDER BY p.place
        ) AS orders,
        array_agg(coalesce(p.collation, '') ORDER BY p.place) AS collations,
        array_agg(p.less_than ORDER BY p.place) AS less_than,
        array_agg(p.descending ORDER BY p.place) AS descending,
        array_agg(p.nulls_first ORDER BY p.place) AS nulls_first
    FROM (
        SELECT
            s.place,
            format('(%%s)', pg_get_indexdef(i.indexrelid, s.place, true)) AS expression,
            ' COLLATE ' || nullif(i.indcollation[s.place - 1], 0)::regcollation AS collation,
            format('OPERATOR(%%I.%%s)', ln.nspname, l.oprname) AS less_than,
            i.indoption[s.place - 1] & 1 = 1 AS descending,
            i.indoption[s.place - 1] & 2 = 2 AS nulls_first
        FROM generate_series(1, i.indnkeyatts) AS s (place)
        INNER JOIN pg_opclass AS o ON o.oid = i.indclass[s.place - 1]
        -- Strategy 1 of a btree; other methods have none, or another one: they are not read in an order.
        LEFT JOIN pg_amop AS b
            ON b.amopfamily = o.opcfamily AND b.amoplefttype = o.opcintype AND b.amoprighttype = o.opcintype AND b.amopstrategy = 1
        LEFT JOIN pg_operator AS l ON l.oid = b.amopopr
        LEFT JOIN pg_namespace AS ln ON ln.oid = l.oprnamespace
    ) AS p
) AS parts
WHERE
    c.relkind IN ('r', 'm')
    AND i.indisvalid
    AND i.indisready
    AND c.oid = ANY(%(ours)s::oid [])
    AND (c.relkind <> 'm' OR c.relispopulated)
ORDER BY n.nspname, c.relname, x.relname;
