-- Partitions of the events that are none any more, and still there; not what an interrupted way back left.
SELECT c.oid::regclass::text AS name
FROM pg_class AS c
WHERE
    c.relnamespace = to_regnamespace('analytics_partitions')
    AND c.relkind = 'r'
    AND NOT c.relispartition
    AND c.relname <> 'analytics_events'
    AND NOT (c.relname = 'analytics_events_first' AND c.relnatts = 1)
    -- what has the columns of events
    AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        LEFT JOIN pg_attribute AS own ON own.attrelid = c.oid AND own.attname = a.attname AND own.atttypid = a.atttypid
        WHERE
            a.attrelid = to_regclass('analytics.analytics_events')
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND own.attrelid IS NULL
    )
ORDER BY name;
