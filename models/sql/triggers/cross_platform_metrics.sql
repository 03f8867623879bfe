CREATE OR REPLACE TRIGGER cross_platform_metrics_mark_platform_comparison
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON analytics.cross_platform_metrics
FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_view_stale('platform_comparison');

COMMENT ON TRIGGER cross_platform_metrics_mark_platform_comparison ON analytics.cross_platform_metrics IS
'Marks analytics.platform_comparison as stale';
