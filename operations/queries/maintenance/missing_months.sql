-- The months (UTC) from this one to the third ahead of which events have no partition, the first of each as YYYY-MM-01,
-- then the past ones that are given; whether this role may make one.
SELECT
    to_char(m.month, 'YYYY-MM-DD') AS month,
    pg_has_role(c.relowner, 'USAGE') AS is_ours
FROM pg_class AS c
CROSS JOIN LATERAL (
    SELECT generate_series(
        date_trunc('month', now() AT TIME ZONE 'UTC'),
        date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months',
        interval '1 month'
    )
    UNION ALL
    SELECT unnest(CAST(:past AS timestamp []))
) AS m (month)
WHERE
    c.oid = to_regclass('analytics.analytics_events')
    AND c.relkind = 'p'
    AND NOT EXISTS (
        SELECT FROM pg_inherits AS i
        INNER JOIN pg_class AS p ON p.oid = i.inhrelid
        CROSS JOIN LATERAL pg_get_expr(p.relpartbound, p.oid) AS b (bound)
        WHERE
            i.inhparent = c.oid
            AND b.bound <> 'DEFAULT'
            AND coalesce(substring(b.bound FROM 'FROM \(''([^'']+)''\)')::timestamptz, '-infinity') <= m.month AT TIME ZONE 'UTC'
            AND substring(b.bound FROM 'TO \(''([^'']+)''\)')::timestamptz > m.month AT TIME ZONE 'UTC'
    )
ORDER BY m.month < date_trunc('month', now() AT TIME ZONE 'UTC'), m.month;
