-- The longest chart that is cached.
SELECT t.niche_id, t.parameters ->> 'period' AS period, t.parameters ->> 'granularity' AS granularity
FROM analytics.current_trends AS t
WHERE t.trend_type = 'chart' AND t.niche_id IS NOT NULL
ORDER BY jsonb_array_length(t.trend_data -> 'points') DESC NULLS LAST, t.niche_id
LIMIT 1;
