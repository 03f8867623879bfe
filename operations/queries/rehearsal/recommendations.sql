-- Content to make, one entry for every second niche, crowded at the popular ones; a third is for one user, and four of
-- five have expired.
INSERT INTO analytics.content_recommendations (
    niche_id, user_id, content_type, title, description, opportunity_score, model_version, created_at, valid_until
)
SELECT
    popular.niche_id,
    CASE WHEN ranked.rank %% 3 = 0 THEN 'user ' || ranked.rank %% 100 END,
    (ARRAY['video', 'short', 'stream', 'post'])[1 + ranked.rank %% 4],
    'title ' || ranked.rank,
    'why and how ' || md5(ranked.rank::text),
    (ranked.rank * 7919 %% 10000) / 10000.0,
    'rehearsal',
    now() - interval '30 days',
    now() + CASE WHEN ranked.rank %% 10 = 0 THEN interval '1 day' ELSE interval '-1 day' END
FROM ranked_niches AS ranked
INNER JOIN ranked_niches AS popular
    ON popular.rank = 1 + floor(
        %(niches)s * power((hashint8extended(ranked.rank, 9) & 2147483647) / 2147483648.0::float8, 3.2)
    )::bigint
WHERE ranked.rank %% 2 = 0;
