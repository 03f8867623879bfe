-- Exact at every moment: what is not folded in yet, and what is; in the order in which a TRUNCATE of the events locks the
-- two, or it could deadlock with a reader. And what was counted of days whose events go.
CREATE OR REPLACE VIEW analytics.niche_daily_activity AS
SELECT
    counts.niche_id,
    counts.day,
    counts.event_type,
    sum(counts.events)::bigint AS events
FROM (
    SELECT d.niche_id, d.day, d.event_type, d.events FROM analytics.niche_daily_activity_delta AS d
    UNION ALL
    SELECT s.niche_id, s.day, s.event_type, s.events FROM analytics.niche_daily_activity_summary AS s
    UNION ALL
    SELECT k.niche_id, k.day, k.event_type, k.events FROM analytics.niche_daily_activity_kept AS k
) AS counts
GROUP BY counts.niche_id, counts.day, counts.event_type
HAVING sum(counts.events) <> 0;

COMMENT ON VIEW analytics.niche_daily_activity IS 'Events of a niche on a day by type, exact at every moment';
COMMENT ON COLUMN analytics.niche_daily_activity.niche_id IS 'The niche; events without one are not counted';
COMMENT ON COLUMN analytics.niche_daily_activity.day IS 'The UTC day of event_timestamp';
COMMENT ON COLUMN analytics.niche_daily_activity.event_type IS 'Type of the events';
COMMENT ON COLUMN analytics.niche_daily_activity.events IS 'Number of events';
