-- Whether the downgrade of 2.1.0 puts the whole tree of events aside: its first partition is gone, or more rows lie past
-- its bound than the downgrade moves.
SELECT
    c.relkind = 'p'
    AND (
        NOT EXISTS (
            SELECT FROM pg_inherits AS i
            WHERE i.inhparent = c.oid AND i.inhrelid = to_regclass('analytics_partitions.analytics_events_first')
        )
        OR (
            SELECT count(*) > 50000
            FROM (
                SELECT FROM analytics.analytics_events AS e
                WHERE e.event_timestamp >= (  -- its bound: the first partition is not read
                    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz
                    FROM pg_class AS c
                    WHERE c.oid = to_regclass('analytics_partitions.analytics_events_first')
                )
                LIMIT 50001
            ) AS past
        )
    ) AS goes_aside
FROM pg_class AS c
WHERE c.oid = to_regclass('analytics.analytics_events');
