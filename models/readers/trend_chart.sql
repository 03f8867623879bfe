-- The cached trend chart of a niche, a row for each point, oldest first. No row: nothing unexpired is cached. Where
-- several sources calculated it, the newest is shown. A forecast point carries its confidence, 0 to 1.
-- parameters:
--   niche_id bigint: the niche
--   period text: 30d, 90d, 1y or all; NULL: 30d
--   granularity text: daily, weekly or monthly; NULL: daily
-- budget: 500 ms
SELECT
    chart.trend_source,
    chart.created_at,
    chart.valid_until,
    point.at,
    point.demand,
    point.supply,
    point.opportunity,
    coalesce(point.forecast, FALSE) AS forecast,
    point.confidence
FROM (
    SELECT t.trend_source, t.trend_data, t.created_at, t.valid_until
    FROM analytics.current_trends AS t
    WHERE
        t.niche_id = CAST(:niche_id AS bigint)
        AND t.trend_type = 'chart'
        AND t.related_niche_id IS NULL
        AND t.parameters = jsonb_build_object(
            'period', coalesce(CAST(:period AS text), '30d'),
            'granularity', coalesce(CAST(:granularity AS text), 'daily')
        )
    ORDER BY t.created_at DESC NULLS LAST, t.trend_id DESC
    LIMIT 1
) AS chart
CROSS JOIN LATERAL jsonb_to_recordset(chart.trend_data -> 'points') AS point (
    at date, demand numeric, supply numeric, opportunity numeric, forecast boolean, confidence numeric
)
ORDER BY point.at;
