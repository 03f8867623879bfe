-- How a niche was scored over time: the mean demand, supply and opportunity of every day, week or month (UTC, named
-- by its first day), oldest first, with the number of scorings. The series runs from the first scoring in the window
-- to the last; a gap between them is a row with no scorings and NULL scores. A score that is not a number is left out.
-- parameters:
--   niche_id bigint: the niche
--   granularity text: daily, weekly or monthly; NULL: daily; no rows for anything else
--   since date: first day of the window, whose week or month is shown whole; NULL: from the first scoring
--   until date: last day of the window; NULL: to the last scoring
-- budget: 500 ms
WITH asked AS (
    SELECT CASE coalesce(CAST(:granularity AS text), 'daily')
        WHEN 'daily' THEN 'day'
        WHEN 'weekly' THEN 'week'
        WHEN 'monthly' THEN 'month'
    END AS unit
),

scored AS (
    SELECT
        date_trunc((SELECT asked.unit FROM asked), e.event_timestamp AT TIME ZONE 'UTC') AS at,
        count(*) AS scorings,
        avg(CASE
            WHEN jsonb_typeof(e.event_data -> 'demand_score') = 'number' THEN CAST(e.event_data ->> 'demand_score' AS numeric)
        END) AS demand,
        avg(CASE
            WHEN jsonb_typeof(e.event_data -> 'supply_score') = 'number' THEN CAST(e.event_data ->> 'supply_score' AS numeric)
        END) AS supply,
        avg(CASE
            WHEN jsonb_typeof(e.event_data -> 'opportunity') = 'number' THEN CAST(e.event_data ->> 'opportunity' AS numeric)
        END) AS opportunity
    FROM analytics.analytics_events AS e
    WHERE
        e.niche_id = CAST(:niche_id AS bigint)
        AND e.event_type = 'niche_scored'
        AND isfinite(e.event_timestamp)
        -- The unit is spelt out, so that the planner knows the period, and leaves out the months before it.
        AND e.event_timestamp >= coalesce(
            date_trunc(
                CASE coalesce(CAST(:granularity AS text), 'daily')
                    WHEN 'daily' THEN 'day'
                    WHEN 'weekly' THEN 'week'
                    WHEN 'monthly' THEN 'month'
                END,
                CAST(CAST(:since AS date) AS timestamp)
            ) AT TIME ZONE 'UTC',
            '-infinity'
        )
        AND e.event_timestamp < coalesce(
            CAST(CAST(:until AS date) + 1 AS timestamp) AT TIME ZONE 'UTC', 'infinity'
        )
    GROUP BY 1
)

SELECT
    CAST(bucket.at AS date) AS at,
    coalesce(scored.scorings, 0) AS scorings,
    round(scored.demand, 4) AS demand,
    round(scored.supply, 4) AS supply,
    round(scored.opportunity, 5) AS opportunity
FROM asked
CROSS JOIN LATERAL generate_series(
    (SELECT min(s.at) FROM scored AS s), (SELECT max(s.at) FROM scored AS s), CAST('1 ' || asked.unit AS interval)
) AS bucket (at)
LEFT JOIN scored ON scored.at = bucket.at
ORDER BY bucket.at;
