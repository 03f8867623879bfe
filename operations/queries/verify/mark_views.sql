-- Every materialized view of ours that holds rows, as behind what it reads: the next upkeep refreshes it.
INSERT INTO analytics.stale_views (view_name)
SELECT c.relname
FROM pg_class AS c
WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'm' AND c.relispopulated;
