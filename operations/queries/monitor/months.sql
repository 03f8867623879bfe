-- How many whole months ahead have a partition of events of their own, and about how many rows lie in the DEFAULT one.
-- No row where events are not partitioned.
WITH bounds AS (
    SELECT
        substring(b.bound FROM 'FROM \(''([^'']+)''\)')::timestamptz AS since,
        substring(b.bound FROM 'TO \(''([^'']+)''\)')::timestamptz AS until,
        b.bound = 'DEFAULT' AS is_default,
        greatest(s.n_live_tup, c.reltuples::bigint, 0) AS rows
    FROM pg_namespace AS n
    INNER JOIN pg_class AS whole ON whole.relnamespace = n.oid AND whole.relname = 'analytics_events'
    INNER JOIN pg_inherits AS i ON i.inhparent = whole.oid
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bound)
    LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
    WHERE n.nspname = 'analytics'
)

SELECT
    count(*) FILTER (WHERE ahead.is_there AND ahead.all_before)::integer AS ahead,
    coalesce((SELECT sum(b.rows) FROM bounds AS b WHERE b.is_default), 0)::bigint AS default_rows
FROM (
    SELECT made.is_there, bool_and(made.is_there) OVER (ORDER BY made.month) AS all_before
    FROM (
        SELECT
            m.month,
            EXISTS (
                SELECT FROM bounds AS b
                WHERE NOT b.is_default AND (b.since IS NULL OR b.since <= m.month) AND b.until > m.month
            ) AS is_there
        FROM generate_series(
            (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC',
            (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '12 months') AT TIME ZONE 'UTC',
            interval '1 month'
        ) AS m (month)
    ) AS made
) AS ahead
HAVING (SELECT count(*) FROM bounds) > 0;
