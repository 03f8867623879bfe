-- Whether the table of events, or a partition of it, has a trigger that fires before each row, and so may hold
-- something other than it is given. No partition lies on another server: a unique key forbids that.
WITH RECURSIVE tree (oid) AS (
    SELECT 'analytics.analytics_events'::regclass::oid
    UNION ALL
    SELECT i.inhrelid
    FROM tree
    INNER JOIN pg_inherits AS i ON i.inhparent = tree.oid
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
)

SELECT EXISTS (
    SELECT FROM tree
    INNER JOIN pg_trigger AS t ON t.tgrelid = tree.oid
    WHERE t.tgtype & 7 = 7 AND t.tgenabled <> 'D' AND NOT t.tgisinternal
)
