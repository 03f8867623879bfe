-- analytics_reader reads; analytics_writer reads and writes; PUBLIC gets nothing. Grants to a missing role are left out.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT roles.rolname, rights.privileges, rights.object
        FROM (VALUES
            ('analytics_reader', 'USAGE', 'SCHEMA analytics'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.analytics_events'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.trend_cache'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.cross_platform_metrics'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.content_recommendations'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.ml_features'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.insight_registry'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.retention'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.niche_daily_activity'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.current_trends'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.active_recommendations'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.published_insights'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.trending_niches'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.platform_comparison'),
            ('analytics_reader', 'EXECUTE', 'FUNCTION analytics.trend_of(jsonb)'),
            ('analytics_writer', 'USAGE', 'SCHEMA analytics'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.analytics_events'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.trend_cache'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.cross_platform_metrics'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.content_recommendations'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.ml_features'),
            ('analytics_writer', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE analytics.insight_registry'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.analytics_events_event_id_seq'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.trend_cache_trend_id_seq'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.cross_platform_metrics_metric_id_seq'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.content_recommendations_recommendation_id_seq'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.ml_features_vector_id_seq'),
            ('analytics_writer', 'USAGE', 'SEQUENCE analytics.insight_registry_insight_id_seq'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.retention'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.niche_daily_activity'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.current_trends'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.active_recommendations'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.published_insights'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.trending_niches'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.platform_comparison'),
            ('analytics_writer', 'EXECUTE', 'FUNCTION analytics.trend_of(jsonb)'),
            ('analytics_writer', 'EXECUTE', 'FUNCTION analytics.drain_niche_daily_activity()'),
            ('analytics_writer', 'EXECUTE', 'FUNCTION analytics.refresh_stale_views()')
        ) AS rights (role_name, privileges, object)
        INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
    LOOP
        EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
    END LOOP;
END
$$;
