-- The marks go first and the refresh reads after them: a change that a mark spoke of is always read, and a mark that
-- arrives meanwhile stays for the next call. A failed refresh rolls back and leaves the marks.
CREATE OR REPLACE FUNCTION analytics.refresh_stale_views()
RETURNS SETOF text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stale record;
BEGIN
    FOR stale IN
        SELECT c.oid, c.relname, c.relispopulated
        FROM pg_class AS c
        WHERE
            c.relnamespace = 'analytics'::regnamespace
            AND c.relkind = 'm'
            AND EXISTS (SELECT FROM analytics.stale_views AS s WHERE s.view_name = c.relname)
        ORDER BY c.relname
    LOOP
        -- Another session is refreshing it; what it misses is still marked.
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended('analytics.' || stale.relname, 0));

        DELETE FROM analytics.stale_views AS s WHERE s.view_name = stale.relname;
        CONTINUE WHEN NOT found;

        IF stale.relispopulated THEN
            EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.%I', stale.relname);
        ELSE
            EXECUTE format('REFRESH MATERIALIZED VIEW analytics.%I', stale.relname);
        END IF;
        RETURN NEXT stale.relname;
    END LOOP;
END
$$;

COMMENT ON FUNCTION analytics.refresh_stale_views() IS
'Refreshes, concurrently, the materialized views that are marked as stale, and returns their names; safe to call from several sessions at once';

REVOKE ALL ON FUNCTION analytics.refresh_stale_views() FROM PUBLIC;
