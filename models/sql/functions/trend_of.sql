-- Over the last 14 days of the vector, x = 1, 2, … and y = events of the day:
-- the slope is the least-squares slope divided by the mean; days counts back from the last day while the trend of the
-- window up to that day has the same direction. Numbers of events are whole: others are rounded, whatever is not
-- a number counts as zero, more than 10^9 as 10^9. So double precision holds every sum exactly, and no vector can make
-- the function fail. Its names are bound when it is created: no object of a caller's search_path can take their place.
CREATE OR REPLACE FUNCTION analytics.trend_of(
    vector jsonb,
    OUT direction text,
    OUT slope numeric,
    OUT confidence numeric,
    OUT days integer,
    OUT volatility numeric
)
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
COST 5000
BEGIN ATOMIC
    WITH daily AS (
        SELECT
            place::double precision AS x,
            CASE
                WHEN jsonb_typeof(point -> 1) = 'number'
                    THEN round(least(greatest((point ->> 1)::numeric, 0), 1e9))::double precision
                ELSE 0
            END AS y
        FROM jsonb_path_query(vector, '$[last - 13 to last]') WITH ORDINALITY AS points (point, place)
        WHERE jsonb_typeof(vector) = 'array'
    ),

    sums AS (
        SELECT
            x AS n,
            sum(y) OVER up_to AS sy,
            sum(y * y) OVER up_to AS syy,
            x * sum(x * y) OVER up_to - sum(x) OVER up_to * sum(y) OVER up_to AS nsxy,
            x * sum(x * x) OVER up_to - sum(x) OVER up_to * sum(x) OVER up_to AS nsxx
        FROM daily
        WINDOW up_to AS (ORDER BY x)
    ),

    trends AS (
        SELECT
            n,
            CASE WHEN n > 1 AND sy > 0 THEN n * nsxy / (nsxx * sy) ELSE 0 END AS slope,
            -- The threshold of rising and falling, a slope of 0.05, as the whole number 1 / 0.05
            CASE
                WHEN 20 * n * nsxy > nsxx * sy THEN 'rising'
                WHEN 20 * n * nsxy < -nsxx * sy THEN 'falling'
                ELSE 'stable'
            END AS direction,
            CASE
                WHEN n > 1 AND sy > 0
                    THEN sqrt(greatest(n * syy - sy * sy - nsxy * nsxy / nsxx, 0)) / sy
                ELSE 0
            END AS volatility,
            sy > 0 AS active
        FROM sums
    ),

    present AS (
        SELECT * FROM trends ORDER BY n DESC LIMIT 1
    )

    SELECT
        coalesce(present.direction, 'stable'),
        coalesce(round(present.slope::numeric, 6), 0),
        CASE WHEN present.active THEN round((present.n / 14 / (1 + present.volatility))::numeric, 4) ELSE 0 END,
        coalesce(
            present.n - (SELECT max(trends.n) FROM trends WHERE trends.direction <> present.direction),
            present.n,
            0
        )::integer,
        coalesce(round(present.volatility::numeric, 4), 0)
    FROM (SELECT) AS always
    LEFT JOIN present ON TRUE;
END;

COMMENT ON FUNCTION analytics.trend_of(jsonb) IS
'Trend of a trend_vector over its last 14 days: direction (rising above a relative slope of 0.05 a day, falling below -0.05, else stable), slope (relative change a day), confidence (0 to 1; below 0.6 under seven days), days for which the direction has held (0 to 14), volatility (standard deviation around the trend line, relative to the mean)';

REVOKE ALL ON FUNCTION analytics.trend_of(jsonb) FROM PUBLIC;
