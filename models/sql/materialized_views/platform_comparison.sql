CREATE MATERIALIZED VIEW analytics.platform_comparison AS
SELECT
    latest.niche_id,
    latest.platform,
    latest.metric_date,
    latest.demand_score,
    latest.supply_score,
    latest.engagement_score,
    latest.growth_rate,
    latest.audience_demographics,
    latest.demand_score / nullif(sum(latest.demand_score) OVER niche, 0) AS demand_share,
    rank() OVER (PARTITION BY latest.niche_id ORDER BY latest.demand_score DESC NULLS LAST) AS demand_rank
FROM (
    SELECT DISTINCT ON (m.niche_id, m.platform)
        m.niche_id,
        m.platform,
        m.metric_date,
        m.demand_score,
        m.supply_score,
        m.engagement_score,
        m.growth_rate,
        m.audience_demographics
    FROM analytics.cross_platform_metrics AS m
    WHERE m.niche_id IS NOT NULL AND m.metric_date IS NOT NULL
    ORDER BY m.niche_id, m.platform, m.metric_date DESC
) AS latest
WINDOW niche AS (PARTITION BY latest.niche_id);

-- REFRESH CONCURRENTLY needs it; cross_platform and niche_scout look a niche up by it.
CREATE UNIQUE INDEX idx_platform_comparison_niche_id_platform ON analytics.platform_comparison (niche_id, platform);

COMMENT ON MATERIALIZED VIEW analytics.platform_comparison IS
'Newest metrics of every niche on each platform, compared, as of the last refresh';
COMMENT ON COLUMN analytics.platform_comparison.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.platform_comparison.platform IS 'youtube, tiktok or instagram';
COMMENT ON COLUMN analytics.platform_comparison.metric_date IS 'The UTC day of the metrics';
COMMENT ON COLUMN analytics.platform_comparison.growth_rate IS 'Relative growth since the day before';
COMMENT ON COLUMN analytics.platform_comparison.audience_demographics IS 'Shares of the audience by age and gender';
COMMENT ON COLUMN analytics.platform_comparison.demand_share IS
'Share of the platform in the niche''s demand over all platforms, 0 to 1';
COMMENT ON COLUMN analytics.platform_comparison.demand_rank IS 'Place of the platform by demand within the niche, from 1';
