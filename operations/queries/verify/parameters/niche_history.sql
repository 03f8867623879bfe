-- The niche with the most scorings, over a year.
SELECT a.niche_id, current_date - 365 AS since
FROM analytics.niche_daily_activity AS a
WHERE a.event_type = 'niche_scored'
GROUP BY a.niche_id
ORDER BY sum(a.events) DESC, a.niche_id
LIMIT 1;
