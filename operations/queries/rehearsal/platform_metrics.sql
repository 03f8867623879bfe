-- Today's metrics of every fifth niche on the platforms beside youtube.
INSERT INTO analytics.cross_platform_metrics (
    niche_id, platform, demand_score, supply_score, engagement_score, growth_rate, updated_at, audience_demographics
)
SELECT
    ranked.niche_id,
    platforms.platform,
    0.5,
    0.4,
    0.3,
    0.1,
    now(),
    '{"age": {"18-24": 0.6, "25-34": 0.4}, "gender": {"female": 0.5, "male": 0.5}}'
FROM ranked_niches AS ranked
CROSS JOIN unnest(ARRAY['tiktok', 'instagram']) AS platforms (platform)
WHERE ranked.rank %% 5 = 1
ON CONFLICT DO NOTHING;
