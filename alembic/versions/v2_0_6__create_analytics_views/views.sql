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
COMMENT ON COLUMN analytics.current_trends.trend_id IS 'Key of the entry';
COMMENT ON COLUMN analytics.current_trends.niche_id IS 'The niche it is about; NULL: about all niches';
COMMENT ON COLUMN analytics.current_trends.related_niche_id IS
'The other niche of a correlated pair; NULL: not about a pair';
COMMENT ON COLUMN analytics.current_trends.trend_type IS 'What was calculated: chart, correlation or another kind';
COMMENT ON COLUMN analytics.current_trends.trend_source IS 'What calculated it, for example niche_trends';
COMMENT ON COLUMN analytics.current_trends.parameters IS
'What it was calculated for, part of the key: for a chart {period, granularity}; at most 2,000 bytes';
COMMENT ON COLUMN analytics.current_trends.trend_data IS
'The result. chart: {points: [{at, demand, supply, opportunity, forecast, confidence}]}; correlation: {coefficient, relationship, lag_days}';
COMMENT ON COLUMN analytics.current_trends.valid_until IS 'When the entry expires; queries live 1 hour, charts 24';
COMMENT ON COLUMN analytics.current_trends.created_at IS 'When it was calculated';

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
COMMENT ON COLUMN analytics.active_recommendations.recommendation_id IS 'Key of the recommendation';
COMMENT ON COLUMN analytics.active_recommendations.niche_id IS 'The niche it is for';
COMMENT ON COLUMN analytics.active_recommendations.user_id IS 'Whom it is for; NULL: everybody. Subject to erasure';
COMMENT ON COLUMN analytics.active_recommendations.content_type IS 'What to make: video, short, stream or post';
COMMENT ON COLUMN analytics.active_recommendations.title IS 'Suggested title';
COMMENT ON COLUMN analytics.active_recommendations.description IS 'Why, and what it should hold';
COMMENT ON COLUMN analytics.active_recommendations.content_format IS 'Suggested format, for example tutorial or review';
COMMENT ON COLUMN analytics.active_recommendations.keywords IS 'Suggested keywords, most important first';
COMMENT ON COLUMN analytics.active_recommendations.opportunity_score IS
'How promising, 0 to 1; recommendations are read by it';
COMMENT ON COLUMN analytics.active_recommendations.audience_match IS 'How well it fits the audience, 0 to 1';
COMMENT ON COLUMN analytics.active_recommendations.estimated_views IS 'Views to expect in the first 30 days';
COMMENT ON COLUMN analytics.active_recommendations.trend_status IS 'The niche''s trend then: rising, stable or falling';
COMMENT ON COLUMN analytics.active_recommendations.competition_level IS 'Competition then: low, medium or high';
COMMENT ON COLUMN analytics.active_recommendations.model_version IS 'Version of the model that recommended it';
COMMENT ON COLUMN analytics.active_recommendations.valid_until IS 'When it expires; kept for 12 months';
COMMENT ON COLUMN analytics.active_recommendations.created_at IS 'When it was recommended';

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
COMMENT ON COLUMN analytics.published_insights.insight_id IS 'Key of the insight';
COMMENT ON COLUMN analytics.published_insights.niche_id IS 'The niche it is about; NULL: about all niches';
COMMENT ON COLUMN analytics.published_insights.insight_type IS
'What kind: competitor_heatmap, gap_analysis, cross_platform or another';
COMMENT ON COLUMN analytics.published_insights.platform IS 'The platform it is about; NULL: none in particular';
COMMENT ON COLUMN analytics.published_insights.title IS 'The finding in a few words';
COMMENT ON COLUMN analytics.published_insights.insight_data IS
'The finding: matrices, sub-niches with demand, supply, opportunity, audience and competitors';
COMMENT ON COLUMN analytics.published_insights.score IS 'How much it matters, 0 to 1; insights are read by it';
COMMENT ON COLUMN analytics.published_insights.model_version IS 'Version of the model that found it';
COMMENT ON COLUMN analytics.published_insights.published_at IS 'When it may be shown from; NULL: a draft';
COMMENT ON COLUMN analytics.published_insights.valid_until IS 'When it expires; NULL: never. Kept for 12 months';
COMMENT ON COLUMN analytics.published_insights.created_at IS 'When it was found';
