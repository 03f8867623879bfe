-- The niche with the most recommendations, and a user who has some there.
SELECT r.niche_id, max(r.user_id) AS user_id
FROM analytics.content_recommendations AS r
GROUP BY r.niche_id
ORDER BY count(*) DESC, r.niche_id
LIMIT 1;
