CREATE TRIGGER analytics_events_inserted
AFTER INSERT ON {table}
REFERENCING NEW TABLE AS new_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE TRIGGER analytics_events_updated
AFTER UPDATE ON {table}
REFERENCING OLD TABLE AS old_events NEW TABLE AS new_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE TRIGGER analytics_events_deleted
AFTER DELETE ON {table}
REFERENCING OLD TABLE AS old_events
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

CREATE TRIGGER analytics_events_truncated
AFTER TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION analytics.record_event_activity();

COMMENT ON TRIGGER analytics_events_inserted ON {table} IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_updated ON {table} IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_deleted ON {table} IS 'Keeps niche_daily_activity exact';
COMMENT ON TRIGGER analytics_events_truncated ON {table} IS 'Keeps niche_daily_activity exact';
