-- Insights, one for every fourth niche, crowded at the popular ones; a fifth are drafts.
INSERT INTO analytics.insight_registry (
    niche_id, insight_type, title, insight_data, score, model_version, created_at, published_at, valid_until
)
SELECT
    popular.niche_id,
    (ARRAY['competitor_heatmap', 'gap_analysis', 'cross_platform', 'audience', 'season'])[1 + ranked.rank / 4 %% 5],
    'title ' || ranked.rank,
    '{"sub_niches": [{"name": "one", "demand": 0.5, "supply": 0.3, "opportunity": 0.6, "competitors": 12}]}',
    (ranked.rank * 7919 %% 10000) / 10000.0,
    'rehearsal',
    now() - interval '30 days',
    CASE WHEN ranked.rank %% 20 > 0 THEN now() - interval '29 days' END,
    CASE WHEN ranked.rank %% 12 = 0 THEN now() + interval '1 day' END
FROM ranked_niches AS ranked
INNER JOIN ranked_niches AS popular
    ON popular.rank = 1 + floor(
        %(niches)s * power((hashint8extended(ranked.rank, 10) & 2147483647) / 2147483648.0::float8, 3.2)
    )::bigint
WHERE ranked.rank %% 4 = 0;
