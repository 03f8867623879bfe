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
