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
