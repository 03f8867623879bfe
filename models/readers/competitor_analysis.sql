-- The competitor heatmaps and gap analyses of a niche that are published and have not expired, most important first.
-- parameters:
--   niche_id bigint: the niche
--   insight_type text: competitor_heatmap or gap_analysis; NULL: both
--   max_rows bigint: so many at most; NULL: 20
-- budget: 500 ms
SELECT
    best.insight_id,
    best.insight_type,
    best.platform,
    best.title,
    best.insight_data,
    best.score,
    best.model_version,
    best.published_at,
    best.valid_until
FROM unnest(ARRAY['competitor_heatmap', 'gap_analysis']) AS kind (insight_type)
CROSS JOIN LATERAL (
    -- Of one kind, the index gives the order
    SELECT i.*
    FROM analytics.published_insights AS i
    WHERE i.niche_id = CAST(:niche_id AS bigint) AND i.insight_type = kind.insight_type
    ORDER BY i.score DESC NULLS LAST, i.insight_id DESC
    LIMIT coalesce(CAST(:max_rows AS bigint), 20)
) AS best
WHERE kind.insight_type = coalesce(CAST(:insight_type AS text), kind.insight_type)
ORDER BY best.score DESC NULLS LAST, best.insight_id DESC
LIMIT coalesce(CAST(:max_rows AS bigint), 20);
