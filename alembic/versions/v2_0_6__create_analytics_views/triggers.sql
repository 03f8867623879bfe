-- A trigger with transition tables serves one event each.
CREATE OR REPLACE TRIGGER analytics_events_inserted
AFTER INSERT ON analytics.analytics_events
REFERENCING NEW TABLE AS new_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE OR REPLACE TRIGGER analytics_events_updated
AFTER UPDATE ON analytics.analytics_events
REFERENCING OLD TABLE AS old_events NEW TABLE AS new_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE OR REPLACE TRIGGER analytics_events_deleted
AFTER DELETE ON analytics.analytics_events
REFERENCING OLD TABLE AS old_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE OR REPLACE TRIGGER analytics_events_truncated
AFTER TRUNCATE ON analytics.analytics_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

COMMENT ON TRIGGER analytics_events_inserted ON analytics.analytics_events IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_updated ON analytics.analytics_events IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_deleted ON analytics.analytics_events IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_truncated ON analytics.analytics_events IS 'Keeps niche_daily_activity exact';

-- Only what trending_niches shows counts: the API's change of the three scores marks nothing.
CREATE OR REPLACE TRIGGER features_mark_trending_niches
AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF phrase, opportunity, trend_vector, last_analyzed_at ON public.features
FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_view_stale('trending_niches');

COMMENT ON TRIGGER features_mark_trending_niches ON public.features IS
'Marks analytics.trending_niches as stale';

CREATE OR REPLACE TRIGGER cross_platform_metrics_mark_platform_comparison
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON analytics.cross_platform_metrics
FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_view_stale('platform_comparison');

COMMENT ON TRIGGER cross_platform_metrics_mark_platform_comparison ON analytics.cross_platform_metrics IS
'Marks analytics.platform_comparison as stale';
