-- Whether events are partitioned here, and whether this role may make a month of what the DEFAULT partition holds.
SELECT
    c.relkind = 'p' AS is_partitioned,
    pg_has_role(c.relowner, 'USAGE') AND EXISTS (
        SELECT FROM pg_class AS d
        INNER JOIN pg_namespace AS n ON n.oid = d.relnamespace
        INNER JOIN pg_inherits AS i ON i.inhrelid = d.oid
        WHERE i.inhparent = c.oid AND n.nspname = 'analytics_partitions' AND d.relname = 'analytics_events_default'
    ) AS is_ours
FROM pg_class AS c
WHERE c.oid = to_regclass('analytics.analytics_events');
