-- The pairs of niches that a niche is one of, strongest correlation first. No row: nothing unexpired is cached.
-- lag_days: days by which related_niche_id follows niche_id; negative where it goes ahead.
-- parameters:
--   niche_id bigint: the niche
--   other_niche_id bigint: only its pair with this one; NULL: every pair
--   max_rows bigint: so many at most; NULL: 20
-- budget: 500 ms
SELECT
    t.niche_id,
    t.related_niche_id,
    CAST(t.trend_data ->> 'coefficient' AS numeric) AS coefficient,
    t.trend_data ->> 'relationship' AS relationship,
    CAST(t.trend_data ->> 'lag_days' AS integer) AS lag_days,
    t.trend_source,
    t.parameters,
    t.created_at,
    t.valid_until
FROM analytics.current_trends AS t
WHERE
    t.trend_type = 'correlation'
    AND t.related_niche_id IS NOT NULL
    AND (t.niche_id = CAST(:niche_id AS bigint) OR t.related_niche_id = CAST(:niche_id AS bigint))
    AND (
        CAST(:other_niche_id AS bigint) IS NULL
        OR CAST(:other_niche_id AS bigint) IN (t.niche_id, t.related_niche_id)
    )
ORDER BY abs(CAST(t.trend_data ->> 'coefficient' AS numeric)) DESC NULLS LAST, t.trend_id DESC
LIMIT coalesce(CAST(:max_rows AS bigint), 20);
