DO $$
BEGIN
    EXECUTE format(
        $view$
        CREATE MATERIALIZED VIEW analytics.trending_niches AS
        SELECT
            f.niche_id,
            f.phrase,
            f.opportunity,
            t.direction,
            t.days AS days_trending,
            t.slope,
            t.volatility,
            t.confidence,
            f.last_analyzed_at
        FROM %s public.features AS f
        CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t
        WHERE f.trend_vector IS NOT NULL
        $view$,
        -- Where others have a table inherit from features, it may hold a niche, too.
        CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.features'::regclass) THEN 'ONLY' ELSE '' END
    );
END
$$;

-- Nobody uses a view that is not committed yet, so that its indexes are built plainly.
--
-- REFRESH CONCURRENTLY needs it; niche_scout and hot_niches look a niche up by it.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX idx_trending_niches_niche_id ON analytics.trending_niches (niche_id);

-- trending_niches: the best of one direction, found in the index alone
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX idx_trending_niches_direction ON analytics.trending_niches (
    direction, opportunity DESC NULLS LAST, niche_id
) INCLUDE (days_trending, slope);

COMMENT ON MATERIALIZED VIEW analytics.trending_niches IS
'Trend of every analysed niche over its last 14 days, as of the last refresh';
COMMENT ON COLUMN analytics.trending_niches.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.trending_niches.phrase IS 'Its phrase';
COMMENT ON COLUMN analytics.trending_niches.opportunity IS 'Its opportunity, as in features';
COMMENT ON COLUMN analytics.trending_niches.direction IS 'rising, stable or falling';
COMMENT ON COLUMN analytics.trending_niches.days_trending IS 'Days for which the direction has held, 0 to 14';
COMMENT ON COLUMN analytics.trending_niches.slope IS 'Relative change of the daily events a day: 0.05 is 5 % of the mean';
COMMENT ON COLUMN analytics.trending_niches.volatility IS
'Standard deviation of the daily events around the trend line, relative to their mean';
COMMENT ON COLUMN analytics.trending_niches.confidence IS 'Confidence in the direction, 0 to 1';
COMMENT ON COLUMN analytics.trending_niches.last_analyzed_at IS 'When the trend vector was computed';

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
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX idx_platform_comparison_niche_id_platform ON analytics.platform_comparison (niche_id, platform);

COMMENT ON MATERIALIZED VIEW analytics.platform_comparison IS
'Newest metrics of every niche on each platform, compared, as of the last refresh';
COMMENT ON COLUMN analytics.platform_comparison.niche_id IS 'The niche';
COMMENT ON COLUMN analytics.platform_comparison.platform IS 'youtube, tiktok or instagram';
COMMENT ON COLUMN analytics.platform_comparison.metric_date IS 'The UTC day of the metrics';
COMMENT ON COLUMN analytics.platform_comparison.demand_score IS 'Demand on the platform, 0 to 1';
COMMENT ON COLUMN analytics.platform_comparison.supply_score IS 'Supply on the platform, 0 to 1';
COMMENT ON COLUMN analytics.platform_comparison.engagement_score IS 'Engagement on the platform, 0 to 1';
COMMENT ON COLUMN analytics.platform_comparison.growth_rate IS 'Relative growth since the day before';
COMMENT ON COLUMN analytics.platform_comparison.audience_demographics IS 'Shares of the audience by age and gender';
COMMENT ON COLUMN analytics.platform_comparison.demand_share IS
'Share of the platform in the niche''s demand over all platforms, 0 to 1';
COMMENT ON COLUMN analytics.platform_comparison.demand_rank IS 'Place of the platform by demand within the niche, from 1';
