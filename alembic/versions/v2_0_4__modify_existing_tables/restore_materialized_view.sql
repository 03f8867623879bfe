-- Phase 1's own materialized view comes back, refreshed aside, with everything it had.
DO $$
DECLARE
    new_view oid := to_regclass('public.hot_niches_today');
    filled_from oid := pg_relation_filenode(new_view);
    refresh text := format(
        'REFRESH MATERIALIZED VIEW analytics_phase1.hot_niches_today WITH %s DATA',
        (SELECT CASE WHEN NOT relispopulated THEN 'NO' END FROM pg_class WHERE oid = new_view)
    );
BEGIN
    IF to_regclass('analytics_phase1.hot_niches_today') IS NULL THEN
        RETURN;
    END IF;

    EXECUTE refresh;
    ALTER MATERIALIZED VIEW IF EXISTS public.hot_niches_today SET SCHEMA analytics;
    IF pg_relation_filenode(new_view) <> filled_from THEN
        -- The application refreshed its view meanwhile: it must see what it refreshed.
        EXECUTE refresh;
    END IF;
    DROP MATERIALIZED VIEW IF EXISTS analytics.hot_niches_today;
    ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today SET SCHEMA public;
    DROP SCHEMA analytics_phase1;
END
$$;
