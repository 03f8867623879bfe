-- The partitions of events that hold days before the horizon, the oldest first: whether all of them lie before it, and
-- about how many rows there are. The first one and the DEFAULT one, which take what no other does, never go as a whole.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS name,
    coalesce(b.bound ~ 'FROM \(''' AND b.upper <= h.horizon, false) AS is_past,
    greatest(s.n_live_tup, c.reltuples::bigint, 0) AS rows
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON c.oid = i.inhrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
CROSS JOIN LATERAL (
    SELECT
        e.bound,
        substring(e.bound FROM 'FROM \(''([^'']+)''\)')::timestamptz AS lower,
        substring(e.bound FROM 'TO \(''([^'']+)''\)')::timestamptz AS upper
    FROM pg_get_expr(c.relpartbound, c.oid) AS e (bound)
) AS b
CROSS JOIN (SELECT %(kept_from)s::date::timestamp AT TIME ZONE 'UTC' AS horizon) AS h
WHERE
    i.inhparent = to_regclass('analytics.analytics_events')
    AND NOT i.inhdetachpending
    AND coalesce(b.lower, '-infinity') < h.horizon
ORDER BY b.lower NULLS FIRST;
