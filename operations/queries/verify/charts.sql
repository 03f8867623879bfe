-- Charts that the backfill wrote and that are not there: of niches that nobody has analysed since. A chart lives for 24
-- hours, and a range may have been interrupted for some of them: then the charts of its first niches may have expired.
WITH walked AS (
    SELECT r.lower::bigint AS lower, r.upper::bigint AS upper, r.done_at
    FROM sidb.backfill_ranges AS r
    INNER JOIN sidb.backfill_targets AS t
        ON t.job = r.job AND t.target = 'analytics.trend_cache' AND t.oid = 'analytics.trend_cache'::regclass
    WHERE r.job = 'niche_trends' AND r.done_at > now() - interval '23 hours'
),

charts AS MATERIALIZED (
    SELECT c.niche_id
    FROM analytics.trend_cache AS c
    WHERE c.trend_type = 'chart' AND c.trend_source = 'niche_trends'
),

expected AS MATERIALIZED (
    SELECT
        f.niche_id,
        w.done_at,
        EXISTS (SELECT FROM charts AS c WHERE c.niche_id = f.niche_id) AS there,
        min(f.niche_id) FILTER (WHERE f.niche_id IN (SELECT c.niche_id FROM charts AS c)) OVER (PARTITION BY w.lower)
            AS first
    FROM walked AS w
    INNER JOIN ONLY public.features AS f ON f.niche_id >= w.lower AND f.niche_id < w.upper
    CROSS JOIN sidb.backfill_control AS b
    WHERE f.last_analyzed_at = b.as_of AND f.analytics_version > 0
),

missing AS (
    SELECT e.niche_id
    FROM expected AS e
    WHERE NOT e.there AND (e.done_at > now() - interval '5 hours' OR e.first IS NULL OR e.niche_id > e.first)
)

SELECT
    (SELECT count(*) FROM expected) AS rows,
    (SELECT count(*) FROM missing) AS wrong,
    ARRAY(SELECT m.niche_id FROM missing AS m ORDER BY m.niche_id LIMIT 5) AS examples;
