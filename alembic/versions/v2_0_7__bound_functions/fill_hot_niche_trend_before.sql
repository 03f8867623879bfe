-- A Phase 1 writer knows seven columns of hot_niches_today; the three of Phase 2 are filled for it. A writer that sets
-- them itself is left alone. It holds table privileges only, hence SECURITY DEFINER.
CREATE OR REPLACE FUNCTION analytics.fill_hot_niche_trend()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    trend record;
BEGIN
    IF tg_op = 'UPDATE' THEN
        IF (new.trend_direction, new.trend_confidence, new.days_trending)
            IS DISTINCT FROM (old.trend_direction, old.trend_confidence, old.days_trending) THEN
            RETURN new;
        END IF;
        new.trend_direction := NULL;
        new.trend_confidence := NULL;
        new.days_trending := NULL;
    END IF;

    SELECT t.direction, t.confidence, t.days
    INTO trend
    FROM analytics.trend_of((SELECT f.trend_vector FROM public.features AS f WHERE f.niche_id = new.niche_id)) AS t;

    new.trend_direction := coalesce(new.trend_direction, trend.direction);
    new.trend_confidence := coalesce(new.trend_confidence, trend.confidence);
    new.days_trending := coalesce(new.days_trending, trend.days);
    RETURN new;
END
$$;
