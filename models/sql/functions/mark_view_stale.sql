-- Appends and never updates, so that writers do not wait for one another; holds for writers with table privileges only.
CREATE OR REPLACE FUNCTION analytics.mark_view_stale()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO analytics.stale_views (view_name) VALUES (tg_argv[0]);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION analytics.mark_view_stale() IS
'Marks the materialized view named by its argument as behind its base tables';

REVOKE ALL ON FUNCTION analytics.mark_view_stale() FROM PUBLIC;
