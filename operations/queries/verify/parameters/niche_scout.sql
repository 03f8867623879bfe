-- The analysed niche with the most events.
SELECT a.niche_id
FROM analytics.niche_daily_activity AS a
WHERE EXISTS (SELECT FROM analytics.trending_niches AS t WHERE t.niche_id = a.niche_id)
GROUP BY a.niche_id
ORDER BY sum(a.events) DESC, a.niche_id
LIMIT 1;
