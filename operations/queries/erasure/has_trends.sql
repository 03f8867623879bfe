SELECT
    to_regclass('analytics.niche_daily_activity') IS NOT NULL
    AND to_regclass('analytics.trend_cache') IS NOT NULL
    AND EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('public.features') AND a.attname = 'trend_vector' AND NOT a.attisdropped
    );
