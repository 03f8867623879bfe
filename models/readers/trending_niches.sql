-- Among all analysed niches, those with the best opportunity and a trend of the kind asked for, as of the last
-- refresh of analytics.trending_niches.
-- parameters:
--   direction text: rising, stable or falling; NULL: all
--   minimum_days integer: days for which the direction has held; NULL: 7
--   minimum_slope numeric: relative change a day by which a niche rises or falls at least; NULL: 0.05. A stable niche
--     has no slope to speak of (0.05 at most), and always passes
--   max_rows bigint: so many at most; NULL: 50
-- budget: 200 ms
WITH best AS (
    -- The best of each direction, found in the index alone
    SELECT found.niche_id
    FROM unnest(ARRAY['rising', 'stable', 'falling']) AS each_one (direction)
    CROSS JOIN LATERAL (
        SELECT t.niche_id
        FROM analytics.trending_niches AS t
        WHERE
            t.direction = each_one.direction
            AND t.days_trending >= coalesce(CAST(:minimum_days AS integer), 7)
            AND CASE t.direction
                WHEN 'rising' THEN t.slope >= coalesce(CAST(:minimum_slope AS numeric), 0.05)
                WHEN 'falling' THEN -t.slope >= coalesce(CAST(:minimum_slope AS numeric), 0.05)
                ELSE TRUE
            END
        ORDER BY t.opportunity DESC NULLS LAST, t.niche_id
        LIMIT coalesce(CAST(:max_rows AS bigint), 50)
    ) AS found
    WHERE each_one.direction = coalesce(CAST(:direction AS text), each_one.direction)
)

SELECT
    t.niche_id,
    t.phrase,
    t.opportunity,
    t.direction,
    t.confidence,
    t.days_trending,
    t.slope,
    t.volatility,
    t.last_analyzed_at
FROM best
INNER JOIN analytics.trending_niches AS t ON t.niche_id = best.niche_id
ORDER BY t.opportunity DESC NULLS LAST, t.niche_id
LIMIT coalesce(CAST(:max_rows AS bigint), 50);
