DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')) = 'r' THEN
        DROP TRIGGER IF EXISTS hot_niches_today_fill_trend ON public.hot_niches_today;
        ALTER TABLE public.hot_niches_today
            DROP COLUMN IF EXISTS trend_direction,
            DROP COLUMN IF EXISTS trend_confidence,
            DROP COLUMN IF EXISTS days_trending;
    END IF;
END
$$;
