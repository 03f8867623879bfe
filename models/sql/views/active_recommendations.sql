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
