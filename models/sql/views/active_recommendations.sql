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
