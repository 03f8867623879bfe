-- Among all analysed niches, those with the best opportunity and a trend of the kind asked for, as of the last
-- refresh of analytics.trending_niches.
-- parameters:
--   direction text: rising, stable or falling; NULL: all
--   minimum_days integer: days for which the direction has held; NULL: 7
--   minimum_slope numeric: relative change a day by which a niche rises or falls at least; NULL: that from which
--     analytics.trend_of calls it rising or falling. A stable niche has no slope to speak of, and always passes
--   max_rows bigint: so many at most; NULL: 50
-- budget: 200 ms
WITH best AS (
    -- The best of each direction, found in the index alone
    SELECT found.niche_id
    FROM unnest(ARRAY['rising', 'stable', 'falling']) AS course (direction)
    CROSS JOIN LATERAL (
        SELECT t.niche_id, t.opportunity
        FROM analytics.trending_niches AS t
        WHERE
            t.direction = course.direction
            AND t.days_trending >= coalesce(CAST(:minimum_days AS integer), 7)
            AND CASE
                WHEN CAST(:minimum_slope AS numeric) IS NULL THEN TRUE
                WHEN t.direction = 'rising' THEN t.slope >= CAST(:minimum_slope AS numeric)
                WHEN t.direction = 'falling' THEN -t.slope >= CAST(:minimum_slope AS numeric)
                ELSE TRUE
            END
        ORDER BY t.opportunity DESC NULLS LAST, t.niche_id
        LIMIT coalesce(CAST(:max_rows AS bigint), 50)
    ) AS found
    WHERE course.direction = coalesce(CAST(:direction AS text), course.direction)
    ORDER BY found.opportunity DESC NULLS LAST, found.niche_id
    LIMIT coalesce(CAST(:max_rows AS bigint), 50)
)

SELECT
    niche.niche_id,
    niche.phrase,
    niche.opportunity,
    niche.direction,
    niche.confidence,
    niche.days_trending,
    niche.slope,
    niche.volatility,
    niche.last_analyzed_at
FROM best
-- The limit makes it a look-up of each, where a join might read the whole view
CROSS JOIN LATERAL (
    SELECT t.* FROM analytics.trending_niches AS t WHERE t.niche_id = best.niche_id LIMIT 1
) AS niche
ORDER BY niche.opportunity DESC NULLS LAST, niche.niche_id;
