-- The niche on the most platforms.
SELECT p.niche_id
FROM analytics.platform_comparison AS p
GROUP BY p.niche_id
ORDER BY count(*) DESC, p.niche_id
LIMIT 1;
