-- The best unexpired content to make in a niche: what is recommended to everybody and, where a user is named, to that
-- user. Most promising first, of equals the newest.
-- parameters:
--   niche_id bigint: the niche
--   user_id text: the user; NULL: only what is recommended to everybody
--   max_rows bigint: so many at most; NULL: 5
-- budget: 500 ms
WITH best AS (
    (
        SELECT r.recommendation_id
        FROM analytics.active_recommendations AS r
        WHERE r.niche_id = CAST(:niche_id AS bigint) AND r.user_id = CAST(:user_id AS text)
        ORDER BY r.opportunity_score DESC, r.recommendation_id DESC
        LIMIT coalesce(CAST(:max_rows AS bigint), 5)
    )
    UNION ALL
    (
        SELECT r.recommendation_id
        FROM analytics.active_recommendations AS r
        WHERE r.niche_id = CAST(:niche_id AS bigint) AND r.user_id IS NULL
        -- user_id is NULL throughout; named, it lets the index give the order
        ORDER BY r.user_id, r.opportunity_score DESC, r.recommendation_id DESC
        LIMIT coalesce(CAST(:max_rows AS bigint), 5)
    )
)

SELECT
    r.recommendation_id,
    r.user_id,
    r.content_type,
    r.title,
    r.description,
    r.opportunity_score,
    r.estimated_views,
    r.audience_match,
    r.content_format,
    r.keywords,
    r.trend_status,
    r.competition_level,
    r.model_version,
    r.created_at,
    r.valid_until
FROM best
INNER JOIN analytics.content_recommendations AS r ON r.recommendation_id = best.recommendation_id
ORDER BY r.opportunity_score DESC, r.recommendation_id DESC
LIMIT coalesce(CAST(:max_rows AS bigint), 5);
