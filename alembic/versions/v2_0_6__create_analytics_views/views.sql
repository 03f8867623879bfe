-- Exact at every moment: what is folded in, and what is not yet.
CREATE OR REPLACE VIEW analytics.niche_daily_activity AS
SELECT
    counts.niche_id,
    counts.day,
    counts.event_type,
    sum(counts.events)::bigint AS events
FROM (
    SELECT s.niche_id, s.day, s.event_type, s.events FROM analytics.niche_daily_activity_summary AS s
    UNION ALL
    SELECT d.niche_id, d.day, d.event_type, d.events FROM analytics.niche_daily_activity_delta AS d
) AS counts
GROUP BY counts.niche_id, counts.day, counts.event_type
HAVING sum(counts.events) <> 0;

COMMENT ON VIEW analytics.niche_daily_activity IS 'Events of a niche on a day by type, exact at every moment';
COMMENT ON COLUMN analytics.niche_daily_activity.niche_id IS 'The niche; events without one are not counted';
COMMENT ON COLUMN analytics.niche_daily_activity.day IS 'The UTC day of event_timestamp';
COMMENT ON COLUMN analytics.niche_daily_activity.event_type IS 'Type of the events';
COMMENT ON COLUMN analytics.niche_daily_activity.events IS 'Number of events';

CREATE OR REPLACE VIEW analytics.current_trends AS
SELECT
    t.trend_id,
    t.niche_id,
    t.related_niche_id,
    t.trend_type,
    t.trend_source,
    t.parameters,
    t.trend_data,
    t.valid_until,
    t.created_at
FROM analytics.trend_cache AS t
WHERE t.valid_until > now();

COMMENT ON VIEW analytics.current_trends IS 'The entries of trend_cache that have not expired; columns as there';

CREATE OR REPLACE VIEW analytics.active_recommendations AS
SELECT
    r.recommendation_id,
    r.niche_id,
    r.user_id,
    r.content_type,
    r.title,
    r.description,
    r.content_format,
    r.keywords,
    r.opportunity_score,
    r.audience_match,
    r.estimated_views,
    r.trend_status,
    r.competition_level,
    r.model_version,
    r.valid_until,
    r.created_at
FROM analytics.content_recommendations AS r
WHERE r.valid_until > now();

COMMENT ON VIEW analytics.active_recommendations IS
'The recommendations that have not expired; columns as in content_recommendations';

CREATE OR REPLACE VIEW analytics.published_insights AS
SELECT
    i.insight_id,
    i.niche_id,
    i.insight_type,
    i.platform,
    i.title,
    i.insight_data,
    i.score,
    i.model_version,
    i.published_at,
    i.valid_until,
    i.created_at
FROM analytics.insight_registry AS i
WHERE
    i.published_at IS NOT NULL
    AND i.published_at <= now()
    AND (i.valid_until IS NULL OR i.valid_until > now());

COMMENT ON VIEW analytics.published_insights IS
'The insights that are published and have not expired; columns as in insight_registry';
