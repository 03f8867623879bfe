"""Faults of the schema: what is missing, too much, or not in force."""

from tests.operations.verify.faults.case import Fault

SET_INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}'::regclass"
FIRST_USERS = "analytics_partitions.analytics_events_first_user_id_idx"

SCHEMA = (
    Fault("a dropped table", "DROP TABLE analytics.insight_registry CASCADE", {
        "catalog": "missing: table analytics.insight_registry",
    }),
    Fault("a dropped column", "ALTER TABLE analytics.trend_cache DROP COLUMN created_at CASCADE", {
        "catalog": "missing: column analytics.trend_cache.created_at",
    }),
    Fault("an extra column", "ALTER TABLE analytics.ml_features ADD COLUMN note text", {
        "catalog": "not in the models: column analytics.ml_features.note",
    }),
    Fault("a missing default", "ALTER TABLE analytics.trend_cache ALTER COLUMN created_at DROP DEFAULT", {
        "catalog": "not as in the models: column analytics.trend_cache.created_at",
    }),
    Fault("a column that takes NULL", "ALTER TABLE analytics.analytics_events ALTER COLUMN event_type DROP NOT NULL", {
        "catalog": "not as in the models: column analytics.analytics_events.event_type",
    }),
    Fault("a dropped trigger", "DROP TRIGGER analytics_events_deleted ON analytics.analytics_events", {
        "catalog": "missing: trigger analytics.analytics_events.analytics_events_deleted",
    }),
    Fault("a disabled trigger", "ALTER TABLE public.features DISABLE TRIGGER features_mark_trending_niches", {
        "catalog": "not as in the models: trigger public.features.features_mark_trending_niches",
        "in force": "trigger features_mark_trending_niches on public.features is disabled",
    }),
    Fault("a trigger for replicas only", """
        ALTER TABLE analytics.analytics_events ENABLE REPLICA TRIGGER analytics_events_updated
    """, {
        "catalog": "trigger analytics.analytics_events.analytics_events_updated",
        "in force": "trigger analytics_events_updated on analytics.analytics_events is disabled",
    }),
    Fault("a dropped foreign key", "ALTER TABLE analytics.ml_features DROP CONSTRAINT ml_features_niche_id_fkey", {
        "catalog": "missing: constraint analytics.ml_features.ml_features_niche_id_fkey",
    }),
    Fault("a disabled foreign key", "ALTER TABLE analytics.ml_features DISABLE TRIGGER ALL", {
        "catalog": "not as in the models: constraint analytics.ml_features.ml_features_niche_id_fkey",
        "in force": "constraint ml_features_niche_id_fkey on analytics.ml_features is disabled",
    }),
    Fault("foreign keys disabled where they refer to", """
        ALTER TABLE public.features DISABLE TRIGGER ALL;
        ALTER TABLE public.features ENABLE TRIGGER USER
    """, {
        "catalog": "not as in the models: constraint analytics.ml_features.ml_features_niche_id_fkey",
        "in force": "constraint ml_features_niche_id_fkey on analytics.ml_features is disabled",
    }),
    Fault("a foreign key disabled on one partition", """
        ALTER TABLE analytics_partitions.analytics_events_default DISABLE TRIGGER ALL
    """, {
        "in force": (
            "constraint analytics_events_niche_id_fkey on the partition"
            " analytics_partitions.analytics_events_default is disabled"
        ),
    }),
    Fault("an unlogged partition", "ALTER TABLE analytics_partitions.analytics_events_default SET UNLOGGED", {
        "partitions": (
            "analytics_partitions.analytics_events_default is unlogged: a crash empties it, and no replica can read it:"
            " ALTER TABLE analytics_partitions.analytics_events_default SET LOGGED"
        ),
    }),
    Fault("a partition's invalid index", SET_INVALID.format(FIRST_USERS), {
        "in force": f"index {FIRST_USERS} on the partition analytics_partitions.analytics_events_first is invalid",
    }),
    Fault("a changed CHECK of the same name", """
        ALTER TABLE analytics.cross_platform_metrics
            DROP CONSTRAINT cross_platform_metrics_demand_score_check,
            ADD CONSTRAINT cross_platform_metrics_demand_score_check CHECK (demand_score >= 0 AND demand_score <= 10)
    """, {
        "catalog": (
            "not as in the models: constraint "
            "analytics.cross_platform_metrics.cross_platform_metrics_demand_score_check"
        ),
    }),
    Fault("a dropped index", "DROP INDEX analytics.idx_analytics_events_type_source", {
        "catalog": "missing: index analytics.analytics_events.idx_analytics_events_type_source",
    }),
    Fault("an invalid index", SET_INVALID.format("analytics.idx_analytics_events_user_id"), {
        "catalog": "not as in the models: index analytics.analytics_events.idx_analytics_events_user_id",
        "in force": "index analytics.idx_analytics_events_user_id on analytics.analytics_events is invalid",
    }),
    Fault("a changed function", """
        CREATE OR REPLACE FUNCTION analytics.mark_view_stale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'
    """, {
        "catalog": "not as in the models: function analytics.mark_view_stale()",
    }),
    Fault("a changed view", """
        CREATE OR REPLACE VIEW analytics.niche_daily_activity AS
        SELECT niche_id, day, event_type, events FROM analytics.niche_daily_activity_summary
    """, {
        "catalog": "not as in the models: view analytics.niche_daily_activity",
    }),
    Fault("a revoked right", "REVOKE SELECT ON analytics.trend_cache FROM analytics_reader", {
        "catalog": "missing: privileges of analytics_reader on analytics.trend_cache",
    }),
    Fault("a right too much", "GRANT UPDATE ON analytics.analytics_events TO PUBLIC", {
        "catalog": "not in the models: privileges of PUBLIC on analytics.analytics_events",
    }),
    Fault("a view without content", "REFRESH MATERIALIZED VIEW analytics.platform_comparison WITH NO DATA", {
        "in force": "materialized view analytics.platform_comparison is not populated",
        "catalog": "setting analytics.platform_comparison.emptiness",
    }),
)  # fmt: skip
