-- Exact at every moment: what is not folded in yet, and what is; in the order in which a TRUNCATE of the events locks the
-- two, or it could deadlock with a reader.
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
) AS counts
GROUP BY counts.niche_id, counts.day, counts.event_type
HAVING sum(counts.events) <> 0;
