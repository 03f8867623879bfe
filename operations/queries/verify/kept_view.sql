-- Where hot_niches_today wraps Phase 1's query: the view of Phase 1 that waits in schema analytics_phase1.
SELECT
    k.oid IS NOT NULL AS there,
    k.relkind = 'm' AS is_materialized,
    pg_get_userbyid(k.relowner) AS owner,
    pg_get_userbyid(h.relowner) AS owner_of_ours,
    concat('hot_niches_today AS', E'\n', rtrim(pg_get_viewdef(h.oid), ';')) AS ours,
    ARRAY(
        SELECT a.attname::text
        FROM pg_attribute AS a
        WHERE
            a.attrelid = h.oid
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND a.attname NOT IN ('trend_direction', 'trend_confidence', 'days_trending')
            AND NOT EXISTS (
                SELECT FROM pg_attribute AS b
                WHERE b.attrelid = k.oid AND b.attname = a.attname AND b.atttypid = a.atttypid AND NOT b.attisdropped
            )
        ORDER BY a.attnum
    ) AS lacking
FROM pg_class AS h
LEFT JOIN pg_namespace AS n ON n.nspname = 'analytics_phase1'
LEFT JOIN pg_class AS k ON k.relnamespace = n.oid AND k.relname = 'hot_niches_today'
WHERE
    h.oid = to_regclass('public.hot_niches_today')
    AND h.relkind = 'm'
    AND EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = h.oid AND a.attname = 'trend_direction' AND NOT a.attisdropped
    );
