-- Today's top 50 niches by opportunity with their trend, best first. Slope and volatility are those of the last
-- refresh of analytics.trending_niches. Reads Phase 1's public.hot_niches_today, which keeps Phase 1's privileges:
-- besides analytics_reader, the role needs SELECT on it.
-- parameters:
--   direction text: rising, stable or falling; NULL: all
--   minimum_days integer: days for which the direction has held; NULL: 7
--   minimum_slope numeric: relative change a day by which a niche rises or falls at least; NULL: that from which
--     analytics.trend_of calls it rising or falling. A stable niche has no slope to speak of, and always passes
-- budget: 500 ms
SELECT
    hot.niche_id,
    hot.phrase,
    hot.demand_score,
    hot.monetise_score,
    hot.supply_score,
    hot.opportunity,
    hot.trend_direction AS direction,
    hot.trend_confidence AS confidence,
    hot.days_trending,
    trend.slope,
    trend.volatility,
    hot.updated_at
FROM public.hot_niches_today AS hot
LEFT JOIN analytics.trending_niches AS trend ON trend.niche_id = hot.niche_id
WHERE
    hot.trend_direction = coalesce(CAST(:direction AS text), hot.trend_direction)
    AND hot.days_trending >= coalesce(CAST(:minimum_days AS integer), 7)
    AND CASE
        WHEN CAST(:minimum_slope AS numeric) IS NULL THEN TRUE
        WHEN hot.trend_direction = 'rising' THEN trend.slope >= CAST(:minimum_slope AS numeric)
        WHEN hot.trend_direction = 'falling' THEN -trend.slope >= CAST(:minimum_slope AS numeric)
        ELSE TRUE
    END
ORDER BY hot.opportunity DESC NULLS LAST, hot.niche_id;
