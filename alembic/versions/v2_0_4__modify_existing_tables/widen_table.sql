-- Where hot_niches_today is a table. The trigger fills the new columns for writers that know seven.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = 'public.hot_niches_today'::regclass) <> 'r' THEN
        RETURN;
    END IF;

    ALTER TABLE public.hot_niches_today
        ADD COLUMN IF NOT EXISTS trend_direction text,
        ADD COLUMN IF NOT EXISTS trend_confidence numeric(5, 4),
        ADD COLUMN IF NOT EXISTS days_trending integer,
        DROP CONSTRAINT IF EXISTS hot_niches_today_trend_direction_check,
        DROP CONSTRAINT IF EXISTS hot_niches_today_trend_confidence_check,
        DROP CONSTRAINT IF EXISTS hot_niches_today_days_trending_check,
        ADD CONSTRAINT hot_niches_today_trend_direction_check
            CHECK (trend_direction IN ('rising', 'stable', 'falling')) NOT VALID,
        ADD CONSTRAINT hot_niches_today_trend_confidence_check
            CHECK (trend_confidence BETWEEN 0 AND 1) NOT VALID,
        ADD CONSTRAINT hot_niches_today_days_trending_check
            CHECK (days_trending >= 0) NOT VALID;

    COMMENT ON COLUMN public.hot_niches_today.trend_direction IS
    'Direction of the niche''s trend over the last 14 days: rising, stable or falling';
    COMMENT ON COLUMN public.hot_niches_today.trend_confidence IS
    'Confidence in trend_direction, 0 to 1; under seven daily points below 0.6';
    COMMENT ON COLUMN public.hot_niches_today.days_trending IS 'Days for which trend_direction has held, 0 to 14';

    CREATE OR REPLACE TRIGGER hot_niches_today_fill_trend
    BEFORE INSERT OR UPDATE ON public.hot_niches_today
    FOR EACH ROW EXECUTE FUNCTION analytics.fill_hot_niche_trend();

    COMMENT ON TRIGGER hot_niches_today_fill_trend ON public.hot_niches_today IS
    'Fills the trend columns for writers that do not know them';
END
$$;
