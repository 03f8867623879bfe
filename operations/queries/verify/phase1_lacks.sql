-- What Phase 1's relations lack of what Phase 2 builds on: the rule by which revision 1.0.0 adopts them, but for what
-- depends on who asks.
WITH relations (name, kinds) AS (
    VALUES ('features', 'r'), ('hot_niches_today', 'rm')
),

present AS (
    SELECT r.name, r.kinds, c.oid, c.relkind, c.relowner, c.relpersistence, c.relispartition
    FROM relations AS r
    LEFT JOIN pg_class AS c ON c.oid = to_regclass('public.' || r.name)
),

usable AS (
    SELECT * FROM present WHERE oid IS NOT NULL AND position(relkind::text IN kinds) > 0
),

-- A column of the accepted type holds whatever Phase 1 wrote; a numeric needs so many digits before and after the point.
columns (name, type, integral, fraction) AS (
    VALUES
    ('niche_id', 'bigint', NULL::integer, NULL::integer),
    ('phrase', 'text', NULL, NULL),
    ('demand_score', 'numeric', 1, 4),
    ('monetise_score', 'numeric', 1, 4),
    ('supply_score', 'numeric', 1, 4),
    ('opportunity', 'numeric', 1, 5),
    ('updated_at', 'timestamp with time zone', NULL, NULL)
),

found AS (
    SELECT
        u.name AS relation,
        c.name,
        c.type || CASE c.type
            WHEN 'numeric' THEN format('(%s,%s)', c.integral + c.fraction, c.fraction) ELSE ''
        END AS needed,
        format_type(a.atttypid, a.atttypmod) AS actual,
        CASE
            WHEN c.type = 'text' THEN a.atttypid IN ('text'::regtype, 'varchar'::regtype)
            WHEN c.type = 'numeric' THEN a.atttypid = 'numeric'::regtype AND (
                a.atttypmod = -1
                OR (
                    ((a.atttypmod - 4) & 65535) >= c.fraction
                    AND ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535) >= c.integral
                )
            )
            ELSE a.atttypid = c.type::regtype
        END AS fits
    FROM usable AS u
    CROSS JOIN columns AS c
    LEFT JOIN pg_attribute AS a ON a.attrelid = u.oid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
),

unique_columns (name, needed) AS (
    VALUES ('niche_id', 'a primary key'), ('phrase', 'a unique constraint')
),

listed (difference) AS (
    SELECT format('public.%s: is missing', name) FROM present WHERE oid IS NULL
    UNION ALL
    SELECT format(
        'public.%s: is a %s, needs a %s', name,
        CASE relkind
            WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view'
            WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' ELSE 'relation of another kind'
        END,
        CASE kinds WHEN 'r' THEN 'table' ELSE 'table or a materialized view' END
    )
    FROM present
    WHERE oid IS NOT NULL AND position(relkind::text IN kinds) = 0
    UNION ALL
    SELECT format('public.%s: is a partition, needs a table of its own', name) FROM usable WHERE relispartition
    UNION ALL
    SELECT format('public.%s: is unlogged, needs a permanent table; others will refer to it', name)
    FROM usable
    WHERE name = 'features' AND relpersistence <> 'p'
    UNION ALL
    SELECT format('public.%s.%s: is missing, needs %s', relation, name, needed) FROM found WHERE actual IS NULL
    UNION ALL
    SELECT format('public.%s.%s: is %s, needs %s', relation, name, actual, needed)
    FROM found
    WHERE actual IS NOT NULL AND NOT fits
    UNION ALL
    SELECT format('public.features.%s: has no %s', c.name, substr(c.needed, 3))
    FROM unique_columns AS c
    INNER JOIN usable AS u ON u.name = 'features'
    INNER JOIN pg_attribute AS a ON a.attrelid = u.oid AND a.attname = c.name AND NOT a.attisdropped
    WHERE NOT EXISTS (
        SELECT FROM pg_index AS i
        WHERE
            i.indrelid = u.oid
            AND i.indnkeyatts = 1
            AND i.indkey[0] = a.attnum
            AND (i.indisprimary OR (i.indisunique AND c.name = 'phrase'))
            AND i.indisvalid
            AND i.indimmediate
            AND i.indpred IS NULL
    )
)

SELECT difference FROM listed ORDER BY difference
