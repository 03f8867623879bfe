-- Of features itself: a table that inherits from it may hold a niche, too.
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
FROM ONLY public.features AS f
CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t
WHERE f.trend_vector IS NOT NULL;

-- REFRESH CONCURRENTLY needs it; niche_scout and hot_niches look a niche up by it.
CREATE UNIQUE INDEX idx_trending_niches_niche_id ON analytics.trending_niches (niche_id);

-- trending_niches: the best of one direction, found in the index alone
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
