SELECT
    current_database()::text AS database,
    now() AS at,
    pg_is_in_recovery() AS standby,
    to_regclass('public.features') IS NOT NULL AS phase1,
    to_regclass('analytics.analytics_events') IS NOT NULL AS events;
