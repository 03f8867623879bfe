DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'public.hot_niches_today'::regclass) = 'r' THEN
        ALTER TABLE public.hot_niches_today
            VALIDATE CONSTRAINT hot_niches_today_trend_direction_check,
            VALIDATE CONSTRAINT hot_niches_today_trend_confidence_check,
            VALIDATE CONSTRAINT hot_niches_today_days_trending_check;
    END IF;
END
$$;
