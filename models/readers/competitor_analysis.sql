-- The competitor heatmaps and gap analyses of a niche that are published and have not expired, the most important
-- first.
-- parameters:
--   niche_id bigint: the niche
--   insight_type text: competitor_heatmap or gap_analysis; NULL: both
--   max_rows bigint: so many at most; NULL: 20
-- budget: 500 ms
SELECT
    i.insight_id,
    i.insight_type,
    i.platform,
    i.title,
    i.insight_data,
    i.score,
    i.model_version,
    i.published_at,
    i.valid_until
FROM analytics.published_insights AS i
WHERE
    i.niche_id = CAST(:niche_id AS bigint)
    AND i.insight_type IN ('competitor_heatmap', 'gap_analysis')
    AND i.insight_type = coalesce(CAST(:insight_type AS text), i.insight_type)
ORDER BY i.score DESC NULLS LAST, i.insight_id DESC
LIMIT coalesce(CAST(:max_rows AS bigint), 20);
