"""Faults of what is derived of other rows, and of Phase 1's own."""

from tests.operations.verify.faults.case import Fault

DERIVED = (
    # What is derived
    Fault("a lost delta", """
        INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
        VALUES ('view', 'web', now(), '{}', 150), ('view', 'web', now(), '{}', 150);
        DELETE FROM analytics.niche_daily_activity_delta; SELECT analytics.refresh_stale_views()
    """, {
        "activity": "view: the view says 0, there are 2",
    }),
    Fault("a wrong count", """
        UPDATE analytics.niche_daily_activity_summary SET events = events + 1
        WHERE niche_id = 150 AND event_type = 'niche_scored'
    """, {
        "activity": "niche_scored: the view says 2, there are 1",
    }),
    Fault("a materialized view changed behind its back", """
        SET session_replication_role = replica;
        UPDATE public.features SET opportunity = 0.00001, updated_at = now() WHERE niche_id = 150
    """, {
        "materialized views": "analytics.trending_niches differs in 1 niches (150), and nothing marks it as stale",
    }),
    Fault("marks that were lost", """
        UPDATE analytics.cross_platform_metrics SET demand_score = 0.5 WHERE niche_id = 150;
        DELETE FROM analytics.stale_views
    """, {
        "materialized views": "analytics.platform_comparison differs in 1 niches (150), and nothing marks it as stale",
    }),
    Fault("a hot niche with another opportunity", """
        UPDATE public.hot_niches_today SET opportunity = opportunity + 0.1 WHERE niche_id = 26
    """, {
        "hot niches": "niche 26 differs from features",
    }),
    Fault("a hot niche twice", """
        ALTER TABLE public.hot_niches_today DROP CONSTRAINT IF EXISTS hot_niches_today_pkey;
        INSERT INTO public.hot_niches_today SELECT * FROM public.hot_niches_today WHERE niche_id = 26
    """, {
        "hot niches": "niche 26 is there 2 times",
    }),
    Fault("a hot niche's wrong trend", """
        UPDATE public.hot_niches_today SET days_trending = 99 WHERE niche_id = 26
    """, {
        "hot trends": "missing or different: 26",
    }),
    Fault("hot niches emptied", "DELETE FROM public.hot_niches_today", {
        "hot niches": "public.hot_niches_today is empty, and",
    }),
    # Old and new
    Fault("charts deleted", "DELETE FROM analytics.trend_cache", {
        "charts": "200 of 200 are not in analytics.trend_cache (niche_id 1, 2, 3, 4, 5)",
    }),
    Fault("a chart deleted", "DELETE FROM analytics.trend_cache WHERE niche_id = 150", {
        "charts": "1 of 200 are not in analytics.trend_cache (niche_id 150)",
    }),
    Fault("a vector that disagrees with its events", """
        UPDATE public.features SET trend_vector = '[]' WHERE niche_id = 150; SELECT analytics.refresh_stale_views()
    """, {
        "trends": "missing or different: 150",
    }),
    # Phase 1's rows
    Fault("a changed row with its old updated_at", """
        SET session_replication_role = replica;
        UPDATE public.features SET monetise_score = 1 - monetise_score WHERE niche_id IN (150, 7)
    """, {
        "Phase 1 rows": "niches 7, 150 have other values and the same updated_at",
    }),
    Fault("a row overwritten by an older copy", """
        SET session_replication_role = replica;
        UPDATE public.features SET demand_score = 0.5, updated_at = updated_at - interval '3 days' WHERE niche_id = 150;
        REFRESH MATERIALIZED VIEW analytics.trending_niches
    """, {
        "Phase 1 rows": "niches 150 are older than any transaction that was open then: a copy from before",
    }),
    Fault("a row that comes from an older copy", """
        INSERT INTO public.features (phrase, updated_at) VALUES ('from the backup', now() - interval '3 days');
        SELECT analytics.refresh_stale_views()
    """, {
        "Phase 1 rows": "niches 201 are older than any transaction that was open then: a copy from before",
    }),
    Fault("a deleted row", """
        DELETE FROM analytics.analytics_events WHERE niche_id = 150;
        DELETE FROM analytics.ml_features WHERE niche_id = 150;
        DELETE FROM analytics.cross_platform_metrics WHERE niche_id = 150;
        DELETE FROM analytics.trend_cache WHERE niche_id = 150;
        DELETE FROM public.features WHERE niche_id = 150; SELECT analytics.refresh_stale_views()
    """, {
        "Phase 1 rows": "niches 150 are gone",
    }),
    # Phase 1's own view
    Fault("the view of Phase 1 dropped", "DROP SCHEMA analytics_phase1 CASCADE", {
        "Phase 1 view": "CREATE MATERIALIZED VIEW analytics_phase1.hot_niches_today AS SELECT features.niche_id,",
    }, "backfilled_matview"),
    Fault("another view in its place", """
        DROP MATERIALIZED VIEW analytics_phase1.hot_niches_today;
        CREATE MATERIALIZED VIEW analytics_phase1.hot_niches_today AS SELECT niche_id, phrase FROM public.features
    """, {
        "Phase 1 view": "it has no column demand_score as ours has",
    }, "backfilled_matview"),
    Fault("hot niches emptied, a materialized view", """
        CREATE TABLE public.features_aside AS SELECT * FROM public.features;
        ALTER TABLE public.features DISABLE TRIGGER USER;
        UPDATE public.features SET updated_at = updated_at - interval '1 year';
        REFRESH MATERIALIZED VIEW public.hot_niches_today;
        UPDATE public.features AS f SET updated_at = a.updated_at FROM public.features_aside AS a
        WHERE a.niche_id = f.niche_id;
        ALTER TABLE public.features ENABLE TRIGGER USER
    """, {
        "hot niches": "public.hot_niches_today is empty, and",
    }, "backfilled_matview"),
)  # fmt: skip
