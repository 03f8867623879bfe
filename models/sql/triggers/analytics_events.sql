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
