-- The niche with the most correlated pairs.
SELECT t.niche_id
FROM analytics.current_trends AS t
WHERE t.trend_type = 'correlation' AND t.related_niche_id IS NOT NULL
GROUP BY t.niche_id
ORDER BY count(*) DESC, t.niche_id
LIMIT 1;
