-- Hot niches that nobody has analysed, whose trend is not what an empty vector gives: NULLs are to be filled yet, and the
-- others are proved by the backfill.
SELECT
    format(
        'niche %%s has the trend %%s, where an empty vector gives %%s',
        h.niche_id,
        row(h.trend_direction, h.trend_confidence, h.days_trending),
        row(t.direction, t.confidence::numeric(5, 4), t.days)
    ) AS wrong
FROM public.hot_niches_today AS h
INNER JOIN ONLY public.features AS f ON f.niche_id = h.niche_id
CROSS JOIN LATERAL analytics.trend_of(f.trend_vector) AS t
WHERE
    f.last_analyzed_at IS NULL
    AND f.trend_vector IS NULL
    AND num_nonnulls(h.trend_direction, h.trend_confidence, h.days_trending) > 0
    AND (h.trend_direction, h.trend_confidence, h.days_trending)
    IS DISTINCT FROM (t.direction, t.confidence::numeric(5, 4), t.days)
ORDER BY h.niche_id;
