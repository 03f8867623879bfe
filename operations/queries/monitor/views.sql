-- Materialized views: for how long each has been marked as stale (NULL: it is not), and how long ago its last refresh
-- committed. A refresh always writes the view's row in pg_class, also CONCURRENTLY; PostgreSQL remembers when that was
-- only with track_commit_timestamp.
-- parameters: views (oids)
SELECT
    c.oid::regclass::text AS name,
    c.relispopulated AS populated,
    extract(epoch FROM clock_timestamp() - (
        SELECT min(s.marked_at) FROM analytics.stale_views AS s WHERE s.view_name = c.relname
    ))::float AS stale_seconds,
    CASE
        WHEN current_setting('track_commit_timestamp') = 'on'
            THEN extract(epoch FROM clock_timestamp() - pg_xact_commit_timestamp(c.xmin))::float
    END AS refreshed_seconds
FROM pg_class AS c
WHERE c.oid = ANY(%(views)s::oid [])
ORDER BY name;
