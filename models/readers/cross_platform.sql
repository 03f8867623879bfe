-- A niche on each platform, greatest demand first: its newest metrics, audience and share of the niche's demand as of
-- the last refresh of analytics.platform_comparison, and its best 20 published cross_platform insights about that
-- platform or about all, as a JSON array of {title, score, platform, data}, best first.
-- parameters:
--   niche_id bigint: the niche
--   platform text: youtube, tiktok or instagram; NULL: all
-- budget: 500 ms
SELECT
    p.platform,
    p.metric_date,
    p.demand_score,
    p.supply_score,
    p.engagement_score,
    p.growth_rate,
    p.audience_demographics,
    p.demand_share,
    p.demand_rank,
    coalesce(found.insights, '[]') AS insights
FROM analytics.platform_comparison AS p
CROSS JOIN LATERAL (
    SELECT
        jsonb_agg(
            jsonb_build_object(
                'title', best.title, 'score', best.score, 'platform', best.platform, 'data', best.insight_data
            )
            ORDER BY best.score DESC NULLS LAST, best.insight_id DESC
        ) AS insights
    FROM (
        SELECT i.insight_id, i.title, i.score, i.platform, i.insight_data
        FROM analytics.published_insights AS i
        WHERE
            i.niche_id = p.niche_id
            AND i.insight_type = 'cross_platform'
            AND (i.platform = p.platform OR i.platform IS NULL)
        ORDER BY i.score DESC NULLS LAST, i.insight_id DESC
        LIMIT 20
    ) AS best
) AS found
WHERE
    p.niche_id = CAST(:niche_id AS bigint)
    AND p.platform = coalesce(CAST(:platform AS text), p.platform)
ORDER BY p.demand_rank, p.platform;
