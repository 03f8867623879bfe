-- hot_niches_today where Phase 1 made it a materialized view: Phase 1's own query, wrapped, with the three new columns.
-- The vector is that of features itself: a table that inherits from it may hold the niche, too.
CREATE MATERIALIZED VIEW public.hot_niches_today AS
SELECT
    hot.niche_id,
    hot.phrase,
    hot.demand_score,
    hot.monetise_score,
    hot.supply_score,
    hot.opportunity,
    hot.updated_at,
    trend.direction AS trend_direction,
    trend.confidence::numeric(5, 4) AS trend_confidence,
    trend.days AS days_trending
FROM (
    SELECT
        features.niche_id,
        features.phrase,
        features.demand_score,
        features.monetise_score,
        features.supply_score,
        features.opportunity,
        features.updated_at
    FROM public.features
    WHERE features.updated_at > (now() - '24:00:00'::interval)
    ORDER BY features.opportunity DESC
    LIMIT 50
) AS hot
CROSS JOIN LATERAL analytics.trend_of((
    SELECT f.trend_vector FROM ONLY public.features AS f WHERE f.niche_id = hot.niche_id
)) AS trend;

CREATE INDEX hot_niches_today_opportunity_idx ON public.hot_niches_today (opportunity DESC);

COMMENT ON COLUMN public.hot_niches_today.trend_direction IS
'Direction of the niche''s trend over the last 14 days: rising, stable or falling';
COMMENT ON COLUMN public.hot_niches_today.trend_confidence IS
'Confidence in trend_direction, 0 to 1; under seven daily points below 0.6';
COMMENT ON COLUMN public.hot_niches_today.days_trending IS 'Days for which trend_direction has held, 0 to 14';
