-- Whether the events are there, in a table that is not partitioned.
SELECT EXISTS (
    SELECT FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'analytics' AND c.relname = 'analytics_events' AND c.relkind = 'r'
);
