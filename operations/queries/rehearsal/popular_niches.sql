-- The niche with the most events, and one with as many as most niches have.
WITH counted AS (
    SELECT niche_id, sum(events) AS events
    FROM analytics.niche_daily_activity
    GROUP BY niche_id
)

SELECT
    (SELECT niche_id FROM counted ORDER BY events DESC, niche_id LIMIT 1) AS busiest,
    (
        SELECT niche_id FROM counted
        ORDER BY abs(events - (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY c.events) FROM counted AS c)), niche_id
        LIMIT 1
    ) AS typical;
