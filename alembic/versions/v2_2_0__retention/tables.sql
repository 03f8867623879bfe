CREATE TABLE IF NOT EXISTS analytics.retention (
    relation text NOT NULL,
    kept_from date NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (relation)
);
COMMENT ON TABLE analytics.retention IS 'The horizon of each table whose rows are kept for a time';
COMMENT ON COLUMN analytics.retention.relation IS 'The table, in schema analytics';
COMMENT ON COLUMN analytics.retention.kept_from IS
'UTC day from which rows are kept; those of earlier days go, or have gone';
COMMENT ON COLUMN analytics.retention.moved_at IS 'When the horizon was moved last';

CREATE TABLE IF NOT EXISTS analytics.niche_daily_activity_kept (
    niche_id bigint NOT NULL,
    day date NOT NULL,
    event_type text NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (niche_id, day, event_type)
);
-- The drain deletes what has come down to nothing. Nobody writes to the new table yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS idx_niche_daily_activity_kept_empty ON analytics.niche_daily_activity_kept (
    niche_id
) WHERE events = 0;
COMMENT ON TABLE analytics.niche_daily_activity_kept IS
'Events by niche, UTC day and type of days before the horizon of the events';
COMMENT ON COLUMN analytics.niche_daily_activity_kept.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.niche_daily_activity_kept.day IS 'The UTC day, before the horizon of the events';
COMMENT ON COLUMN analytics.niche_daily_activity_kept.event_type IS 'Type of the events';
COMMENT ON COLUMN analytics.niche_daily_activity_kept.events IS
'Number of events that were recorded, less those erased';
