-- The niche with the most insights.
SELECT i.niche_id
FROM analytics.insight_registry AS i
WHERE i.niche_id IS NOT NULL
GROUP BY i.niche_id
ORDER BY count(*) DESC, i.niche_id
LIMIT 1;
