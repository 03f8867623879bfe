-- Phase 1's own materialized view comes back, refreshed aside, with everything it had.
DO $$
BEGIN
    IF to_regclass('analytics_phase1.hot_niches_today') IS NULL THEN
        RETURN;
    END IF;

    IF (SELECT relispopulated FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')) THEN
        REFRESH MATERIALIZED VIEW analytics_phase1.hot_niches_today;
    END IF;
    DROP MATERIALIZED VIEW IF EXISTS public.hot_niches_today;
    ALTER MATERIALIZED VIEW analytics_phase1.hot_niches_today SET SCHEMA public;
    DROP SCHEMA analytics_phase1;
END
$$;
