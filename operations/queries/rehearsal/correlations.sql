-- A correlation cached for every fifth niche, with a niche that many have much to do with.
INSERT INTO analytics.trend_cache (
    niche_id, related_niche_id, trend_type, trend_source, parameters, trend_data, created_at, valid_until
)
SELECT
    popular.niche_id,
    ranked.niche_id,
    'correlation',
    'rehearsal',
    '{}',
    jsonb_build_object(
        'coefficient', (ranked.rank %% 200 - 100) / 100.0,
        'relationship', 'leads',
        'lag_days', ranked.rank %% 14
    ),
    now(),
    now() + interval '1 day'
FROM ranked_niches AS ranked
INNER JOIN ranked_niches AS popular
    ON popular.rank = 1 + floor(
        %(niches)s * power((hashint8extended(ranked.rank, 8) & 2147483647) / 2147483648.0::float8, 3.2)
    )::bigint
WHERE ranked.rank %% 5 = 0 AND popular.niche_id <> ranked.niche_id;
