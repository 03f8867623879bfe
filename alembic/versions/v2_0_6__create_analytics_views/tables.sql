CREATE TABLE IF NOT EXISTS analytics.niche_daily_activity_summary (
    niche_id bigint NOT NULL,
    day date NOT NULL,
    event_type text NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (niche_id, day, event_type)
);
-- The drain deletes what has come down to nothing. Nobody writes to the new table yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS idx_niche_daily_activity_summary_empty ON analytics.niche_daily_activity_summary (
    niche_id
) WHERE events = 0;
COMMENT ON TABLE analytics.niche_daily_activity_summary IS
'Events by niche, UTC day and type as of the last drain';
COMMENT ON COLUMN analytics.niche_daily_activity_summary.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.niche_daily_activity_summary.day IS 'The UTC day';
COMMENT ON COLUMN analytics.niche_daily_activity_summary.event_type IS 'Type of the events';
COMMENT ON COLUMN analytics.niche_daily_activity_summary.events IS 'Number of events as of the last drain';

-- No key: its index would be one hot page that all writers of events share. Logical replication then needs the whole row
-- to replay the drain's deletes.
CREATE TABLE IF NOT EXISTS analytics.niche_daily_activity_delta (
    niche_id bigint NOT NULL,
    day date NOT NULL,
    event_type text NOT NULL,
    events bigint NOT NULL
);
-- says the same when run again
-- squawk-ignore prefer-robust-stmts
ALTER TABLE analytics.niche_daily_activity_delta REPLICA IDENTITY FULL;
COMMENT ON TABLE analytics.niche_daily_activity_delta IS 'Changes to the summary that are not folded in yet';
COMMENT ON COLUMN analytics.niche_daily_activity_delta.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.niche_daily_activity_delta.day IS 'The UTC day';
COMMENT ON COLUMN analytics.niche_daily_activity_delta.event_type IS 'Type of the events';
COMMENT ON COLUMN analytics.niche_daily_activity_delta.events IS
'Number of events to add; negative where events went';

CREATE TABLE IF NOT EXISTS analytics.stale_views (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    view_name text NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE analytics.stale_views IS
'Marks of materialized views that refresh_stale_views has to refresh';
COMMENT ON COLUMN analytics.stale_views.mark_id IS 'Key of the mark';
COMMENT ON COLUMN analytics.stale_views.view_name IS 'The materialized view, in schema analytics';
COMMENT ON COLUMN analytics.stale_views.marked_at IS 'When a base table changed';
