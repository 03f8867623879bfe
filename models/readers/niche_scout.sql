-- A niche at a glance, one row: its trend and stability (1 / (1 + volatility): 1 is perfectly steady) as of the last
-- refresh of analytics.trending_niches, each platform's share of its demand as of the last refresh of
-- analytics.platform_comparison, and the trend of its searches over 14 days, exact. No row: the niche is not analysed
-- yet.
-- parameters:
--   niche_id bigint: the niche
--   until date: last of the 14 days (UTC); NULL: yesterday, since today is not over
-- budget: 500 ms
WITH daily AS (
    SELECT jsonb_agg(jsonb_build_array(days.day, coalesce(searched.events, 0)) ORDER BY days.day) AS searches
    FROM (
        SELECT coalesce(CAST(:until AS date), CAST(now() AT TIME ZONE 'UTC' AS date) - 1) - back AS day
        FROM generate_series(0, 13) AS numbers (back)
    ) AS days
    LEFT JOIN (
        SELECT a.day, a.events
        FROM analytics.niche_daily_activity AS a
        WHERE
            a.niche_id = CAST(:niche_id AS bigint)
            AND a.event_type = 'search'
            AND a.day > coalesce(CAST(:until AS date), CAST(now() AT TIME ZONE 'UTC' AS date) - 1) - 14
            AND a.day <= coalesce(CAST(:until AS date), CAST(now() AT TIME ZONE 'UTC' AS date) - 1)
    ) AS searched ON searched.day = days.day
)

SELECT
    t.niche_id,
    t.phrase,
    t.opportunity,
    t.direction,
    t.days_trending,
    t.slope,
    t.confidence,
    round(1 / (1 + t.volatility), 4) AS stability,
    coalesce(
        (
            SELECT jsonb_object_agg(p.platform, round(p.demand_share, 4))
            FROM analytics.platform_comparison AS p
            WHERE p.niche_id = t.niche_id
        ),
        '{}'
    ) AS platforms,
    daily.searches,
    searched.direction AS search_direction,
    searched.slope AS search_slope,
    searched.confidence AS search_confidence
FROM analytics.trending_niches AS t
CROSS JOIN daily
CROSS JOIN LATERAL analytics.trend_of(daily.searches) AS searched
WHERE t.niche_id = CAST(:niche_id AS bigint);
